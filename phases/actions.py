"""An action: one idempotent statement of a phase, with all that is needed to run, repeat and undo it.

``ddl`` makes actions of the statements in a plan's files. It reads the head of a statement only far
enough to know the object: its probe is a catalog query, its inverse the DROP of exactly that object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping.sqltext import literal
from phases.errors import StatementError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.mapping.objects import DbObject

_NAME = r'((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?)'
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)

_TRANSACTION = re.compile(
    r"(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE TRANSACTION|"
    r"SET (LOCAL |SESSION )?TRANSACTION|SET SESSION CHARACTERISTICS)\b",
    re.IGNORECASE,
)
_DROP_INDEX = "DROP INDEX CONCURRENTLY IF EXISTS "

MADE_BY_US = "Made by Changeover"
"""The comment on schemas of our own: such a one is dropped when it is empty, any other never."""


@dataclass(frozen=True)
class Action:
    """One statement.

    ``probe`` answers whether it is done already (an empty probe: only the ledger knows). ``patient``
    statements may wait for their lock long, because nobody queues behind them. ``record`` is what the
    ledger keeps instead of the statement where that is compiled from the live catalog.
    """

    id: str
    statement: str
    inverse: str = ""
    probe: str = ""
    lock: str = ""
    transactional: bool = True
    patient: bool = False
    doc: str = ""
    record: str = ""
    ours: bool = False
    index: str = ""
    """The full name of the index it makes."""
    validates: bool = False
    """Whether it checks rows that a mirror may still have to mend."""


@dataclass(frozen=True)
class Step:
    """Work that is more than a statement: copy, compare, archive. The engine has one runner for each."""

    id: str
    kind: str
    doc: str = ""
    subject: int = 0


def own_schema(name: str, *, usable: bool = False) -> str:
    """The statement that makes a schema of ours, unless there is one of that name."""
    quoted = quote(name)
    usage = f" GRANT USAGE ON SCHEMA {quoted} TO PUBLIC;" if usable else ""
    return (
        f"DO $changeover$ BEGIN IF to_regnamespace({literal(quoted)}) IS NULL THEN CREATE SCHEMA {quoted};"
        f"{usage} COMMENT ON SCHEMA {quoted} IS {literal(MADE_BY_US)}; END IF; END $changeover$"
    )


def made(obj: DbObject) -> Action:
    """The action that makes a compiled object."""
    concurrent = "CONCURRENTLY" in obj.create[:60]
    return Action(
        id=obj.id,
        statement=_again(obj),
        inverse=obj.drop,
        probe="" if obj.id.startswith(("function", "view")) else _intact(obj),
        lock=obj.lock,
        transactional=not concurrent,
        patient=concurrent,
        doc=obj.doc,
        record=f"-- {obj.id}: compiled from the plan and the catalog",
        ours=True,
        index=obj.drop.removeprefix(_DROP_INDEX) if concurrent else "",
    )


def grouped(group: str, objects: list[DbObject], doc: str) -> Action:
    """One action that makes several compiled objects in one transaction."""
    return Action(
        id=group,
        statement=";\n\n".join(_again(o) for o in objects),
        inverse=";\n".join(o.drop for o in reversed(objects)),
        probe=_all(objects),
        lock="none",
        doc=doc,
        record=f"-- {group}: {len(objects)} objects compiled from the plan and the catalog",
        ours=True,
    )


def mirrors(triggers: Sequence[DbObject]) -> list[Action]:
    """The actions that put triggers on: those of one mirror on one table in one transaction.

    One after the other would leave a moment in which an insert is mirrored and the delete of that row is not.
    """
    together: dict[tuple[str, str], list[DbObject]] = {}
    for each in triggers:
        name, _, table = each.id.partition(" on ")
        together.setdefault((name.rpartition("_")[0].removeprefix("trigger "), table), []).append(each)
    return [
        Action(
            id=f"triggers {mirror} on {table}",
            statement=";\n".join(_again(t) for t in made),
            inverse=";\n".join(t.drop for t in reversed(made)),
            probe=_all(made),
            lock=made[0].lock,
            doc=", ".join(t.doc for t in made),
            record=f"-- triggers {mirror}: {len(made)} compiled from the plan and the catalog",
            ours=True,
        )
        for (mirror, table), made in together.items()
    ]


def _all(objects: Sequence[DbObject]) -> str:
    """The probe of several objects: each is there, no function has another body, no trigger is disabled."""
    return " AND ".join(["SELECT true", *(f"({_intact(each)})" for each in objects)])


def _again(obj: DbObject) -> str:
    """The statement, so that it may be repeated where half of what it made is gone."""
    if not obj.id.startswith("trigger "):
        return obj.create
    return re.sub(r"^CREATE TRIGGER ", "CREATE OR REPLACE TRIGGER ", obj.create, flags=re.MULTILINE)


def _intact(obj: DbObject) -> str:
    body = re.search(r"\bAS\s+(\$\w*\$)(.*)\1", obj.create, re.DOTALL) if obj.id.startswith("function ") else None
    if body is not None:
        signature = obj.drop.removeprefix("DROP FUNCTION IF EXISTS ")
        return (
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc "
            f"WHERE oid = to_regprocedure({literal(signature)}) AND prosrc = {literal(body.group(2))})"
        )
    # A view of that name need not be there yet, and then nothing hangs on it.
    if obj.id.startswith("trigger ") and "INSTEAD OF" in obj.create:
        return obj.exists.replace("::regclass", ")").replace("tgrelid = ", "tgrelid = to_regclass(")
    return obj.exists.replace("WHERE tgname", "WHERE tgenabled <> 'D' AND tgname")


def ddl(place: str, statement: str) -> Action:
    """An action of one statement of a plan's file."""
    head = " ".join(_COMMENT.sub(" ", statement).split())
    for form in _FORMS:
        match = re.match(form.head, head, re.IGNORECASE)
        if match:
            return form.action(place, statement, match)
    return Action(id=place, statement=statement, lock="as the statement takes", doc=head[:80])


def within(place: str, statement: str) -> str:
    """The statement, unless it begins or ends a transaction: it runs in ours, which a trial takes back."""
    head = " ".join(_COMMENT.sub(" ", statement).split())
    if _TRANSACTION.match(head):
        raise StatementError(place, "where a transaction begins and ends is not for the plan to say", head[:80])
    return statement


def index(place: str, statement: str) -> Action:
    """CREATE INDEX, made CONCURRENTLY; an invalid index of that name is our own broken attempt."""
    head = " ".join(_COMMENT.sub(" ", statement).split())
    match = re.match(
        rf"CREATE (UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?{_NAME} ON (?:ONLY )?{_NAME}",
        head,
        re.IGNORECASE,
    )
    if match is None:
        raise StatementError(place, "an index file holds CREATE INDEX name ON table statements only", head)
    unique, name, table = match.group(1) or "", match.group(2), match.group(3)
    full = _beside(table, name)
    text = re.sub(
        r"CREATE\s+(UNIQUE\s+)?INDEX\s+(CONCURRENTLY\s+)?(IF\s+NOT\s+EXISTS\s+)?",
        f"CREATE {unique}INDEX CONCURRENTLY ",
        _COMMENT.sub(" ", statement).strip(),
        count=1,
        flags=re.IGNORECASE,
    )
    return Action(
        id=f"index {full}",
        statement=text,
        inverse=f"{_DROP_INDEX}{full}",
        index=full,
        probe=(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_index "
            f"WHERE indexrelid = to_regclass({literal(full)}) AND indisvalid)"
        ),
        lock="SHARE UPDATE EXCLUSIVE",
        transactional=False,
        patient=True,
        doc=f"index on {table}",
    )


def twin_of(statement: str, table: str, name: str) -> tuple[str, str]:
    """The table that a CREATE INDEX CONCURRENTLY is on, and the same index on another table."""
    match = re.match(
        rf"\s*CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+{_NAME}\s+ON\s+(?:ONLY\s+)?{_NAME}", statement, re.IGNORECASE
    )
    if match is None:
        raise StatementError(name, "this is not CREATE INDEX CONCURRENTLY name ON table", statement[:80])
    return match.group(3), f"CREATE {match.group(1) or ''}INDEX {name} ON {table}{statement[match.end() :]}"


def parent_of(statement: str) -> str | None:
    """The table that a statement of a key file refers to, as it stands there."""
    found = re.search(rf"\bREFERENCES\s+(?:ONLY\s+)?{_NAME}", _COMMENT.sub(" ", statement), re.IGNORECASE)
    return None if found is None else found.group(1)


def tables_of(place: str, statement: str) -> tuple[str, str | None]:
    """The table of a statement of a key file, and the one that it refers to."""
    return _key(place, _COMMENT.sub(" ", statement).strip())[0], parent_of(statement)


def key_on(statement: str, table: str, parent: str) -> str:
    """The same constraint on other tables."""
    text = _COMMENT.sub(" ", statement).strip()
    text = re.sub(rf"\bREFERENCES\s+(?:ONLY\s+)?{_NAME}", lambda _: f"REFERENCES {parent}", text, flags=re.IGNORECASE)
    head = rf"ALTER\s+TABLE\s+(?:ONLY\s+)?{_NAME}"
    return re.sub(head, lambda _: f"ALTER TABLE {table}", text, count=1, flags=re.IGNORECASE)


def _key(place: str, text: str) -> tuple[str, str]:
    """The table and the name of a constraint."""
    match = re.match(rf"ALTER TABLE (?:ONLY )?{_NAME} ADD CONSTRAINT {_NAME} ", " ".join(text.split()), re.IGNORECASE)
    if match is None:
        raise StatementError(place, "a key file holds ALTER TABLE … ADD CONSTRAINT name … statements only", text[:80])
    return match.group(1), match.group(2)


def foreign_key(place: str, statement: str) -> tuple[Action, Action]:
    """A foreign key: added NOT VALID (a short lock), then validated (no lock that anybody feels).

    PostgreSQL locks the table first and then the one it refers to, and every writer the other way round: the parent's
    row, then what hangs on it. Under steady writes that circle would never open, so the parent is locked first.
    """
    text = _COMMENT.sub(" ", statement).strip()
    table, name = _key(place, text)
    plain = name.strip('"').replace('""', '"')
    known = (
        f"SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conname = {literal(plain)} "
        f"AND conrelid = to_regclass({literal(table)})"
    )
    parent = parent_of(text)

    def first(mode: str) -> str:
        if parent is None:
            return ""
        there = f"to_regclass({literal(parent)}) IS NOT NULL"
        lock = f"LOCK TABLE {parent} IN {mode} MODE"
        return f"DO $changeover$ BEGIN IF {there} THEN {lock}; END IF; END $changeover$;\n"

    suffix = "" if re.search(r"NOT\s+VALID\s*$", text, re.IGNORECASE) else " NOT VALID"
    add = Action(
        id=f"constraint {table}.{plain}",
        statement=f"{first('SHARE ROW EXCLUSIVE')}{text}{suffix}",
        inverse=f"{first('ACCESS EXCLUSIVE')}ALTER TABLE IF EXISTS {table} DROP CONSTRAINT IF EXISTS {name}",
        probe=f"{known})",
        lock="SHARE ROW EXCLUSIVE on both tables",
        doc="new rows are checked from here on",
    )
    validate = Action(
        id=f"validate {table}.{plain}",
        statement=f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}",
        probe=f"{known} AND convalidated)",
        lock="SHARE UPDATE EXCLUSIVE",
        patient=True,
        validates=True,
        doc="the rows that were there are checked",
    )
    return add, validate


def _beside(table: str, name: str) -> str:
    schema = table.rpartition(".")[0] or "public"
    return name if "." in name else f"{schema}.{name}"


@dataclass(frozen=True)
class _Form:
    """A statement that makes an object: how its head reads, what finds and what removes the object."""

    head: str
    noun: str
    finder: str
    lock: str

    def action(self, place: str, statement: str, match: re.Match[str]) -> Action:
        """The action of a statement of this form."""
        name = match.group(1) if self.noun != "INDEX" else _beside(match.group(2), match.group(1))
        return Action(
            id=f"{self.noun.lower()} {name}",
            statement=statement,
            inverse=f"DROP {self.noun} IF EXISTS {name}",
            probe=f"SELECT {self.finder}({literal(name)}) IS NOT NULL",
            lock=self.lock,
            doc=place,
        )


_FORMS = (
    _Form(rf"CREATE TABLE (?:IF NOT EXISTS )?{_NAME}", "TABLE", "to_regclass", "none (a new table)"),
    _Form(
        rf"CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?{_NAME} ON (?:ONLY )?{_NAME}",
        "INDEX",
        "to_regclass",
        "SHARE on the table",
    ),
    _Form(
        rf"CREATE MATERIALIZED VIEW (?:IF NOT EXISTS )?{_NAME}",
        "MATERIALIZED VIEW",
        "to_regclass",
        "ACCESS SHARE on what it reads",
    ),
    _Form(rf"CREATE TYPE {_NAME}", "TYPE", "to_regtype", "none (a new type)"),
    _Form(rf"CREATE SEQUENCE (?:IF NOT EXISTS )?{_NAME}", "SEQUENCE", "to_regclass", "none (a new sequence)"),
    _Form(rf"CREATE SCHEMA (?:IF NOT EXISTS )?{_NAME}", "SCHEMA", "to_regnamespace", "none (a new schema)"),
)
