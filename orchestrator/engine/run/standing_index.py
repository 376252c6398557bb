"""The index that exists already under the name of one that the plan makes.

One that is what the plan would build serves as well: it stays the application's, and the way back leaves it.
The server is asked, not the text: the same statement on an empty copy of the table gives the same definition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from orchestrator.engine import queries
from phases.errors import ForeignIndexError
from phases.statements import twin_of

if TYPE_CHECKING:
    from phases.actions import Action


def may_stay(action: Action) -> bool:
    """Whether an index that is there already, just like the one that the action makes, serves in its place."""
    return bool(action.index) and not (action.ours or action.taken_up)


def require_same(conn: psycopg.Connection[Any], action: Action) -> None:
    """Raise ForeignIndexError where a valid index of that name is not what the action builds."""
    table, statement = twin_of(action.statement, "changeover.twin", "changeover_twin")
    with conn.transaction(force_rollback=True):
        conn.execute(f"CREATE TABLE changeover.twin (LIKE {table})".encode())
        conn.execute(statement.encode())
        row = conn.execute(queries.load("same_index.sql"), {"index": action.index, "table": table}).fetchone()
    if row is None or not row[0]:
        raise ForeignIndexError(action.id, "of another table" if row is None else str(row[1]))


def told(conn: psycopg.Connection[Any], action: Action) -> tuple[str, bool] | None:
    """What one should know of the index before the stage begins, and whether it stops the stage; None without one."""
    row = conn.execute(queries.load("index_there.sql"), {"index": action.index}).fetchone()
    if row is None:
        return None
    valid, definition = row
    if definition is None:
        return "and something that is no index has that name", True
    if not valid:
        return "and an index of that name is there that was never built to its end", True
    if not may_stay(action):
        return "which is there already, and this plan has not made it", True
    try:
        require_same(conn, action)
    except (ForeignIndexError, psycopg.errors.ProgrammingError):  # the latter: over what the plan has yet to make
        return f"and another index has that name: {definition}", True
    return "which is there already as the plan has it: it stays, also when the plan is taken back", False
