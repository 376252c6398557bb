"""Tables that have no old form: a stage has made them, no mapping fills them alone, and the application writes them.

The way back would drop them with their rows. It stops before anything is taken back, names the tables, and leaves them
to a person. Tables that the plan itself seeds, or whose missing rows a lookup makes, are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from orchestrator.kernel import sqlfiles
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import qualified
from orchestrator.kernel.sqltokens import table_label
from orchestrator.kernel.words import counted
from orchestrator.mapping import catalog
from orchestrator.plan.created import created

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.engine.session import Session
    from orchestrator.plan.model import Stage


def refuse_filled(session: Session, stages: Iterable[Stage]) -> None:
    """Raise RefusedError where a table that would be dropped holds rows that nothing else holds."""
    filled = [words for stage in stages for words in _filled(session, stage)]
    if filled:
        raise RefusedError(
            f"The way back would drop tables with rows that have no old form: {', '.join(filled)}.",
            kept="Nothing was changed; the flags, the mirrors and all rows are as they were.",
            todo="Copy the rows elsewhere and empty the tables, then run the same command again.",
        )


def _filled(session: Session, stage: Stage) -> Iterator[str]:
    seeds = " ".join([*(text for _, text in session.plan.statements(stage.seed)), *(d.table for d in stage.datasets)])
    targets = {table_label(mapping.target) for mapping in stage.mappings if not mapping.one_way}
    targets |= {
        table_label(lookup.table) for mapping in stage.mappings for lookup in mapping.lookups.values() if lookup.create
    }
    for name in created(text for _, text in session.plan.statements(stage.expand)):
        schema, _, table = name.partition(".")
        oid = catalog.find(session.conn, qualified(schema, table))
        if oid is None or name in targets or table in seeds:
            continue
        values = {"plan": session.plan.name, "oid": oid}
        made = session.conn.execute(sqlfiles.load(__package__, "made_by_us.sql"), values).fetchone()
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
        row = session.conn.execute(query).fetchone() if made is not None and made[0] else None
        others = 0 if row is None else row[0] - _derived(session, stage, name)
        if others > 0:
            yield f"{schema}.{table} ({counted(others, 'row')})"


def _derived(session: Session, stage: Stage, table: str) -> int:
    """How many rows of a table the plan's own mappings have made and will take out again."""
    return sum(
        mapping.made_rows(session.conn, session.bench.mapping_id(stage, mapping))
        for mapping in stage.mappings
        if table_label(mapping.target) == table
    )
