"""Tables that have no old form: a stage has made them, no mapping fills them alone, and the application writes them.

The way back drops such a table, and its rows go to schema `archive` in the same transaction, under the lock that the
drop takes: no row can come between. The copy has rows and columns, and no keys; a value of a type that the way back may
drop is text there; only its owner may read it. Where that cannot be right (row-level security hides rows from the
owner) it stops before anything is taken back, and names the tables. A table that a later stage fills is empty by then:
that stage is taken back first. A table that the plan seeds is kept if it has a row that no
seed and no lookup has made, or that somebody has changed since (`seeded`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from orchestrator.engine import queries
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.kernel.sqltokens import table_label
from orchestrator.kernel.words import counted
from orchestrator.ledger import actions as ledger_actions
from orchestrator.mapping import catalog
from orchestrator.mapping.sqltext import literal
from orchestrator.plan.created import created
from phases.actions import MADE_BY_US
from phases.contract import ARCHIVE
from phases.statements import ddl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import psycopg

    from orchestrator.engine.session import Session
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.model import Stage

_MOST: Final = 100
_LONGEST: Final = 50
OWN_SCHEMA: Final = (
    f"IF to_regnamespace({literal(quote(ARCHIVE))}) IS NULL THEN CREATE SCHEMA {quote(ARCHIVE)}; "
    f"COMMENT ON SCHEMA {quote(ARCHIVE)} IS {literal(MADE_BY_US)}; END IF;"
)
"""In a block: the schema of ours, if it is not there."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A table that is dropped, and where its rows go if it has some."""

    table: tuple[str, str]
    place: tuple[str, str]

    @property
    def statement(self) -> str:
        """What runs in the transaction that drops it."""
        table, place = qualified(*self.table), self.place
        told = f"Rows of {'.'.join(self.table)}, which a rollback has dropped"
        kept = (
            f"IF changeover.rows_beside_seeds({literal(table)}) = 0 THEN RETURN; END IF; "
            f"{OWN_SCHEMA} PERFORM changeover.keep_rows({literal(table)}, {literal(place[0])}, {literal(place[1])}); "
        )
        return keeping(table, self.place, kept, told)

    def rows(self, conn: psycopg.Connection[Any]) -> int:
        """How many rows have gone there."""
        return rows_of(conn, self.place)


def keeping(table: str, place: tuple[str, str], kept: str, told: str) -> str:
    """A block that lets nobody write the table, keeps what it says at a place in our schema, and tells what that is."""
    name = literal(qualified(*place))
    return (
        f"DO $changeover$ BEGIN IF to_regclass({literal(table)}) IS NULL THEN RETURN; END IF; "
        f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; {kept}"
        f"PERFORM changeover.keep_private({name}::pg_catalog.regclass, false); "
        f"COMMENT ON TABLE {qualified(*place)} IS {literal(told)}; END $changeover$;\n"
    )


def rows_of(conn: psycopg.Connection[Any], place: tuple[str, str]) -> int:
    """How many rows a table has; 0 where it is not there."""
    there = conn.execute("SELECT to_regclass(%s) IS NOT NULL", (qualified(*place),)).fetchone()
    return _count(conn, *place) if there is not None and there[0] else 0


def refuse_filled(session: Session, ahead: Sequence[tuple[Stage, str]]) -> None:
    """Raise RefusedError where rows that nothing else holds cannot be archived, of the phases to be taken back."""
    unfilled = [stage for stage, phase in ahead if phase == "dual-write"]
    filled = [
        f"{name} ({counted(rows, 'row')}: {why})"
        for stage, phase in ahead
        if phase == "expand"
        for name, rows in _filled(session, stage, unfilled)
        if (why := _why_not(session, name))
    ]
    if filled:
        raise RefusedError(
            f"The way back would drop tables whose rows have no old form and cannot be archived: {', '.join(filled)}.",
            kept="Nothing was changed; the flags, the mirrors and all rows are as they were.",
            todo="Copy the rows elsewhere and empty the tables, then run the same command again.",
        )


def kept(session: Session, stage: Stage) -> dict[str, Kept]:
    """What is archived before it is dropped, by the id of the action that has made it."""
    names = set(_candidates(session, stage))
    found = {}
    for place, text in session.plan.statements(stage.expand):
        action = ddl(place, text)
        for name in names & created([text]).keys():
            if action.id == f"table {name}":
                schema, _, table = name.partition(".")
                found[action.id] = Kept((schema, table), (ARCHIVE, free_name(session, table)))
    return found


def free_name(session: Session, table: str) -> str:
    """A name in schema archive that nothing has."""
    for number in range(1, _MOST):
        name = table if number == 1 else f"{table[:_LONGEST]}_{number}"
        taken = session.conn.execute("SELECT to_regclass(%s)", (qualified(ARCHIVE, name),)).fetchone()
        if taken == (None,):
            return name
    raise RefusedError(
        f"Schema {ARCHIVE} has too many tables called {table}.",
        kept="The phases after expand are taken back; the new tables and their rows are there.",
        todo="Drop or rename those that nobody needs, then run the same command again.",
    )


def _why_not(session: Session, name: str) -> str:
    """Why the rows of a table cannot be archived as they are; '' where they can."""
    schema, _, table = name.partition(".")
    values = {"table": qualified(schema, table)}
    row = session.conn.execute(queries.load("not_archivable.sql"), values).fetchone()
    return "" if row is None else str(row[0])


def _filled(session: Session, stage: Stage, unfilled: Iterable[Stage]) -> Iterator[tuple[str, int]]:
    """The tables of a stage with rows that the mappings of these stages leave there, and how many."""
    mappings = [(each, mapping) for each in unfilled for mapping in each.mappings]
    emptied = {table_label(mapping.target) for _, mapping in mappings if _empties(mapping)}
    for name in _candidates(session, stage):
        if name in emptied:
            continue
        schema, _, table = name.partition(".")
        rows = _others(session.conn, qualified(schema, table)) - sum(
            mapping.made_rows(session.conn, session.compiler.mapping_id(each, mapping))
            for each, mapping in mappings
            if table_label(mapping.target) == name
        )
        if rows > 0:
            yield name, rows


def _empties(mapping: Mapping) -> bool:
    return mapping.empties_target and not mapping.one_way


def _candidates(session: Session, stage: Stage) -> Iterator[str]:
    """The tables that the stage has made and none of its mappings empties."""
    targets = {table_label(mapping.target) for mapping in stage.mappings if _empties(mapping)}
    for name in created(text for _, text in session.plan.statements(stage.expand)):
        schema, _, table = name.partition(".")
        if not made_here(session, stage, name):
            continue
        oid = catalog.find(session.conn, qualified(schema, table))
        if oid is None or name in targets:
            continue
        values = {"plan": session.plan.name, "oid": oid}
        made = session.conn.execute(queries.load("made_by_us.sql"), values).fetchone()
        if made is not None and made[0]:
            yield name


def made_here(session: Session, stage: Stage, name: str) -> bool:
    """Whether the stage has made the table in this run; of IF NOT EXISTS it has not where the table was there."""
    which = ledger_actions.Which(stage.stage, "expand", f"table {name}")
    found = ledger_actions.get(session.ledger, session.run, which)
    return found is not None and bool(found.inverse)


def _count(conn: psycopg.Connection[Any], schema: str, table: str) -> int:
    row = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
    return 0 if row is None else int(row[0])


def _others(conn: psycopg.Connection[Any], table: str) -> int:
    """How many rows of a table are the application's, not a seed's."""
    row = conn.execute("SELECT changeover.rows_beside_seeds(%s::regclass)", (table,)).fetchone()
    return 0 if row is None else int(row[0])
