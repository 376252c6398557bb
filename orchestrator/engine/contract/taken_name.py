"""`takes_name` of a unify: the new table gets the name of the old one when the old one is dropped.

Until then the old application finds its rows under that name: the old table, and after contract the view of the
archived one. So the new application is given the name in a schema of its own, which it puts first in its search path:
there a plain, automatically updatable view shows the new table from expand on. `retire` drops both views and the old
table, and renames the new one, in one transaction. A statement of the new application finds the same name before and
after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine import queries
from orchestrator.engine.contract import version_view
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.kernel.sqltokens import parts_of
from orchestrator.mapping.discovery import never

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.mapping.compile import Compiled
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from phases.actions import Action

_FREE: Final = "SELECT pg_catalog.to_regclass(%s) IS NULL"


def view_of(mapping: Mapping) -> str:
    """The view that has the name until `retire`, in SQL."""
    return sql_name((schema_of(mapping), _name(mapping)))


def schema_of(mapping: Mapping) -> str:
    """The schema of the view."""
    return (parts_of(mapping.name_schema or "") or ("",))[0]


def _name(mapping: Mapping) -> str:
    ((source, _),) = mapping.source_tables
    return parts_of(source)[-1]


def label_of(mapping: Mapping) -> str:
    """The same as people say it."""
    return f"{schema_of(mapping)}.{_name(mapping)}"


def _action_id(mapping: Mapping) -> str:
    return f"name {label_of(mapping)} of {mapping.target}"


def shown(mapping: Mapping) -> list[tuple[str, str]]:
    """The view, if the mapping wants one."""
    return [] if mapping.name_schema is None else [(schema_of(mapping), _name(mapping))]


def actions(conn: psycopg.Connection[Any], mapping: Mapping, compiled: Compiled) -> Iterator[Action]:
    """The view, once the new table is there."""
    if mapping.name_schema is None:
        return
    target = compiled.target
    about = version_view.About(
        id=_action_id(mapping),
        key="takes_name",
        doc=f"{mapping.target} for the new application; it takes the name at retire",
        told=f"{mapping.target} gets the name {_name(mapping)} at retire; until then {label_of(mapping)} shows it: the "
        f"new application needs schema {schema_of(mapping)} first in its search path",
        closed=True,
    )
    names = {column.name: column.name for column in target.columns}
    yield version_view.action(conn, target, (schema_of(mapping), _name(mapping)), names, about)


def problems(conn: psycopg.Connection[Any], plan: LoadedPlan, stage: Stage) -> Iterator[str]:
    """What keeps the view from being made, in words."""
    for mapping in (each for each in stage.mappings if each.name_schema is not None):
        values = {"plan": plan.name, "stage": stage.stage, "action": _action_id(mapping)}
        if conn.execute(queries.load("action_known.sql"), values).fetchone() is not None:
            continue
        if never(schema_of(mapping)):
            yield f"takes_name: schema {schema_of(mapping)} is Changeover's or PostgreSQL's own"
        elif conn.execute(_FREE, (view_of(mapping),)).fetchone() != (True,):
            yield f"takes_name: {label_of(mapping)} is there already, and this plan has not made it"


def taken(mapping: Mapping) -> tuple[str, ...]:
    """The statements by which the new table takes the name, when the old one is gone."""
    target = sql_name(parts_of(mapping.target))
    return f"DROP VIEW {view_of(mapping)}", f"ALTER TABLE {target} RENAME TO {quote(_name(mapping))}"
