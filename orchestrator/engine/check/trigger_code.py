"""Code of others on a table: a trigger runs with the rights of who writes the table, and a mirror writes as its owner.

An application's trigger on an old table ran with the application's rights. From dual-write on it also runs when the new
side is written, with the rights of the tables' owner. So whoever owns its function would have these rights: that is
refused. Whoever may put a trigger there (the right TRIGGER, which GRANT ALL gives) could have them: that is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.engine import queries

if TYPE_CHECKING:
    import psycopg

    from orchestrator.mapping.catalog import Table


def problems(conn: psycopg.Connection[Any], table: Table) -> list[str]:
    """The triggers there whose function is somebody else's."""
    return [
        f"trigger {trigger} calls {function}, which role {who} can change: on what the mirror writes it would run with "
        f"the rights of the table's owner. ALTER FUNCTION {function} OWNER TO that role, make it SECURITY DEFINER, or "
        "drop the trigger"
        for trigger, function, who in _found(conn, table)
        if trigger is not None
    ]


def notes(conn: psycopg.Connection[Any], table: Table) -> list[str]:
    """Who may put more of them there."""
    who = [who for trigger, _, who in _found(conn, table) if trigger is None]
    if not who:
        return []
    named = ", ".join(who)
    words = f"{named} may put triggers on {table.label}, which run with the rights of its owner when a mirror writes"
    return [f"{words}: REVOKE TRIGGER ON {table.sql} FROM {named}"]


def _found(conn: psycopg.Connection[Any], table: Table) -> list[tuple[str | None, str | None, str]]:
    values = {"oids": [table.oid]}
    return [(row[1], row[2], row[3]) for row in conn.execute(queries.load("trigger_code.sql"), values).fetchall()]
