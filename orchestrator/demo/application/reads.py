"""How the new version of the application reads: it asks its flags, and both sides where they say so.

What a real application has once, all clients of the process share: a flag client, a recorder, and a pool for the
reads, because a shadow read is made beside the request and cannot use its connection. The percentage is one of the
persons that are asked about: their address is the targeting key.

Reports are compared of persons none of whose audits is rejected (`Scene.comparable`): what cannot be migrated is
missing on the new side by right. The old side is asked in any spelling of the address, as the new one has it.

There are two builds of the new report. In the first one somebody has planted a defect, see `first_report.sql`.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, Self

import asyncpg

from flags.client import AsyncFlagClient
from flags.recorder import Recorder
from flags.shadow import Options, Shadow
from orchestrator.demo.application import legacy_side, unified_side
from orchestrator.kernel.connections import asyncpg_uri, connect, connect_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from orchestrator.demo.application.tables import LegacyTable

AUDITS: Final = "USE_UNIFIED_AUDITS_TABLE"
EMPLOYEES: Final = "USE_UNIFIED_EMPLOYEES_TABLE"
LEGACY: Final = "legacy"
UNIFIED: Final = "unified"
FIRST_ATTEMPT: Final = "unified, first attempt"
_BY: Final = "by"
_CONNECTIONS: Final = 6
_TIMEOUT_S: Final = 15.0
_FLAGS_S: Final = 2.0  # before the first migration there are none
_CENTS: Final = Decimal("0.01")


class Reads:
    """The new version's reads."""

    def __init__(self, dsn: str) -> None:
        """`dsn` is the application's own."""
        self.flags = AsyncFlagClient(lambda: connect_rows(dsn, "flags"), poll=1.0)
        self.build = FIRST_ATTEMPT
        self._dsn = dsn
        self._recorder = Recorder(lambda: connect(dsn, role="shadow"))
        # Others write while a report is read; a mirror that was hindered is made up for within a second.
        self._shadow = Shadow(self.flags, self._recorder, Options(deadline=5.0, again=4, ignore=frozenset({_BY})))
        self._pool: asyncpg.Pool | None = None

    async def __aenter__(self) -> Self:
        """Connect; the flags may come later, or never."""
        self._pool = await asyncpg.create_pool(
            asyncpg_uri(self._dsn),
            min_size=1,
            max_size=_CONNECTIONS,
            command_timeout=_TIMEOUT_S,
            statement_cache_size=0,
            server_settings={"application_name": "cqms/reads", "TimeZone": "Europe/Berlin"},
        )
        self._recorder.__enter__()
        await self.flags.start(wait=_FLAGS_S)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let what is under way end, report it, disconnect."""
        await self._shadow.settled()
        await self.flags.close()
        self._recorder.__exit__()
        if self._pool is not None:
            await self._pool.close()

    async def report(self, tables: Sequence[LegacyTable], email: str) -> str:
        """A person's submitted audits over all scorecards; by whom it was answered."""

        async def old() -> dict[str, Any]:
            async with self._connection() as conn:
                rows = await legacy_side.submitted(conn, tables, email)
            return {"audits": [_audit(row, "average_score") for row in rows], _BY: LEGACY}

        async def new() -> dict[str, Any]:
            build = self.build
            async with self._connection() as conn:
                rows = await unified_side.submitted(conn, email, mended=build == UNIFIED)
            return {"audits": [_audit(row, "total_score") for row in rows], _BY: build}

        return str((await self._shadow.read_async(AUDITS, "report", old=old, new=new, key=email))[_BY])

    async def lookup(self, email: str) -> str:
        """Who is behind an address; by whom it was answered."""

        async def old() -> dict[str, Any]:
            async with self._connection() as conn:
                return {"person": await legacy_side.lookup(conn, email), _BY: LEGACY}

        async def new() -> dict[str, Any]:
            async with self._connection() as conn:
                return {"person": await unified_side.lookup(conn, email), _BY: UNIFIED}

        return str((await self._shadow.read_async(EMPLOYEES, "lookup", old=old, new=new, key=email))[_BY])

    def _connection(self) -> Any:
        if self._pool is None:
            raise asyncpg.InterfaceError("the pool is closed")
        return self._pool.acquire()


def _audit(row: Any, score: str) -> dict[str, Any]:
    """A line of the report, as both sides can show it: the new tables have one spelling and two decimals."""
    return {
        "submitted_at": row["submitted_at"],
        "score": _number(row[score]) if score in row else None,
        "passed": str(row.get("passing_status")).strip().lower() in {"pass", "passed"},
        "errors": row.get("total_errors_count") or 0,
    }


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value).strip()).quantize(_CENTS, ROUND_HALF_UP)
    except InvalidOperation:
        return None
