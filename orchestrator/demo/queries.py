"""How long the application's two reports take, the old way and the new one, with nobody beside them.

The old way asks each scorecard's table and puts the answers together; the new one asks once. Both are run by the code
that the simulated application runs, over the same kind of connection, for the same people, and the median counts. On a
local socket a query more costs next to nothing, which is not how an application lives; so the report of one
employee is shown a second time with a millisecond of network for each query, computed, and named so.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import asyncpg

from orchestrator.demo.application import legacy_side, unified_side
from orchestrator.demo.application.tables import discover
from orchestrator.demo.report import QueryTime
from orchestrator.kernel.connections import asyncpg_uri
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_PEOPLE: Final = 40
_MONTHS: Final = 12
_FIRST_MONTH: Final = datetime(2022, 2, 1, tzinfo=UTC)
_NETWORK_MS: Final = 1.0


@dataclass(frozen=True)
class Times:
    """Medians of one side, in ms, and how many queries each takes."""

    employee: float
    month: float
    queries: int


def legacy(dsn: str) -> Times:
    """Measure the old way, as the application behind `dsn`."""
    return asyncio.run(_legacy(dsn))


def unified(dsn: str) -> Times:
    """Measure the new way."""
    return asyncio.run(_unified(dsn))


def compare(before: Times, after: Times) -> tuple[QueryTime, ...]:
    """Both sides as the report shows them."""
    return (
        QueryTime("one employee, all scorecards", before.employee, before.queries, after.employee, after.queries),
        QueryTime(
            f"the same with {_NETWORK_MS:.0f} ms of network per query (computed)",
            before.employee + before.queries * _NETWORK_MS,
            before.queries,
            after.employee + after.queries * _NETWORK_MS,
            after.queries,
        ),
        QueryTime("one month, all scorecards", before.month, before.queries, after.month, after.queries),
    )


async def _legacy(dsn: str) -> Times:
    conn = await _connect(dsn)
    try:
        tables = await discover(conn)
        employee = await _median([partial(legacy_side.report, conn, tables, email) for email in await _people(conn)])
        month = await _median([partial(legacy_side.month, conn, tables, since) for since in _months()])
    finally:
        await conn.close()
    return Times(employee, month, len(tables))


async def _unified(dsn: str) -> Times:
    conn = await _connect(dsn)
    try:
        employee = await _median([partial(unified_side.report, conn, email) for email in await _people(conn)])
        month = await _median([partial(unified_side.month, conn, since) for since in _months()])
    finally:
        await conn.close()
    return Times(employee, month, 1)


async def _connect(dsn: str) -> asyncpg.Connection:
    return await asyncpg.connect(asyncpg_uri(dsn), timeout=10, statement_cache_size=0)


async def _people(conn: asyncpg.Connection) -> list[str]:
    rows = await conn.fetch(load("orchestrator.demo.application", "known_people.sql"))
    return [row["email"] for row in rows[:_PEOPLE]]


def _months() -> list[datetime]:
    return [_FIRST_MONTH + timedelta(days=30 * number) for number in range(_MONTHS)]


async def _median(calls: list[Callable[[], Awaitable[object]]]) -> float:
    """The first round warms caches and is not counted."""
    for call in calls:
        await call()
    times = []
    for call in calls:
        began = time.perf_counter()
        await call()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times) if times else 0.0
