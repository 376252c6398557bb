"""`alter:` of a plan against the live database, before anything is changed.

What is declared is tried on a copy of the table that nobody uses, inside the transaction of the trial: no table of the
application is locked. The copy also tells what would rewrite the table: an empty one that gets another file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine import queries
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.kernel.words import meant
from orchestrator.mapping import catalog
from orchestrator.mapping.nearby import meant_table
from orchestrator.plan import added
from phases.alter import in_backfill, in_expand, on_twin
from phases.alter_spec import column

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import psycopg

    from orchestrator.engine.check.scratch import Scratch
    from orchestrator.mapping.catalog import Table
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from phases.actions import Action
    from phases.alter_spec import Alter

_TWIN: Final = "changeover.twin_in_use"
_FILE: Final = "SELECT relfilenode FROM pg_catalog.pg_class WHERE oid = 'changeover.twin_in_use'::regclass"
_MADE: Final = "CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING COMMENTS EXCLUDING STATISTICS EXCLUDING STORAGE)"
_CONSTRAINT: Final = (
    "SELECT contype::text FROM pg_catalog.pg_constraint WHERE conrelid = %s AND conname = %s AND contype IN ('c', 'f')"
)


def problems(conn: psycopg.Connection[Any], plan: LoadedPlan, stage: Stage, scratch: Scratch) -> Iterator[str]:
    """What keeps the changes of a stage from being carried out, in words."""
    for alter in stage.alter:
        oid = catalog.find(conn, alter.sql)
        begun = [a for a in (*in_expand(alter), *in_backfill(alter)) if _begun(conn, plan, stage, a)]
        if begun:
            continue  # the run goes on with it, or is through: the ledger knows
        if oid is None:
            yield f"alter {alter.label}: there is no such table{meant_table(conn, alter.sql)}"
            continue
        table = catalog.read_table(conn, oid)
        beside = _beside(plan, stage, alter)
        found = list(_unfit(conn, alter, table, beside))
        yield from (f"alter {alter.label}: {words}" for words in found)
        if not found:
            yield from (f"alter {alter.label}, {words}" for words in _tried(conn, alter, table, beside, scratch))


def notes(conn: psycopg.Connection[Any], stage: Stage) -> Iterator[str]:
    """What one should know."""
    for alter in stage.alter:
        oid = catalog.find(conn, alter.sql)
        if oid is not None and alter.add and not catalog.read_table(conn, oid).primary_key:
            yield (
                f"stage {stage.stage}: {alter.label} has no primary key; if new columns are taken back, rows that use "
                "them are archived whole"
            )


def _begun(conn: psycopg.Connection[Any], plan: LoadedPlan, stage: Stage, action: Action) -> bool:
    values = {"plan": plan.name, "stage": stage.stage, "action": action.id}
    return conn.execute(queries.load("action_known.sql"), values).fetchone() is not None


def _unfit(conn: psycopg.Connection[Any], alter: Alter, table: Table, beside: Collection[str]) -> Iterator[str]:
    """What speaks against the table or its columns."""
    if table.kind != "r":
        yield "it is no plain table"
        return
    owns = conn.execute("SELECT pg_catalog.pg_has_role(%s, 'USAGE')", (table.owner,)).fetchone()
    if owns != (True,):
        yield f"it belongs to {table.owner}, and only its owner may change it"
    if table.hides_rows and (alter.add or alter.drop):
        yield "row-level security hides rows of it from the role that runs the plan"
    yield from _unfit_columns(alter, table, beside)
    for each in alter.constraints.values():
        if each.replaces is None:
            continue
        row = conn.execute(_CONSTRAINT, (table.oid, column(each.replaces))).fetchone()
        if row is None:
            yield f"there is no check or foreign key {column(each.replaces)} to replace"


def _unfit_columns(alter: Alter, table: Table, beside: Collection[str]) -> Iterator[str]:
    for name in (column(each) for each, new in alter.add.items() if not new.unless_there):
        if name in table.by_name:
            yield f"column {name} is there already, and this plan has not made it"
    for name in (column(each) for each in (*alter.columns, *alter.drop)):
        if name not in table.by_name and (name not in beside or name in map(column, alter.drop)):
            yield f"there is no column {name}{meant(name, [*table.by_name, *beside])}"
        elif name in table.primary_key and name in map(column, alter.drop):
            yield f"column {name} is part of the primary key"


def _beside(plan: LoadedPlan, stage: Stage, alter: Alter) -> dict[str, str]:
    """The columns that the plan adds to the table in other ways, with their definitions: `alter` may name them."""
    stages = plan.model.stages[: plan.model.stages.index(stage) + 1]
    own = {column(name) for name in alter.add}
    return {n: kind for n, kind in added.columns(stages, sql_name(alter.parts)).items() if n not in own}


def _tried(
    conn: psycopg.Connection[Any], alter: Alter, table: Table, beside: dict[str, str], scratch: Scratch
) -> Iterator[str]:
    """Each statement on the copy; the ones before it stand, because a check may be about a new column."""
    with conn.transaction(force_rollback=True):
        conn.execute(_MADE.format(_TWIN, table.sql).encode())
        for name, kind in beside.items():
            conn.execute(f"ALTER TABLE {_TWIN} ADD COLUMN IF NOT EXISTS {quote(name)} {kind}".encode())
        for each in alter.constraints.values():
            if each.replaces is not None:
                conn.execute(f"ALTER TABLE {_TWIN} DROP CONSTRAINT IF EXISTS {quote(column(each.replaces))}".encode())
        before = conn.execute(_FILE).fetchone()
        for what, statement, stays in on_twin(alter, _TWIN):
            if (error := (scratch.kept if stays else scratch.refused)(statement)) is not None:
                yield f"{what}: {error}"
                continue
            after = conn.execute(_FILE).fetchone()
            if after != before:
                before = after
                yield f"{what}: it would rewrite the whole table under a lock; give a constant default"
