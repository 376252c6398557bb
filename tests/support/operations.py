"""What applications do to a world: drawn without looking at the database, so that a schedule can be drawn again.

A `Operation` says what is to be done; the `Cast` of a world makes a statement of it. Rows are chosen by their tag, which the
statement returns, or by a key out of a small pool, so that they are hit often and by everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.support.interleaving import LEVELS, Statement, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.support.mapping import Setup


@dataclass(frozen=True)
class Operation:
    """One thing to do. `row` is counted among the rows made so far."""

    what: str
    place: str = ""
    row: int = 0
    key: str = ""
    values: tuple[tuple[str, str], ...] = ()

    @property
    def makes(self) -> str:
        """Where it makes a row; empty if it makes none."""
        return self.place if self.what in {"insert", "new insert"} else ""


class Turn(Enum):
    """What an application does besides writing."""

    LOOK = "takes a snapshot"
    COMMIT = "commits"
    ROLLBACK = "rolls back"
    SAVEPOINT = "sets a savepoint, or goes back to it"


@dataclass(frozen=True)
class Act:
    """What one application does next. If its statement has to wait, `wait` ends that: an operation is what the other does first."""

    who: int
    level: str
    operation: Operation | Turn
    wait: Wait | Operation
    then: str


@dataclass(frozen=True)
class Cast:
    """A world, and what is done in it."""

    setup: Setup
    base: str
    """The rows from before, tags t0, t1, ..."""
    places: Sequence[str]
    """Where each of them stands."""
    operations: st.SearchStrategy[Operation]
    statement: Callable[[Operation, Sequence[str]], Statement]
    """The statement of an operation, given where each tag was made. An operation that inserts makes the next tag."""
    found: Mapping[str, str]
    """Per side: all rows as (tag, text, links, table)."""
    look: str
    by_tag: bool = True
    """Whether a tag is one row on each side."""


def acts(operations: st.SearchStrategy[Operation]) -> st.SearchStrategy[Act]:
    """What an application may do: mostly write, mostly in a transaction that stays open for a while."""
    waits = st.sampled_from((Wait.COMMIT, Wait.COMMIT, Wait.ROLLBACK, Wait.TIMEOUT))
    turns = st.sampled_from((Turn.COMMIT, Turn.COMMIT, Turn.LOOK, Turn.SAVEPOINT, Turn.ROLLBACK))
    return st.builds(
        Act,
        who=st.integers(0, 2),
        level=st.sampled_from(LEVELS),
        operation=one_of(operations, operations, operations, operations, turns),
        wait=one_of(waits, waits, operations),
        then=st.sampled_from(("commit", "stay", "stay", "stay", "stay", "commit", "rollback")),
    )


def one_of(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Each as likely as the other, which `st.one_of` does not keep to when it stands in another."""
    return st.integers(0, len(strategies) - 1).flatmap(lambda number: strategies[number])


def rows() -> st.SearchStrategy[int]:
    """Which row, by its number: some that everybody goes for, and those that were made last."""
    return st.sampled_from((0, 0, 3, 0, 5, -1, 7, 3, -2, 0, 0, 6, -1, 1, 2, 4, 8, -3))


def values(choices: Mapping[str, Sequence[str]]) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """Some columns with literals for them; never none."""
    return (
        st.fixed_dictionaries({}, optional={name: st.sampled_from(each) for name, each in choices.items()})
        .map(lambda chosen: tuple(sorted(chosen.items())))
        .filter(bool)
    )


def operation(what: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    """An operation with drawn fields."""
    return st.builds(Operation, st.just(what), **fields)


def written(columns: Mapping[str, str]) -> str:
    """SQL: whether the row has what was written."""
    tests = [f"x.{name} IS NOT DISTINCT FROM {value}" for name, value in columns.items() if value != "DEFAULT"]
    return f"({' AND '.join(tests) or 'true'})"


def pairs(columns: Mapping[str, str]) -> str:
    """What follows SET."""
    return ", ".join(f"{name} = {value}" for name, value in columns.items())
