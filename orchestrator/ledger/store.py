"""`Ledger`: a connection and who is acting on it; every function of the noun modules takes one.

It opens nothing and commits nothing of its own accord: `transaction()` is the caller's transaction where there is
one (as a savepoint) and a new one where there is none. A change of state is `change`: read the state, look the
move up in its table, write WHERE the state is still the one that was read, append the event; all in one
transaction. Somebody who got there first makes the write find no row, and that is an error, never an overwrite.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from psycopg.rows import class_row

from orchestrator.ledger.errors import MoveRefusedError
from orchestrator.ledger.moves import Moves, allow
from orchestrator.ledger.statements import Record, Sql, equal, execute_as, insert, select, update

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager


R = TypeVar("R", bound=Record)
T = TypeVar("T")
_REPEATS: Final = 4


@dataclass(frozen=True, slots=True)
class About:
    """What an event is about."""

    plan: str | None = None
    stage: str | None = None
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where the ledger is, and in whose name it is written."""

    conn: psycopg.Connection[Any]
    actor: str

    def transaction(self) -> AbstractContextManager[Any]:
        """The caller's transaction if one is open, otherwise a new one."""
        return self.conn.transaction()

    def run(self, statement: Sql) -> int:
        """Execute a statement and count its rows."""
        return self.conn.execute(statement.text, statement.values).rowcount

    def all(self, statement: Sql, kind: type[R]) -> list[R]:
        """Every row, as records."""
        return execute_as(self.conn, statement, class_row(kind)).fetchall()

    def one(self, statement: Sql, kind: type[R]) -> R | None:
        """The first row, as a record."""
        return execute_as(self.conn, statement, class_row(kind)).fetchone()

    def must(self, statement: Sql, kind: type[R]) -> R:
        """The one row that the statement cannot fail to give."""
        found = self.one(statement, kind)
        if found is None:
            message = f"no {kind.__name__} where there must be one"
            raise LookupError(message)
        return found

    def event(self, kind: str, about: About, /, **detail: Any) -> None:
        """Append an event, in the transaction that is open."""
        of = {"plan": about.plan, "stage": about.stage, "phase": about.phase}
        self.run(insert("event", {"actor": self.actor, **of, "kind": kind, "detail": detail}))

    def change(
        self,
        table: str,
        key: Mapping[str, Any],
        to: str,
        moves: Moves,
        about: About,
        *,
        values: Mapping[str, Any] | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> str:
        """Move one row to another state, with its event; the state it had before."""
        where = equal(**key)
        with self.transaction():
            found = self.one(select(_State, table, *where), _State)
            if found is None:
                raise MoveRefusedError(f"There is no {table} {_words(key)}.", kept="Nothing was changed.")
            before = found.state
            move = allow(table, moves, before, to, _words(key))
            changed = update(table, {"state": to, **(values or {})}, *where, *equal(state=before))
            if self.run(changed) != 1:
                raise MoveRefusedError(
                    f"The {table} {_words(key)} was moved by somebody else while it was about to go "
                    f"from {before} to {to}.",
                    kept="Nothing was changed.",
                    todo="`changeover status` shows where it stands now.",
                )
            self.event(f"{table}.{to}", about, **{**key, "from": before, "to": to, "why": move.why, **(detail or {})})
        return before


def repeated(work: Callable[[], T]) -> T:
    """Do it again, a few times, where it was the victim of a deadlock.

    Mirrors write rejects one by one in the order of the application's writes; a change of many rejects at once meets
    them in another order.
    """
    for _ in range(_REPEATS):
        with suppress(psycopg.errors.DeadlockDetected):
            return work()
    return work()


def _words(key: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in key.items())


@dataclass(frozen=True, slots=True)
class _State:
    state: str
