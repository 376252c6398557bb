"""Columns of a table in use go: what is in them goes to schema archive, with the key of each row.

That is when new columns are taken back, and when `retire` drops old ones.

The application writes while the columns are copied. So there is a trigger first: it writes every change of the
columns to a log, which nobody ever waits for. Then the columns are copied in one snapshot. The statement that drops the
columns drops the trigger too (`phases.alter`), in one short transaction. At last the log is laid over the copy: the
last word on a key counts. A copy without rows goes; one with rows is named to the operator.

Copy and log are in schema changeover, under names that tell the table, until they are done. So whatever a kill leaves
is found again: with the columns still there all begins anew, without them the log is laid over the copy.
A table without a key gives its rows whole, and each version of a row that is written meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine import queries
from orchestrator.kernel import failpoints
from orchestrator.kernel.identifiers import bounded, qualified, quote
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.kernel.sqltokens import table_name
from orchestrator.kernel.words import counted
from orchestrator.ledger import actions as ledger_actions
from orchestrator.ledger import leases
from orchestrator.ledger.store import About
from orchestrator.mapping import catalog
from orchestrator.mapping.sqltext import fill, literal
from phases.actions import own_schema
from phases.alter import added_id, archive_trigger
from phases.alter_spec import Alter, column
from phases.contract import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from orchestrator.engine.session import Session
    from orchestrator.ledger.actions import Action as Recorded
    from orchestrator.mapping.catalog import Table
    from orchestrator.plan.model import Stage

_KEPT: Final = failpoints.declare("engine.columns.kept", "columns are copied; they are not dropped yet")
_FILE: Final = "columns_{}.sql"


@dataclass(frozen=True)
class Columns:
    """Columns of one table that are about to go."""

    alter: Alter
    names: tuple[str, ...]
    used: str
    """The condition that a row says something in one of them."""

    @property
    def sql(self) -> str:
        """The table in SQL."""
        return self.alter.sql

    @property
    def label(self) -> str:
        """The table as messages have it."""
        return self.alter.label

    @property
    def trigger(self) -> str:
        """The trigger that keeps what is written meanwhile; who drops the columns drops it."""
        return archive_trigger(self.alter)


def added(alter: Alter) -> Columns:
    """The columns that a stage has added: a row says something where it differs from the default.

    A default like ``now()`` gives another value each time; what it gave the rows that were there, the server remembers.
    """
    given = (
        "(SELECT (a.attmissingval::text::text[])[1] FROM pg_catalog.pg_attribute a "
        f"WHERE a.attrelid = {literal(alter.sql)}::regclass AND a.attname = "
    )
    used = " OR ".join(
        f"({quote(column(name))} IS DISTINCT FROM ({new.default}) AND ({quote(column(name))} IS NULL "
        f"OR {quote(column(name))}::text IS DISTINCT FROM {given}{literal(column(name))})))"
        if new.default is not None
        else f"{quote(column(name))} IS NOT NULL"
        for name, new in alter.add.items()
    )
    return Columns(alter, tuple(column(each) for each in alter.add), used)


def dropped(stages: Sequence[Stage]) -> Iterator[tuple[Stage, Columns]]:
    """The columns that are dropped at retire, those of a table together, with the first stage that says so."""
    found: dict[str, tuple[Stage, dict[str, None]]] = {}
    for stage in stages:
        named = [(alter.sql, [column(each) for each in alter.drop]) for alter in stage.alter]
        named += [(sql_name(table_name(mapping.target)), mapping.old_columns or []) for mapping in stage.mappings]
        for table, names in named:
            if names:
                found.setdefault(table, (stage, {}))[1].update(dict.fromkeys(names))
    for table, (stage, together) in found.items():
        used = " OR ".join(f"{quote(name)} IS NOT NULL" for name in together)
        yield stage, Columns(Alter(table=table, drop=[quote(name) for name in together]), tuple(together), used)


def before(session: Session, stage: Stage, action: Recorded) -> None:
    """Before an action is taken back: if it has added columns, copy what is in them."""
    for alter in _added_apart(stage):
        if added_id(alter) == action.action_id and action.inverse:
            keep(session, added(alter))


def keep(session: Session, columns: Columns) -> None:
    """Copy what is in the columns, and log what is written from now on."""
    oid = catalog.find(session.conn, columns.sql)
    table = None if oid is None else catalog.read_table(session.conn, oid)
    if table is None or not set(columns.names) <= table.by_name.keys():
        return
    session.bounded(_filled("keep", columns, table).encode(), within=partial(_fence, session))
    with session.conn.transaction():
        session.conn.execute(_filled("copy", columns, table).encode())
        _fence(session)
    failpoints.failpoint(_KEPT)


def after(session: Session, stage: Stage, action: Recorded) -> None:
    """After it: finish the copy."""
    for alter in _added_apart(stage):
        if added_id(alter) == action.action_id and action.inverse:
            finish(session, stage, added(alter))


def _added_apart(stage: Stage) -> list[Alter]:
    return [part for alter in stage.alter for part in alter.added_apart]


def finish_all(session: Session, stage: Stage) -> None:
    """What a kill has left."""
    for alter in _added_apart(stage):
        which = ledger_actions.Which(stage.stage, "expand", added_id(alter))
        found = ledger_actions.get(session.ledger, session.run, which)
        if found is not None and found.state == "undone":
            finish(session, stage, added(alter))


def finish(session: Session, stage: Stage, columns: Columns) -> None:
    """Lay the log over the copy; name the copy, or drop it where it is empty."""
    copy, log = _names(columns.alter)
    there = session.conn.execute("SELECT to_regclass(%s), to_regclass(%s)", (copy, log)).fetchone()
    if there is None or there[0] is None or there[1] is None:
        return
    rows, place = _laid_over(session, columns)
    session.bounded(f"DROP FUNCTION IF EXISTS {_function(columns.alter)}()".encode())
    if place is None:
        return
    what = {"table": columns.label, "columns": ", ".join(columns.names), "archived": place}
    session.ledger.event("columns.archived", About(session.plan.name, stage.stage, "expand"), rows=rows, **what)
    session.bus.emit("columns.archived", stage=stage.stage, rows=rows, words=counted(rows, "row"), **what)


def _laid_over(session: Session, columns: Columns) -> tuple[int, str | None]:
    """In one transaction; gives the rows and where they are, None where there are none."""
    alter = columns.alter
    copy, log = _names(alter)
    conn = session.conn
    with conn.transaction():
        _fence(session)
        found = catalog.read_table(conn, _oid(conn, copy))
        key = _recorded_key(conn, found.oid)
        values = {
            "copy": copy,
            "log": log,
            "key": ", ".join(map(quote, key)) or "NULL",
            "columns": ", ".join(quote(c.name) for c in found.columns),
            "same": " AND ".join(f"c.{quote(k)} = l.{quote(k)}" for k in key) or "false",
            "last": ", ".join(map(quote, key)) or '"changeover n"',
            "used": columns.used,
        }
        conn.execute(_sql("lay", values).encode())
        row = conn.execute(f"SELECT count(*) FROM {copy}".encode()).fetchone()
        rows = 0 if row is None else int(row[0])
        if not rows:
            conn.execute(f"DROP TABLE {copy}".encode())
            return 0, None
        conn.execute(own_schema(ARCHIVE).encode())
        name = _free_name(conn, bounded(alter.parts[-1], "columns", f"run{session.run.id}"))
        conn.execute(f"ALTER TABLE {copy} RENAME TO {quote(name)}".encode())
        conn.execute(f"ALTER TABLE {qualified('changeover', name)} SET SCHEMA {quote(ARCHIVE)}".encode())
        words = f"Columns of {alter.label} that run {session.run.id} of plan {session.plan.name} has dropped"
        conn.execute(f"COMMENT ON TABLE {qualified(ARCHIVE, name)} IS {literal(words)}".encode())
    return rows, f"{ARCHIVE}.{name}"


def _fence(session: Session, _conn: psycopg.Connection[Any] | None = None) -> None:
    """A runner that has lost its lease commits nothing."""
    leases.fence(session.conn, session.plan.name, session.epoch)


def _free_name(conn: psycopg.Connection[Any], name: str) -> str:
    number, found = 1, name
    while conn.execute("SELECT to_regclass(%s)", (qualified(ARCHIVE, found),)).fetchone() != (None,):
        number += 1
        found = bounded(name, str(number))
    return found


def _filled(verb: str, columns: Columns, table: Table) -> str:
    alter = columns.alter
    kept = [*_key(table, columns.names), *columns.names]
    copy, log = _names(alter)
    values = {
        "table": table.sql,
        "copy": copy,
        "log": log,
        "columns": ", ".join(map(quote, kept)),
        "new": ", ".join(f"NEW.{quote(each)}" for each in kept),
        "old": ", ".join(f"OLD.{quote(each)}" for each in kept),
        "used": columns.used,
        "function": _function(alter),
        "trigger": quote(archive_trigger(alter)),
        "is_key": literal("key " + "\n".join(table.primary_key or ()) if _has_key(table) else "whole"),
    }
    return _sql(verb, values)


def _sql(verb: str, values: dict[str, str]) -> str:
    text = queries.load(_FILE.format(verb))
    wanted = {name: value for name, value in values.items() if f":{name}:" in text}
    return fill(text, _FILE.format(verb), **wanted)


def _has_key(table: Table) -> bool:
    return bool(table.primary_key)


def _key(table: Table, names: tuple[str, ...]) -> list[str]:
    """The primary key; all other columns where there is none."""
    return list(table.primary_key) or [c.name for c in table.columns if c.name not in names]


def _recorded_key(conn: psycopg.Connection[Any], oid: int) -> list[str]:
    row = conn.execute("SELECT obj_description(%s, 'pg_class')", (oid,)).fetchone()
    words = "" if row is None or row[0] is None else str(row[0])
    return words.removeprefix("key ").split("\n") if words.startswith("key ") else []


def _names(alter: Alter) -> tuple[str, str]:
    return (
        qualified("changeover", bounded("columns_of", *alter.mark)),
        qualified("changeover", bounded("columns_log_of", *alter.mark)),
    )


def _function(alter: Alter) -> str:
    return qualified("changeover", bounded("columns_kept_of", *alter.mark))


def _oid(conn: psycopg.Connection[Any], name: str) -> int:
    row = conn.execute("SELECT to_regclass(%s)::oid", (name,)).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has a row
    return int(row[0])
