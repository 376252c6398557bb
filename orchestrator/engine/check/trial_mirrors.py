"""The functions and views of the mirrors, tried before anybody depends on them.

The functions of one source are made and called without rows in one go, and taken back: whatever they lock is free again
before the next. Where that is refused, or where functions of one owner call those of another, each is tried by itself
beside all others, which are made unread for it (a function that is made unread locks nothing).

Tables of the same columns and keys compile to the same functions but for the names. They are made for each, and called
for the first: what a server keeps of a function that was called slows down everything that is made or taken back later.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from orchestrator.mapping.sqltext import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.engine.check.scratch import Scratch
    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.compile import Compiled
    from orchestrator.mapping.objects import DbObject

_READ: Final = "SET LOCAL check_function_bodies = on"
_UNREAD: Final = "SET LOCAL check_function_bodies = off"
# What can be called without a row; of the new row only what computes and writes nothing.
_NO_ROWS: Final = {
    "batch": ("(0, 0)",),
    "compared": ("('(0,0)', '(0,0)', true)",),
    "orphans": ("(0, 0)",),
}
# What the fixed functions make of the fragments of a source.
_FIXED: Final = (
    "source_rows({id}, NULL, NULL, '(0,0)', '(0,0)', true)",
    "left_over({id})",
    "apply_slow({id}, '{{}}')",
)
_ONE_ROW: Final = {"carry": ("(NULL, {row}, false)", "(NULL, {row}, true)"), "image": ("({row})",)}
# A number that a sequence has given does not come back with the transaction; read-only, it gives none.
_GIVES_NOTHING: Final = (
    "SAVEPOINT changeover_reads; SET LOCAL transaction_read_only = on; {}; "
    "ROLLBACK TO SAVEPOINT changeover_reads; RELEASE SAVEPOINT changeover_reads"
)


class Mirrors:
    """The functions and views of one mapping."""

    def __init__(self, scratch: Scratch, compiled: Compiled, tables: dict[str, Table]) -> None:
        """`tables` has the old table of each owner of functions that has one."""
        self._scratch = scratch
        self._compiled = compiled
        self._tables = tables
        self._before = compiled.before_functions
        self._broken: dict[str, str] | None = None

    def problems(self) -> Iterator[tuple[int, list[str]]]:
        """After each owner: how many of its objects were tried, and what is wrong with them."""
        called: set[object] = set()
        for owner, group in groupby(self._compiled.functions, key=lambda each: each.owner):
            functions = list(group)
            shape = _shape(self._tables[owner]) if owner in self._tables else owner
            calls = [] if shape in called else [call for each in functions for call in self._calls(each)]
            called.add(shape)
            together = self._scratch.refused(*self._before, *(each.create for each in functions), *calls)
            yield len(functions), [] if together is None else self._singly(functions)
        called_by = {each.owner: each.create for each in self._compiled.functions if each.role == "old_row"}
        for each in self._compiled.views:
            error = self._scratch.refused(called_by[each.owner], each.create)
            yield 1, [] if error is None else [f"mapping {self._compiled.name}, {each.id}: {error}"]

    def _calls(self, function: DbObject) -> Iterator[str]:
        row = f"jsonb_populate_record(NULL::{self._compiled.target.sql}, '{{}}')"
        name = f"changeover.{function.owner}_{function.role}"
        for arguments in _NO_ROWS.get(function.role, ()):
            yield _called(f"{name}{arguments}")
        if function.role == "fragments":
            yield from (_called(f"changeover.{each.format(id=function.owner[1:])}") for each in _FIXED)
        for arguments in _ONE_ROW.get(function.role, ()):
            yield _GIVES_NOTHING.format(_called(f"{name}{arguments.format(row=row)}"))

    def _singly(self, functions: Sequence[DbObject]) -> list[str]:
        """What is wrong with which of them, each tried by itself while all functions of the mapping are there."""
        name, broken = f"mapping {self._compiled.name}", self._unread()
        wrong = []
        for each in functions:
            error = broken.get(each.id) or self._scratch.refused(*self._before, each.create)
            if error is not None:
                wrong.append(f"{name}, {each.id}: {error}")
        if wrong or broken:
            return wrong
        for each in functions:
            error = self._scratch.refused(*self._before, *self._calls(each))
            if error is not None:
                return [f"{name}, {each.doc}: {error}"]
        return []

    def _unread(self) -> dict[str, str]:
        """Make all functions of the mapping unread, once; those that cannot be made, and why."""
        if self._broken is None:
            every = self._compiled.functions
            together = self._scratch.kept(_UNREAD, *(each.create for each in every), _READ)
            singly = {} if together is None else {e.id: self._scratch.kept(_UNREAD, e.create, _READ) for e in every}
            self._broken = {name: error for name, error in singly.items() if error is not None}
        return self._broken


def _called(call: str) -> str:
    """The call, with an error only for what is said against the text: what values do is no matter here."""
    others = "WHEN OTHERS THEN IF SQLSTATE NOT LIKE '42%' THEN RETURN; END IF; RAISE"
    return f"DO {literal(f'BEGIN PERFORM {call}; EXCEPTION {others}; END')}"


def _shape(table: Table) -> object:
    """What two tables have in common whose functions differ in names only."""
    columns = tuple(
        (c.name, c.sql_type, c.typmod, c.not_null, c.default is None, c.identity, c.generation, c.collation)
        for c in table.columns
    )
    return columns, table.unique_keys, table.indexed
