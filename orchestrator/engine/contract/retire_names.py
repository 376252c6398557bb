"""What `retire` does for `rename`, `takes_name` and `drop` of `alter`, in its one transaction.

A column that is dropped is archived with the key of each row first (`column_archive`), also what is written meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.engine.contract import column_archive, renaming, taken_name
from orchestrator.kernel.identifiers import quote
from orchestrator.mapping import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from orchestrator.engine.session import Session
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.model import Stage
    from phases.rename_spec import Rename


@dataclass(frozen=True)
class Ending:
    """One old name or column: what is locked first, what is done then, and how it is called."""

    locked: tuple[str, ...]
    statements: tuple[str, ...]
    label: str


def has(stage: Stage) -> bool:
    """Whether a stage has old names or columns that end with `retire`."""
    return bool(stage.rename or any(alter.drop for alter in stage.alter))


def _taking(stages: Sequence[Stage]) -> Iterator[Mapping]:
    """The mappings whose new table takes the name of the old one."""
    return (mapping for stage in stages for mapping in stage.mappings if mapping.name_schema is not None)


def endings(conn: psycopg.Connection[Any], stages: list[Stage]) -> list[Ending]:
    """Everything that ends, the views before their tables: they show the columns, and their readers lock them first."""
    names = [_name(conn, rename) for stage in stages for rename in stage.rename]
    taken = [Ending((taken_name.view_of(m),), taken_name.taken(m), taken_name.label_of(m)) for m in _taking(stages)]
    return [*names, *taken, *(_columns(each) for stage in stages for each in column_archive.dropped(stage))]


def views(conn: psycopg.Connection[Any], stages: list[Stage]) -> list[int]:
    """The views under old names of tables."""
    names = [rename.sql[0] for stage in stages for rename in stage.rename if rename.to is not None]
    found = (catalog.named(conn, name) for name in names)
    return [oid for oid in found if oid is not None]


def keep(session: Session, stages: list[Stage]) -> None:
    """Copy the columns that are dropped."""
    for stage in stages:
        for each in column_archive.dropped(stage):
            column_archive.keep(session, each)


def finish(session: Session, stages: Sequence[Stage]) -> None:
    """Put the copies in their place; what a kill has left, too."""
    for stage in stages:
        for each in column_archive.dropped(stage):
            column_archive.finish(session, stage, each)


def _name(conn: psycopg.Connection[Any], rename: Rename) -> Ending:
    old, new = rename.sql
    if rename.to is None:
        renamed = (f"ALTER TABLE {old} RENAME COLUMN {quote(a)} TO {quote(b)}" for a, b in rename.renamed.items())
        return Ending((new, old), (f"DROP VIEW {new}", *renamed), ".".join(rename.new))
    view = catalog.named(conn, old)
    sequences = [] if view is None else renaming.owned(conn, view)
    given_back = (
        f"ALTER SEQUENCE {name} OWNED BY {new}.{quote(rename.renamed.get(column, column))}"
        for name, column in sequences
    )
    return Ending((old, new), (*given_back, f"DROP VIEW {old}"), ".".join(rename.old))


def _columns(each: column_archive.Columns) -> Ending:
    names = ", ".join(f"DROP COLUMN {quote(name)}" for name in each.names)
    drop = (f"DROP TRIGGER {quote(each.trigger)} ON {each.sql}", f"ALTER TABLE {each.sql} {names}")
    return Ending((each.sql,), drop, f"{each.label} ({', '.join(each.names)})")
