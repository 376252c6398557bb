"""Rows that a lookup makes (`create`) and that nothing keeps from being made twice.

Two sessions that meet one new value at the same moment would each make its row: a mirror waits for nobody, and the row
of the other one cannot be seen before its commit. A unique index over what is made lets one of them in. It has to be
there from the first row on, so the `indexes` of a stage, which are built after the rows, come too late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engine import queries
from orchestrator.mapping import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.plan.model import Stage


def notes(conn: psycopg.Connection, stage: Stage) -> Iterator[str]:
    """One line for each such lookup of a stage whose tables are made."""
    for mapping in stage.mappings:
        for name, lookup in mapping.lookups.items():
            if lookup.create is None or (oid := catalog.find(conn, lookup.table)) is None:
                continue
            values = {"table": oid, "columns": list(lookup.create.columns)}
            row = conn.execute(queries.load("unique_over.sql"), values).fetchone()
            if row is None or not row[0]:
                yield (
                    f"stage {stage.stage}, mapping {mapping.label}: lookup {name} makes rows of {lookup.table}, and no "
                    "unique index keeps two sessions from making the same row. Make one over what it is found by, in "
                    "an `expand` file: those of `indexes` are built when the rows are there"
                )
