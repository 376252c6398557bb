"""What `retire` does for `rename`, `takes_name` and `drop`, in its one transaction.

A column that is dropped is archived with the key of each row first (`column_archive`), also what is written meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.engine.contract import column_archive, renaming, taken_name, two_versions
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqlcursor import sql_name
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
    return bool(stage.rename or any(alter.drop for alter in stage.alter) or any(_ending([stage])))


def _taking(stages: Sequence[Stage]) -> Iterator[Mapping]:
    """The mappings whose new table takes the name of the old one."""
    return (mapping for stage in stages for mapping in stage.mappings if mapping.name_schema is not None)


def _ending(stages: Sequence[Stage]) -> Iterator[Mapping]:
    """The mappings in place whose old columns and mirror go."""
    return (mapping for stage in stages for mapping in stage.mappings if mapping.old_columns is not None)


def endings(conn: psycopg.Connection[Any], stages: list[Stage]) -> list[Ending]:
    """Everything that ends, the views before their tables: they show the columns, and their readers lock them first."""
    names = [_name(conn, rename) for stage in stages for rename in stage.rename]
    taken = [Ending((taken_name.view_of(m),), taken_name.taken(m), taken_name.label_of(m)) for m in _taking(stages)]
    ending = list(_ending(stages))
    shown = [Ending((each,), (f"DROP VIEW {each}",), each) for m in ending for each in two_versions.dropped_views(m)]
    columns = [_columns(each) for _, each in column_archive.dropped(stages)]
    return [*names, *taken, *shown, *columns, *(_new_names(mapping) for mapping in ending if mapping.renamed)]


def views(conn: psycopg.Connection[Any], stages: list[Stage]) -> list[int]:
    """The views under old names of tables."""
    names = [rename.sql[0] for stage in stages for rename in stage.rename if rename.to is not None]
    names += [
        sql_name(name)
        for stage in stages
        for mapping in stage.mappings
        for side, name in two_versions.views(mapping).items()
        if side == "old"
    ]
    found = (catalog.named(conn, name) for name in names)
    return [oid for oid in found if oid is not None]


def keep(session: Session, stages: list[Stage]) -> None:
    """Copy the columns that are dropped."""
    for _, each in column_archive.dropped(stages):
        column_archive.keep(session, each)


def finish(session: Session, stages: Sequence[Stage]) -> None:
    """Put the copies in their place; what a kill has left, too."""
    for stage, each in column_archive.dropped(stages):
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


def _new_names(mapping: Mapping) -> Ending:
    table, label = sql_name(two_versions.target_of(mapping)), ".".join(two_versions.target_of(mapping))
    shown = ", ".join(f"{new} becomes {name}" for new, name in mapping.renamed.items())
    return Ending((table,), tuple(two_versions.renamings(mapping)), f"{label} ({shown})")
