"""Pruning: what the ledger may forget, so that it does not grow for as long as an archive is kept.

A nightly verification of a large table leaves thousands of ranges, and the rows that differed with their values;
each phase leaves its statements. What gates, rollback, repair, metrics and the history of an open run need is never
touched: each `prune_*.sql` says what nobody asks for any more. The flags' history and the rejects
stay altogether: people's decisions, and rows that exist nowhere else.

Rows go in batches of their own transactions, children before parents, so that a kill leaves nothing half done and no
lock is held for long. Events cannot be deleted (trigger `append_only`) but under a setting that this makes for its
own transaction, which appends who did it and how many are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

from orchestrator.kernel import sqlfiles
from orchestrator.ledger.store import About

if TYPE_CHECKING:
    import threading
    from datetime import datetime

    from orchestrator.ledger.store import Ledger

_CHOSEN: Final = {
    "verify_range": ("verification_id", "verification"),
    "difference": ("verification_id", "verification"),
    "verification": ("id", "verification"),
    "action": ("run_id", "run"),
    "phase": ("run_id", "run"),
    "event": ("id", "event"),
    "flag_mismatch": ("id", "flag_mismatch"),
}
"""Table, in the order of emptying: by which column of it, and of which `prune_*.sql`. Runs themselves stay."""
TABLES: Final = tuple(_CHOSEN)
_BATCH: Final = 10_000
_ALLOW: Final = "SELECT set_config('changeover.pruning', 'on', true)"


def prunable(ledger: Ledger, before: datetime) -> dict[str, int]:
    """How many rows of each table may go."""
    return {table: _count(ledger, table, before) for table in TABLES}


def prune(ledger: Ledger, before: datetime, stop: threading.Event, *, batch: int = _BATCH) -> dict[str, int]:
    """Delete them; how many of each table went."""
    return {table: _empty(ledger, table, before, stop, batch) for table in TABLES}


def _empty(ledger: Ledger, table: str, before: datetime, stop: threading.Event, batch: int) -> int:
    gone = 0
    while not stop.is_set():
        with ledger.transaction():
            ledger.conn.execute(_ALLOW)
            some = ledger.conn.execute(_delete(table, batch), {"before": before}).rowcount
            if some:
                ledger.event("ledger.pruned", About(), table=table, rows=some, before=before.isoformat())
        gone += some
        if some < batch:
            break
    return gone


def _count(ledger: Ledger, table: str, before: datetime) -> int:
    query = sql.SQL("SELECT count(*) AS rows FROM ({chosen}) AS chosen").format(chosen=_chosen(table))
    row = ledger.conn.execute(query, {"before": before}).fetchone()
    return int(next(iter(row.values() if isinstance(row, dict) else row or ())))


def _delete(table: str, batch: int) -> sql.Composed:
    return sql.SQL("DELETE FROM changeover.{table} WHERE ctid = ANY (ARRAY({chosen} LIMIT {batch}))").format(
        table=sql.Identifier(table), chosen=_chosen(table), batch=sql.Literal(batch)
    )


def _chosen(table: str) -> sql.Composed:
    column, which = _CHOSEN[table]
    return sql.SQL("SELECT c.ctid FROM changeover.{table} AS c WHERE c.{column} IN ({which})").format(
        table=sql.Identifier(table),
        column=sql.Identifier(column),
        which=sql.SQL(sqlfiles.load(__package__, f"prune_{which}.sql")),
    )
