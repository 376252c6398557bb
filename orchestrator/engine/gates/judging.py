"""Queries that judge: the checks of a plan, and the orphans of its foreign keys, which nobody has to write.

Each query runs on a connection of its own, in a read-only transaction with a statement timeout and the settings that
our functions have, as the role that migrates. It is fetched through a cursor, so it can be nothing but a query, and a
million of bad rows are counted by the server without coming here. An answer that is late, or none, is not good: what
was not answered is not known.

The foreign keys are those of the plan's key files, those that contract adds, and those that the tables of the stage
have in the catalog. A row without its parent makes a verification unclean. Of a key that contract adds it only warns,
because the old application may still delete the parent, and so it does of a key that is NOT VALID on purpose.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from orchestrator.engine import queries
from orchestrator.engine.check import broken_rows
from orchestrator.kernel import documents
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import QUERY_CANCELED, translate
from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.kernel.words import counted, in_a_line
from orchestrator.ledger.check_results import ORPHANS, Answer
from orchestrator.mapping import catalog
from orchestrator.mapping.objects import pins
from orchestrator.plan.created import created, label
from phases import alter
from phases.statements import key_head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from orchestrator.plan.checks import Check, Moment
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from phases.statements import KeyHead

SHOWN: Final = 10
_KEY_SECONDS: Final = 60.0


def judge(dsn: str, plan: LoadedPlan, stage: Stage, moment: Moment) -> list[Answer]:
    """Ask the checks of a stage at a moment, and at a verification the foreign keys."""
    asked = [check for check in stage.checks if moment in check.when]
    keys = list(_keys(plan, stage)) if moment == "verify" else []
    if not asked and not stage.expand and not keys:
        return []
    try:
        with connect(dsn, role="judge") as conn:
            asker = _Asker(conn, plan)
            answers = [asker.ask(check, moment) for check in asked]
            if moment == "verify":
                every = _with_catalog(conn, plan, stage, keys)
                answers += [asker.orphans(head, binding=binding) for head, binding in every]
    except psycopg.Error as exc:
        raise translate(exc) from exc
    return answers


def stops(answers: list[Answer]) -> list[Answer]:
    """Those that stop what comes next."""
    return [each for each in answers if each.binding and not each.ok]


def words(answer: Answer) -> str:
    """An answer in a line, with the rows that it is about."""
    shown = "".join(f"; {in_a_line(row)}" for row in answer.sample)
    more = "; ..." if answer.rows is not None and answer.rows > len(answer.sample) > 0 else ""
    return f"check {answer.check}: {answer.words}{shown}{more}"


class _Asker:
    """A connection, and the settings under which the queries of a plan run."""

    def __init__(self, conn: psycopg.Connection[Any], plan: LoadedPlan) -> None:
        self._conn = conn
        self._plan = plan
        self._settings = pins(*sorted(plan.model.reach)).replace("SET ", "SET LOCAL ").replace("\n", ";\n")

    def ask(self, check: Check, moment: Moment) -> Answer:
        """One check."""
        query, binding = self._plan.query(check.query), check.otherwise == "refuse"
        if check.good == "empty":
            return self._none(check.check, moment, query, check.timeout_seconds, binding=binding, noun="row")
        begun = time.monotonic()
        found, said = self._number(query, check.timeout_seconds)
        good = found is not None and check.accepts(found)
        given = said if found is None else f"gives {found}"
        told = given if good else f"{given}, wanted is {check.wanted}"
        return Answer(check.check, moment, good, binding, told, round(time.monotonic() - begun, 3))

    def orphans(self, head: KeyHead, *, binding: bool) -> Answer:
        """The rows of a foreign key without a parent."""
        name = f"{ORPHANS}{label(head.table)}.{head.name}"
        query = broken_rows.orphans(self._conn, head)
        if query is None:
            return Answer(name, "verify", ok=True, binding=False, words="one of its tables is not there")
        return self._none(name, "verify", query, _KEY_SECONDS, binding=binding, noun="orphan")

    def _none(self, name: str, moment: Moment, query: str, seconds: float, *, binding: bool, noun: str) -> Answer:
        begun = time.monotonic()
        rows: list[Any] = []
        number = 0

        def look(conn: psycopg.Connection[Any]) -> None:
            nonlocal rows, number
            declared = sql.SQL("DECLARE judged NO SCROLL CURSOR FOR SELECT to_jsonb(q)::text FROM (\n{}\n) AS q")
            conn.execute(declared.format(sql.SQL(query)))
            rows = [
                documents.read_exactly(row[0]) for row in conn.execute(f"FETCH FORWARD {SHOWN} FROM judged".encode())
            ]
            rest = conn.execute("MOVE FORWARD ALL FROM judged") if len(rows) == SHOWN else None
            number = len(rows) + (0 if rest is None else _moved(rest))

        said = self._within(look, seconds)
        took = round(time.monotonic() - begun, 3)
        if said is not None:
            return Answer(name, moment, ok=False, binding=binding, words=said, seconds=took)
        return Answer(name, moment, not number, binding, counted(number, noun), took, number, rows)

    def _number(self, query: str, seconds: float) -> tuple[Decimal | None, str]:
        """The number that a query gives, or why there is none."""
        found: list[Any] = []

        def look(conn: psycopg.Connection[Any]) -> None:
            conn.execute(f"DECLARE judged NO SCROLL CURSOR FOR {query}".encode())
            found.extend(conn.execute("FETCH FORWARD 2 FROM judged"))

        said = self._within(look, seconds)
        if said is not None:
            return None, said
        if len(found) != 1 or len(found[0]) != 1:
            shape = "no row" if not found else f"{len(found[0])} columns" if len(found) == 1 else "several rows"
            return None, f"gives {shape}"
        value = found[0][0]
        number = documents.number(value)
        if number is not None:
            return number, ""
        return None, "gives NULL" if value is None else f"gives {str(value)[:80]!r}, which is no number"

    def _within(self, look: Any, seconds: float) -> str | None:
        """Look within a read-only transaction; why there is no answer, if there is none."""
        try:
            with self._conn.transaction(force_rollback=True):
                self._conn.execute("SET TRANSACTION READ ONLY")
                self._conn.execute(self._settings.encode())
                self._conn.execute(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}".encode())
                look(self._conn)
        except psycopg.OperationalError as exc:
            if exc.sqlstate != QUERY_CANCELED:
                raise
            return f"no answer within {seconds:g} s"
        except psycopg.Error as exc:
            return f"cannot be asked: {translate(exc).what}"
        return None


def _moved(cursor: psycopg.Cursor[Any]) -> int:
    """How many rows a MOVE has passed."""
    return int((cursor.statusmessage or "MOVE 0").rpartition(" ")[2])


def _keys(plan: LoadedPlan, stage: Stage) -> Iterator[tuple[KeyHead, bool]]:
    """The foreign keys of the stage's key files, and whether orphans of theirs stop anything."""
    late = [] if stage.contract is None else stage.contract.keys
    for files, binding in ((stage.keys, True), (late, False)):
        for place, text in plan.statements(files):
            head = key_head(place, text)
            if head.parent:
                yield head, binding
    for each in stage.alter:
        for head, when in alter.keys(each):
            yield head, when != "contract"


def _with_catalog(
    conn: psycopg.Connection[Any], plan: LoadedPlan, stage: Stage, keys: list[tuple[KeyHead, bool]]
) -> Iterator[tuple[KeyHead, bool]]:
    """Those, and what the tables of the stage have besides in the catalog."""
    yield from keys
    seen = {(label(head.table), head.name) for head, _ in keys}
    made = [name.partition(".") for name in created(text for _, text in plan.statements(stage.expand))]
    places = [*(qualified(schema, table) for schema, _, table in made), *(m.target for m in stage.mappings)]
    tables = [oid for place in places if (oid := catalog.find(conn, place)) is not None]
    rows = conn.execute(queries.load("keys_of.sql"), {"tables": tables}).fetchall()
    for schema, table, name, rule, holds in rows:
        if (f"{schema}.{table}", name) not in seen:
            text = f"ALTER TABLE {qualified(schema, table)} ADD CONSTRAINT {quote(name)} {rule}"
            yield key_head(name, text), holds
