"""Statements of a plan's files as actions: each with its probe, its lock and its inverse.

The head of a statement is read only far enough to know the object: its probe is a catalog query, its inverse the DROP
of exactly that object. Names are folded as the server does, so the probe finds what the statement makes. What else an
expand file may hold stands in `forms`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqlcursor import Cursor, sql_name
from orchestrator.kernel.sqllexer import without_comments
from orchestrator.mapping.sqltext import literal
from phases.actions import DROP_INDEX, Action
from phases.errors import StatementError
from phases.forms import known, made

if TYPE_CHECKING:
    from orchestrator.kernel.sqlcursor import Name

_PUBLIC: Final = "public"
_SHOWN: Final = 80


def ddl(place: str, statement: str) -> Action:
    """An action of one statement of a plan's file; without an inverse where no way back is known."""
    action = _index_in_expand(statement) or known(statement)
    if action is None:
        return Action(id=place, statement=statement, lock="as the statement takes", doc=_shown(statement))
    return replace(action, id=action.id or place, doc=place)


def within(place: str, statement: str) -> str:
    """The statement, unless it begins or ends a transaction: it runs in ours, which a trial takes back."""
    head = Cursor(statement)
    if head.takes("set"):
        head.takes_one_of("local", "session")
        about = head.takes("transaction") or head.takes("characteristics")
    else:
        about = bool(head.takes_one_of("begin", "commit", "end", "rollback", "abort", "savepoint", "release")) or (
            head.takes("start", "transaction") or head.takes("prepare", "transaction")
        )
    if about:
        raise StatementError(place, "where a transaction begins and ends is not for the plan to say", _shown(statement))
    return statement


# -- indexes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class IndexHead:
    """CREATE INDEX, read."""

    unique: bool
    name: str
    table: Name
    only: bool
    rest: str
    """From USING or the columns on, as it is written."""
    unless_there: bool = False
    """IF NOT EXISTS: an index of that name that is there already stays."""

    @property
    def full(self) -> str:
        """The index with its schema, which is that of its table."""
        return sql_name([*(self.table[:-1] or (_PUBLIC,)), self.name])

    def on(self, table: str, name: str) -> str:
        """The same index under this name on a table, built without holding up its writers."""
        unique, only = "UNIQUE " if self.unique else "", "ONLY " if self.only else ""
        return f"CREATE {unique}INDEX CONCURRENTLY {name} ON {only}{table} {self.rest}"

    def twin(self, table: str, name: str) -> str:
        """The same index on an empty table of our own."""
        return f"CREATE {'UNIQUE ' if self.unique else ''}INDEX {name} ON {table} {self.rest}"


def index_head(place: str, statement: str) -> IndexHead:
    """Read CREATE INDEX name ON table; anything else raises StatementError."""
    head = _index_head(statement)
    if head is None:
        raise StatementError(place, "an index file holds CREATE INDEX name ON table statements only", _shown(statement))
    return head


def _index_head(statement: str) -> IndexHead | None:
    head = Cursor(statement)
    head.takes("create")
    unique = head.takes("unique")
    if head.takes("index") and head.skips("concurrently"):
        unless_there = head.takes("if", "not", "exists")
        name = head.name()
        if len(name) == 1 and head.takes("on"):
            only, table = head.takes("only"), head.name()
            if table:
                return IndexHead(unique, name[0], table, only, head.rest(), unless_there)
    return None


def index(place: str, statement: str) -> Action:
    """CREATE INDEX, made CONCURRENTLY; an invalid index of that name is our own broken attempt."""
    head = index_head(place, statement)
    return Action(
        id=f"index {_label(head.table[:-1] or (_PUBLIC,))}.{head.name}",
        statement=head.on(sql_name(head.table), sql_name([head.name])),
        inverse=f"{DROP_INDEX}{head.full}",
        index=head.full,
        probe=(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_index "
            f"WHERE indexrelid = to_regclass({literal(head.full)}) AND indisvalid)"
        ),
        lock="SHARE UPDATE EXCLUSIVE",
        transactional=False,
        patient=True,
        doc=f"index on {_label(head.table)}",
        head=head if head.unique else None,
        unless_there=head.unless_there,
    )


def _index_in_expand(statement: str) -> Action | None:
    """CREATE INDEX in an expand file: its table is new, and nobody waits for it."""
    head = _index_head(statement)
    if head is None:
        return None
    return Action(
        id=f"index {_label(head.table[:-1] or (_PUBLIC,))}.{head.name}",
        statement=statement,
        inverse=f"DROP INDEX IF EXISTS {head.full}",
        probe=f"SELECT to_regclass({literal(head.full)}) IS NOT NULL",
        lock="SHARE on the table",
        own=(made("relation", head.table),),
    )


def twin_of(statement: str, table: str, name: str) -> tuple[str, str]:
    """The table that a CREATE INDEX is on, and the same index on another table."""
    head = index_head(name, statement)
    return sql_name(head.table), head.twin(table, name)


# -- keys ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyHead:
    """ALTER TABLE … ADD CONSTRAINT, read."""

    table: Name
    name: str
    parent: Name
    """The table it refers to; () if it refers to none."""
    body: str
    """What is behind the name, up to the parent; the rest stands in `tail`."""
    tail: str
    not_valid: bool

    def on(self, table: str, parent: str) -> str:
        """The same constraint on other tables."""
        refers = f"{parent} " if self.parent else ""
        return f"ALTER TABLE {table} ADD CONSTRAINT {sql_name([self.name])} {self.body} {refers}{self.tail}".strip()


def key_head(place: str, statement: str) -> KeyHead:
    """Read one statement of a key file."""
    text = without_comments(statement)
    head = Cursor(text)
    if head.takes("alter", "table") and head.skips("if", "exists") and head.skips("only"):
        table = head.name()
        if table and head.takes("add", "constraint"):
            name = head.name()
            if len(name) == 1 and not head.at_end:
                begins = head.here.start
                if not head.seek("references"):
                    return KeyHead(table, name[0], (), text[begins:], "", head.seek("not", "valid"))
                body = text[begins : head.found[head.place - 1].end]
                parent, tail = head.name(), head.rest()
                return KeyHead(table, name[0], parent, body, tail, head.seek("not", "valid"))
    raise StatementError(
        place, "a key file holds ALTER TABLE … ADD CONSTRAINT name … statements only", _shown(statement)
    )


def parent_of(statement: str) -> Name:
    """The table that a statement of a key file refers to; () if it refers to none."""
    head = Cursor(statement)
    return head.name() if head.seek("references") else ()


def foreign_key(place: str, statement: str) -> tuple[Action, Action]:
    """A foreign key: added NOT VALID (a short lock), then validated (no lock that anybody feels).

    PostgreSQL locks the table first and then the one it refers to, and every writer the other way round: the parent's
    row, then what hangs on it. Under steady writes that circle would never open, so the parent is locked first.
    """
    head = key_head(place, statement)
    table, name = sql_name(head.table), sql_name([head.name])
    known = (
        f"SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conname = {literal(head.name)} "
        f"AND conrelid = to_regclass({literal(table)})"
    )
    parent = sql_name(head.parent)

    def first(mode: str) -> str:
        if not parent:
            return ""
        there = f"to_regclass({literal(parent)}) IS NOT NULL"
        lock = f"LOCK TABLE {parent} IN {mode} MODE"
        return f"DO $changeover$ BEGIN IF {there} THEN {lock}; END IF; END $changeover$;\n"

    label = f"{_label(head.table)}.{head.name}"
    add = Action(
        id=f"constraint {label}",
        statement=f"{first('SHARE ROW EXCLUSIVE')}{head.on(table, parent)}{'' if head.not_valid else ' NOT VALID'}",
        inverse=f"{first('ACCESS EXCLUSIVE')}ALTER TABLE IF EXISTS {table} DROP CONSTRAINT IF EXISTS {name}",
        probe=f"{known})",
        lock="SHARE ROW EXCLUSIVE on both tables",
        doc="new rows are checked from here on",
        head=head,
    )
    validate = Action(
        id=f"validate {label}",
        statement=f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}",
        probe=f"{known} AND convalidated)",
        lock="SHARE UPDATE EXCLUSIVE",
        patient=True,
        validates=True,
        adds=add.id,
        doc="the rows that were there are checked",
        head=head,
    )
    return add, validate


def _label(parts: Name) -> str:
    return ".".join(parts)


def _shown(statement: str) -> str:
    return " ".join(without_comments(statement).split())[:_SHOWN]
