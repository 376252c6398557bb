"""Who waits for a lock in this database, and whom for."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.rows import class_row

from orchestrator.engine import queries
from orchestrator.engine.session import open_ledger


@dataclass(frozen=True)
class LockWait:
    """A session that waits, and one session that it waits for."""

    pid: int
    application: str
    role: str
    seconds: float | None
    query: str
    locked: str
    mode: str
    ours: bool
    """It is one of the migration's own."""
    blocker: int
    blocker_application: str
    blocker_role: str
    blocker_state: str
    blocker_seconds: float | None
    blocker_query: str


def lock_waits(dsn: str) -> list[LockWait]:
    """Everybody who waits, longest first."""
    with open_ledger(dsn, "locks") as ledger:
        cursor = ledger.conn.cursor(row_factory=class_row(LockWait))
        return cursor.execute(queries.load("lock_waits.sql")).fetchall()
