"""The end of a table's old columns (`drop` of a mapping in place), and its views for two versions until then (`views`).

While both versions write, old and new columns need two names, since they are in one table. So each version is given a
schema, which it puts first in its search path: there a plain, automatically updatable view shows the table with the old
columns alone, or with the new ones under the names that they get at last. One name may stand for two types. The mirror
is on the table, so it does not matter by which name a row is written.

`retire` drops the views, the mirror and the old columns, and gives the new ones their names, in one transaction: a
statement of the new application, which has `public` behind its schema, finds the same names before and after. What is
in the old columns is archived first (`column_archive`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engine import queries
from orchestrator.engine.contract import version_view
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.kernel.sqltokens import parts_of, table_name
from orchestrator.kernel.words import meant
from orchestrator.mapping import catalog
from orchestrator.mapping.discovery import never
from phases.actions import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.compile import Compiled
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from phases.actions import Action


def views(mapping: Mapping) -> dict[str, tuple[str, str]]:
    """`old` and `new`: schema and name of the view."""
    name = table_name(mapping.target)[1]
    return {side: ((parts_of(schema) or (schema,))[0], name) for side, schema in mapping.version_schemas.items()}


def target_of(mapping: Mapping) -> tuple[str, str]:
    """Schema and name of the table."""
    return table_name(mapping.target)


def shown(mapping: Mapping, table: Table, side: str) -> dict[str, str]:
    """What a view shows: the names of columns of the table, and those of the view, in their order there.

    A new column that takes the name of an old one takes its place too.
    """
    new = {*mapping.columns, *([mapping.exempt_column] if mapping.exempt_column else [])}
    if side == "old":
        return {c.name: c.name for c in table.columns if c.name not in new}
    gone, takers = mapping.old_columns or [], {to: name for name, to in mapping.renamed.items()}
    names = {}
    for column in table.columns:
        if column.name in gone:
            if (taker := takers.get(column.name)) is not None:
                names[taker] = column.name
        elif mapping.renamed.get(column.name) not in gone:
            names[column.name] = mapping.renamed.get(column.name, column.name)
    return names


def _action_id(mapping: Mapping, side: str) -> str:
    return f"view {'.'.join(views(mapping)[side])} of {mapping.target}"


def written_by_new(mapping: Mapping) -> list[tuple[str, str]]:
    """The view that the new version writes."""
    return [name for side, name in views(mapping).items() if side == "new"]


def actions(conn: psycopg.Connection, mapping: Mapping, compiled: Compiled) -> Iterator[Action]:
    """The views, once the new columns are there."""
    for side, name in views(mapping).items():
        about = version_view.About(
            id=_action_id(mapping, side),
            key="views",
            doc=f"{mapping.target} for the {side} version",
            told=f"{'.'.join(name)} shows {mapping.target} to the {side} version until `retire`: "
            f"that needs schema {name[0]} first in its search path",
            tried_apart=True,
            closed=side == "new",
        )
        yield version_view.action(conn, compiled.target, name, shown(mapping, compiled.target, side), about)


def problems(conn: psycopg.Connection, plan: LoadedPlan, stage: Stage) -> Iterator[str]:
    """What keeps the views from being made or the columns from going, in words."""
    for mapping in (each for each in stage.mappings if each.old_columns is not None):
        oid = catalog.find(conn, mapping.target)
        table = None if oid is None else catalog.read_table(conn, oid)
        if table is not None:
            yield from (f"drop: {words}" for words in _unfit(mapping, table))
        for side, name in views(mapping).items():
            values = {"plan": plan.name, "stage": stage.stage, "action": _action_id(mapping, side)}
            if conn.execute(queries.load("action_known.sql"), values).fetchone() is not None:
                continue
            if never(name[0]):
                yield f"views: schema {name[0]} is Changeover's or PostgreSQL's own"
            elif name == target_of(mapping):
                yield f"views: {'.'.join(name)} is the table itself; give the {side} version a schema of its own"
            elif catalog.named(conn, sql_name(name)) is not None:
                yield f"views: {'.'.join(name)} is there already, and this plan has not made it"


def _unfit(mapping: Mapping, table: Table) -> Iterator[str]:
    gone = mapping.old_columns or []
    for name in gone:
        if name not in table.by_name:
            yield f"{table.label} has no column {name}{meant(name, table.by_name)}"
        elif name in table.primary_key:
            yield f"{table.label}.{name} is of the primary key, which names the rows"
    for new, name in mapping.renamed.items():
        if name in table.by_name and name not in gone and name != new:
            yield f"{new} cannot become {name}: {table.label} has a column of that name, which stays"


def dropped_views(mapping: Mapping) -> list[str]:
    """The views in SQL, that of the old version first."""
    return [sql_name(name) for name in views(mapping).values()]


def renamings(mapping: Mapping) -> list[str]:
    """The statements that give the new columns their names, when the old ones are gone."""
    table = sql_name(target_of(mapping))
    pairs = mapping.renamed.items()
    return [f"ALTER TABLE {table} RENAME COLUMN {quote(a)} TO {quote(b)}" for a, b in pairs if a != b]
