"""What of a stage is for this database: the files of `only_where`, by what exists here.

It is asked anew whenever a stage is carried out. What a run has done is in the ledger, so the way back takes back what
was done, whatever exists by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.engine import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.plan.model import Stage
    from orchestrator.plan.only_where import OnlyWhere


def files(conn: psycopg.Connection[Any], stage: Stage) -> list[str]:
    """The files that are carried out here."""
    return [file for each in stage.only_where if not _absent(conn, each) for file in each.expand]


def left_out(conn: psycopg.Connection[Any], stage: Stage) -> Iterator[tuple[str, str]]:
    """What is left out here, and why, in words."""
    for each in stage.only_where:
        if absent := _absent(conn, each):
            yield each.title or ", ".join(each.expand), f"left out: this database has no {', no '.join(absent)}"


def notes(conn: psycopg.Connection[Any], stage: Stage) -> Iterator[str]:
    """The same, a sentence each."""
    return (f"{what} is {why}" for what, why in left_out(conn, stage))


def _absent(conn: psycopg.Connection[Any], block: OnlyWhere) -> list[str]:
    values = {"roles": block.roles, "functions": block.functions, "tables": block.tables}
    return [row[0] for row in conn.execute(queries.load("only_where.sql"), values).fetchall()]
