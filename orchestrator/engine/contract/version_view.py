"""A view for one version of the application, in a schema that this version puts first in its search path.

That of the new version is there from expand on, and its name leads nowhere else; but nobody may write by it before the
mirror is on. What was written then would be told to nobody, and nothing could tell later which side has said the newer
word. So until dual-write a trigger refuses each write, in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.contract import renaming
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.mapping.sqltext import literal
from phases.actions import Action, own_schema

if TYPE_CHECKING:
    import psycopg

    from orchestrator.mapping.catalog import Table

_CLOSED: Final = "changeover_not_yet"


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
    closed: bool = False
    """Whether it is not to be written yet."""


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
    made = [*renaming.view(conn, table, view, table.sql, names)]
    if about.closed:
        made.append(_closing(view))
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


def opened(name: tuple[str, str]) -> Action:
    """The action after which the view may be written."""
    view = sql_name(name)
    oid = f"to_regclass({literal(view)})"
    there = f"SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = {oid} AND tgname = {literal(_CLOSED)}"
    return Action(
        id=f"writes by {'.'.join(name)}",
        statement=f"DROP TRIGGER {_CLOSED} ON {view}",
        inverse=_closing(view),
        probe=f"SELECT {oid} IS NOT NULL AND NOT EXISTS ({there})",
        lock="ACCESS EXCLUSIVE on the view",
        doc="the mirror tells what is written by it",
        tried_apart=True,
    )


def _closing(view: str) -> str:
    events = "INSERT OR UPDATE OR DELETE"
    return f"CREATE TRIGGER {_CLOSED} INSTEAD OF {events} ON {view} FOR EACH ROW EXECUTE FUNCTION changeover.not_yet()"
