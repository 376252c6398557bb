"""What a living system does in the middle of a migration: a column more, a scorecard more.

Both are done by the application's own developers, without asking anybody: plain DDL on the legacy side,
then rows that use it. A migration that is under way must take them in without a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel.connections import connect
from orchestrator.kernel.locks import run_bounded
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    import psycopg

ADDED_COLUMN: Final = ("public.chat_audit", "proactivity")
ADDED_TABLE: Final = "public.video_call_audit"


def add_column(dsn: str) -> int:
    """Add a parameter column with a DEFAULT to a table in use; return how many rows then got another value."""
    with connect(dsn, role="demo") as conn:
        run_bounded(conn, load(__package__, "add_column.sql"))
        return _number(conn, "use_column.sql")


def add_scorecard(dsn: str) -> int:
    """Create a scorecard and its table, and audit with it; return the number of audits."""
    with connect(dsn, role="demo") as conn:
        with conn.transaction():
            conn.execute(load(__package__, "add_scorecard.sql"))
        return _number(conn, "use_scorecard.sql")


def _number(conn: psycopg.Connection[Any], file: str) -> int:
    row = conn.execute(load(__package__, file)).fetchone()
    return 0 if row is None else int(row[0])
