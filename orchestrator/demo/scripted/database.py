"""The old database of a scripted demo: built from the plan's own files, opened to its application, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel.connections import connect
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from orchestrator.demo.scripted.script import Script
    from orchestrator.plan.loader import LoadedPlan

_ROWS: Final = "{rows}"


def build(dsn: str, plan: LoadedPlan, script: Script, rows: int) -> None:
    """Make the old tables with their dirt, and about so many rows in the largest of them."""
    with connect(dsn, role="demo") as conn, conn.transaction():
        conn.execute(plan.read(script.legacy).encode())
        conn.execute(plan.read(script.grow).replace(_ROWS, str(rows)).encode())
    with connect(dsn, role="demo") as conn:
        conn.execute("ANALYZE")


def grant(dsn: str, role: str) -> None:
    """Let the application read and write rows of every table but the ledger's; again after each expand."""
    with connect(dsn, role="demo") as conn, conn.transaction():
        # A DO block takes no parameters; a setting of the transaction carries the name.
        conn.execute("SELECT set_config('changeover_demo.application', %s, true)", (role,))
        conn.execute(load(__package__, "grant.sql"))


def run(dsn: str, statements: Sequence[str]) -> None:
    """Statements of the owner, each for itself."""
    with connect(dsn, role="demo") as conn:
        for statement in statements:
            conn.execute(statement.encode())


def planted(dsn: str, script: Script) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Old rows, and of those, by the script's own rules, how many cannot be migrated and why."""
    with connect(dsn, role="demo") as conn:
        legacy = {
            name: _number(conn, each.legacy or f"SELECT count(*) FROM {each.table}")  # noqa: S608 - the script's own
            for name, each in script.counts.items()
        }
        rejects = {
            name: {reason: _number(conn, query) for reason, query in each.rejects.items()}
            for name, each in script.counts.items()
        }
    return legacy, rejects


def migrated(dsn: str, script: Script) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Old rows that are new ones, and the rejects that the migration has made, by reason."""
    with connect(dsn, role="demo") as conn:
        made = {name: _number(conn, each.migrated) for name, each in script.counts.items()}
        found = conn.execute(load(__package__, "found_rejects.sql")).fetchall()
    rejects: dict[str, dict[str, int]] = {}
    for name, each in script.counts.items():
        for table, mapping, reason, number in found:
            if table == each.table.replace('"', "") and each.mapping in {None, mapping}:
                rejects.setdefault(name, {})[reason] = number
    return made, rejects


def waiting(dsn: str) -> Mapping[str, int]:
    """What the mirrors have left to be derived again, by cause."""
    with connect(dsn, role="demo") as conn:
        return dict(conn.execute(load("orchestrator.demo", "queue.sql")).fetchall())


def _number(conn: psycopg.Connection[Any], query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
