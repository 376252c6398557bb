"""Who else may put objects where the plan's SQL looks for names.

Functions and operators are chosen by the types of their arguments among all that the search path reaches: one in a
later schema that fits better than PostgreSQL's own is taken. So whoever may create objects in such a schema has code of
his own run with the rights of the plan's role: by its mirrors, its batches, its expand files. The path cannot be
narrowed to PostgreSQL's own schema, because the application's triggers and defaults run under it as well. What can be
had is that nobody else may create there, which is what PostgreSQL advises for every database.

In reach are the search path of the session, the schemas of the plan's tables, those under its key `search_path`, and
ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import class_row

from orchestrator.engine import queries
from orchestrator.kernel.identifiers import quote, unquoted

if TYPE_CHECKING:
    import psycopg

    from orchestrator.plan.model import Plan

_OURS: Final = frozenset({"changeover", "compat", "archive"})


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who may create objects in a schema; `who` is quoted as SQL has it."""

    schema: str
    who: str
    by: str
    """`grant`, `owner` of the schema, or `database`: he may create the schema itself."""

    @property
    def words(self) -> str:
        """What is wrong."""
        who = "every role" if self.who == "PUBLIC" else f"role {self.who}"
        if self.by == "database":
            return f"{who} may create schema {self.schema}, which the search path names and which is not there"
        owns = ", which owns it," if self.by == "owner" else ""
        return f"{who}{owns} may create objects in schema {self.schema}, where the plan's SQL looks for names"

    @property
    def todo(self) -> str:
        """The statement that ends it."""
        if self.by == "owner":
            return f"ALTER SCHEMA {quote(self.schema)} OWNER TO the role that migrates, or to an administrator."
        if self.by == "database":
            return f"REVOKE CREATE ON DATABASE … FROM {self.who}, or CREATE SCHEMA {quote(self.schema)}."
        return f"REVOKE CREATE ON SCHEMA {quote(self.schema)} FROM {self.who}."


def strangers(conn: psycopg.Connection[Any], plan: Plan | None) -> list[Stranger]:
    """Everybody else who may create objects in reach of a plan; without one, in reach of this session."""
    row = conn.execute("SELECT current_setting('search_path'), current_user").fetchone()
    assert row is not None  # noqa: S101 - the statement gives its row
    setting, user = row
    names = (unquoted(part.strip()) for part in setting.split(","))
    path = {user if name == "$user" else name for name in names if name and not name.startswith("pg_")}
    reached = path | _OURS | (frozenset() if plan is None else plan.reach)
    cursor = conn.cursor(row_factory=class_row(Stranger))
    text = queries.load("strangers.sql")
    return cursor.execute(text, {"names": sorted(reached), "path": sorted(path)}).fetchall()


def complaints(conn: psycopg.Connection[Any], plan: Plan) -> list[str]:
    """The same in words, each with what to do."""
    return [f"{each.words}; {each.todo.rstrip('.')}" for each in strangers(conn, plan)]
