"""Columns that contract makes NOT NULL: whether every row has a value, asked before anything is changed.

A row that is rejected has none, whether somebody answers for the reject or not. Found by the database in the middle of
contract, it would leave a rule that binds both versions already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from orchestrator.engine.errors import StageGateError
from orchestrator.kernel.words import counted
from orchestrator.mapping import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.engine.session import Session
    from orchestrator.plan.model import Stage


def require_values(session: Session, stage: Stage, *, kept: str) -> None:
    """Raise StageGateError where a row has no value for a column that must have one from contract on."""
    found = [f"{counted(rows, 'row')} without {column}" for column, rows in _lacking(session, stage)]
    if found:
        listed = f"`changeover rejects list --plan {session.plan.argument}`"
        raise StageGateError(
            f"Stage {stage.stage}, contract: a required column must have a value in every row. "
            f"There are {', '.join(found)}.",
            kept=kept,
            todo=f"Mend what the columns are computed from: {listed} shows rejected rows; one that is waived has no "
            "value either. Or take `required` out of the plan. Then run the same command again.",
        )


def _lacking(session: Session, stage: Stage) -> Iterator[tuple[str, int]]:
    for mapping in stage.mappings:
        names = mapping.required_columns
        if not names:
            continue
        table = catalog.require(session.conn, mapping.target)
        empty = sql.SQL(", ").join(
            sql.SQL("count(*) FILTER (WHERE g.{} IS NULL)").format(sql.Identifier(name)) for name in names
        )
        query = sql.SQL("SELECT {} FROM {} g").format(empty, sql.SQL(table.sql))
        counts = session.conn.execute(query).fetchone() or ()
        yield from ((f"{table.label}.{name}", rows) for name, rows in zip(names, counts, strict=True) if rows)
