"""The preamble of everything this package commits: begin with its limits, check the fence, do, commit.

**Who gives way.** PostgreSQL looks for a circle of waits after a session has waited `deadlock_timeout`, and the
one who looks is the one who is rolled back. So an application is never that one if our statement is over before
any application can have waited for it that long: `statement_timeout` is set to 80 % of `deadlock_timeout`, and
`lock_timeout` far below, so that we go early. Only a single page that cannot be copied in that time (huge
values) is given more (`patient`), since nothing smaller exists.

**Fence.** The first statement locks the lease's row and must find it; a runner that lost the lease finds
nothing and cannot commit.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg.sql import SQL, Literal

from backfill.compose import compose, load
from backfill.errors import FenceLostError
from orchestrator.kernel.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from backfill.refs import Fence

_SHARE_OF_DEADLOCK_TIMEOUT: Final = 0.8
_LOCK_SHARE: Final = 0.25
_PATIENT_MS: Final = 600_000
_IDLE_MS: Final = 10_000
_ROLLBACK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Preambles:
    """The texts that begin a transaction, composed once per run."""

    batch: str
    patient: str
    snapshot: str
    """REPEATABLE READ, for a comparison: its function has several statements, and all must see the same."""


async def preambles(conn: asyncpg.Connection, *, lock_timeout_ms: int, synchronous_commit: bool) -> Preambles:
    """Compose the preambles for this server."""
    deadlock_ms: int = await conn.fetchval(load("deadlock_timeout.sql"))
    lock_ms = max(1, min(lock_timeout_ms, int(deadlock_ms * _LOCK_SHARE)))
    statement_ms = max(lock_ms, int(deadlock_ms * _SHARE_OF_DEADLOCK_TIMEOUT))

    def begin(isolation: SQL, timeout_ms: int) -> str:
        return compose(
            "begin.sql",
            isolation=isolation,
            lock_timeout=Literal(lock_ms),
            statement_timeout=Literal(timeout_ms),
            idle_timeout=Literal(_IDLE_MS),
            synchronous_commit=SQL("on") if synchronous_commit else SQL("off"),
        )

    committed = SQL("READ COMMITTED")
    return Preambles(
        begin(committed, statement_ms), begin(committed, _PATIENT_MS), begin(SQL("REPEATABLE READ"), _PATIENT_MS)
    )


@asynccontextmanager
async def fenced(conn: asyncpg.Connection, begin: str, fence: Fence | None) -> AsyncIterator[None]:
    """Run the body in a transaction that commits only under the lease."""
    try:
        await conn.execute(begin)
        if fence is not None:
            await _check(conn, fence)
        yield
        await _commit(conn)
    except BaseException:
        await _rollback(conn)
        raise


async def _check(conn: asyncpg.Connection, fence: Fence) -> None:
    if await conn.fetchrow(fence.sql, *fence.args) is None:
        raise FenceLostError


async def _commit(conn: asyncpg.Connection) -> None:
    # COMMIT of a transaction that has failed is answered ROLLBACK, without an error.
    if await conn.execute("COMMIT") != "COMMIT":
        raise RetryableError("A transaction was rolled back instead of committed.")


async def _rollback(conn: asyncpg.Connection) -> None:
    if conn.is_closed() or not conn.is_in_transaction():
        return
    try:
        async with asyncio.timeout(_ROLLBACK_SECONDS):
            await conn.execute("ROLLBACK")
    except Exception:  # noqa: BLE001 - whatever it is, ending the session rolls back as surely
        conn.terminate()
