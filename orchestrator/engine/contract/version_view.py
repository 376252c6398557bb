"""A view for one version of the application, in a schema that this version puts first in its search path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.engine.contract import renaming
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.mapping.sqltext import literal
from phases.actions import Action, own_schema

if TYPE_CHECKING:
    import psycopg

    from orchestrator.mapping.catalog import Table


@dataclass(frozen=True, slots=True)
class About:
    """What is special of such a view."""

    id: str
    key: str
    """The plan's key that asks for it."""
    doc: str
    told: str
    """What `plan check` says of it."""
    tried_apart: bool = False


def action(
    conn: psycopg.Connection[Any], table: Table, name: tuple[str, str], names: dict[str, str], about: About
) -> Action:
    """The action that makes the view `name` of a table; `names` leads from its columns to those of the view.

    Raises RefusedError where the view would show rows that row-level security hides.
    """
    if table.row_security and not renaming.acts_as_asker(conn, table):
        raise RefusedError(
            f"{table.label} has row-level security, and a view of it would show every row to who may ask it: "
            "only from PostgreSQL 15 on, and without rights on single columns, the role that asks is judged.",
            kept="Nothing was changed by this step.",
            todo=f"Take `{about.key}` out of the plan, or the row-level security off the table.",
        )
    view = sql_name(name)
    made = renaming.view(conn, table, view, table.sql, names)
    return Action(
        id=about.id,
        statement=";\n".join([own_schema(name[0], usable=True), *made]),
        inverse=f"DROP VIEW {view}",
        probe=f"SELECT to_regclass({literal(view)}) IS NOT NULL",
        lock="none",
        doc=about.doc,
        record=f"-- {about.id}: compiled from the plan and the catalog",
        told=about.told,
        tried_apart=about.tried_apart,
    )
