"""Code of others that this role would run: where its mirrors write, and behind what they read.

An application's trigger on an old table ran with the application's rights. From dual-write on it also runs when the new
side is written, with the rights of the tables' owner; so do CHECK constraints, defaults and indexes. What is looked up
may be a view, and a column may have a type with a cast of its own: these call their functions for whoever reads. So
whoever can change such a function would have these rights: that is refused. Whoever may put one there (the right
TRIGGER, which GRANT ALL gives; the owner of a looked-up table or of a type) could have them: that is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from orchestrator.engine import queries
from orchestrator.mapping import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.discovery import Found
    from orchestrator.mapping.kinds import Mapping

_RIGHT = "TRIGGER"


@dataclass(frozen=True, slots=True)
class _Found:
    """Something that another role has in its hands; with a function, what calls it."""

    oid: int
    what: str
    function: str | None
    who: str


@dataclass(frozen=True)
class OthersCode:
    """What is known of some tables."""

    problems: tuple[str, ...] = ()
    """Functions of others that would be called."""
    notes: tuple[str, ...] = ()
    """Who may put one there."""

    def __add__(self, other: OthersCode) -> OthersCode:
        """Both, nothing twice: several mappings read one table."""
        problems, notes = ((*mine, *its) for mine, its in ((self.problems, other.problems), (self.notes, other.notes)))
        return OthersCode(tuple(dict.fromkeys(problems)), tuple(dict.fromkeys(notes)))


def around(conn: psycopg.Connection[Any], mapping: Mapping, sources: Iterable[Found]) -> OthersCode:
    """Of a mapping: its old tables, which mirrors write, and what it looks up, which is written only by `create`."""
    written = {source.table.oid: source.table for source in sources}
    read: dict[int, Table] = {}
    for lookup in mapping.lookups.values():
        if (oid := catalog.find(conn, lookup.table)) is not None:
            (read if lookup.create is None else written)[oid] = catalog.read_table(conn, oid)
    cursor = conn.cursor(row_factory=class_row(_Found))
    values = {"written": [*written], "read": [*read]}
    found = cursor.execute(queries.load("others_code.sql"), values).fetchall()
    code = OthersCode()
    for table in (read | written).values():
        code += _told(table, [each for each in found if each.oid == table.oid])
    return code


def _told(table: Table, found: Sequence[_Found]) -> OthersCode:
    problems = tuple(
        f"{each.what} calls {each.function}, which role {each.who} can change: where a mirror writes or reads "
        f"{table.label} it would run with the rights of the plan's role. ALTER FUNCTION {each.function} OWNER TO that "
        "role, make it SECURITY DEFINER, or do without it"
        for each in found
        if each.function is not None
    )
    return OthersCode(problems, tuple(_notes(table, [each for each in found if each.function is None])))


def _notes(table: Table, found: Sequence[_Found]) -> Iterator[str]:
    if who := ", ".join(each.who for each in found if each.what == _RIGHT):
        words = f"{who} may put triggers on {table.label}, which run with the rights of its owner when a mirror writes"
        yield f"{words}: REVOKE TRIGGER ON {table.sql} FROM {who}"
    for each in found:
        if each.what != _RIGHT:
            yield (
                f"{each.who} owns {each.what} and can have code of its own run with the rights of the plan's role: "
                "give it to a role that you trust as much (ALTER … OWNER TO), or let its owner carry out the plan"
            )
