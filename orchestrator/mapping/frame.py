"""What unify and merge have in common once compiled: fragments over the target and its originals.

The target row goes by ``g`` where it is written and by ``t`` where the way back is computed. The
originals stands in a JSONB column of the target, either the whole column or one member of it
(``metadata.legacy``). Under ``~`` it notes the columns in which the new side is ahead of what the
old schema can tell, each with what the old schema says of it.

A derivation leaves such a column alone as long as the old schema says what it said then. A packed
document is many columns in one: there only the members change of which the old schema says something new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import bare_column, equated, mentions
from orchestrator.mapping.sqltext import literal
from orchestrator.mapping.types import compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.derivation import Derivation
    from orchestrator.mapping.model import Base, Lookup


@dataclass(frozen=True)
class Frame:
    """The target and its bookkeeping columns."""

    target: Table
    spec: Base
    conflict: Sequence[str]
    packs: Sequence[str] = ()
    alive: Callable[[str], str] = lambda _: "true"

    def document(self, alias: str) -> str:
        """The originals of a row, ``~`` included; '{}' where there is none."""
        column = self.spec.originals_column
        if column is None:
            return "'{}'::jsonb"
        reference = f"{alias}.{quote(column)}"
        if self.spec.originals_key is None:
            return f"coalesce({reference}, '{{}}')"
        return f"coalesce({reference} -> {literal(self.spec.originals_key)}, '{{}}')"

    def with_document(self, alias: str, document: str) -> str:
        """The originals column's new value with ``document`` in its place."""
        column, key = self.spec.originals_column, self.spec.originals_key
        reference = f"{alias}.{quote(column or '')}"
        if key is None:
            return document
        return (
            f"(coalesce({reference}, '{{}}') - {literal(key)}) || CASE {document} WHEN '{{}}' THEN '{{}}'::jsonb "
            f"ELSE jsonb_build_object({literal(key)}, {document}) END"
        )

    def is_ahead(self, alias: str) -> str:
        """True for a row with values of the new side that the old schema cannot tell.

        A row that the new side has put away (soft delete) is ahead of nothing: when the old side brings its
        row back, it is derived whole.
        """
        if self.spec.originals_column is None:
            return "false"
        alive = self.alive(alias)
        return f"({self.document(alias)} ? '~'" + ("" if alive == "true" else f" AND {alive}") + ")"

    def update_set(self, derivation: Derivation, value: str = "EXCLUDED") -> str:
        """SET of an upsert: every derived column; the originals's column keeps its other members."""
        return ", ".join(f"{column.sql} = {new}" for column, new in self._updated(derivation, value))

    def _updated(self, derivation: Derivation, value: str) -> Iterator[tuple[Column, str]]:
        for column in derivation.written:
            if column.name in self.conflict or column not in derivation.compared:
                continue
            new = f"{value}.{column.sql}"
            if column.name == self.spec.originals_column and self.spec.originals_key is not None:
                new = f"(coalesce(g.{column.sql}, '{{}}') - {literal(self.spec.originals_key)}) || {new}"
            yield column, new

    def worth_it(self, derivation: Derivation) -> str:
        """The upsert changes something, or a writer asks for it.

        The drain looks at many a row that is right: if it wrote it all the same, a writer of the new side with an
        older snapshot of this row would fail for nothing.
        """
        return _worth_it(self._updated(derivation, "EXCLUDED"))

    def differs(self, derivation: Derivation, column: Column) -> str:
        """Whether one column of the derived row ``d`` and the target row ``g`` disagree, which is ahead in ``b.ahead``."""
        if column.name == self.spec.originals_column:
            same = f"({self.document('d')}) IS DISTINCT FROM ({self.document('g')} - '~')"
            return f"({same} AND NOT {self.is_ahead('g')})"
        d, g = f"d.{column.sql}", f"g.{column.sql}"
        plain = f"{d}{compared(column)} IS DISTINCT FROM {g}{compared(column)}"
        kept = self.spec.originals_column is not None and column.name != self.spec.exempt_column
        if not kept or column not in derivation.compared:
            return f"({plain})"
        return f"({plain} AND NOT changeover.known(b.ahead, {literal(column.name)}, {d}::text))"

    def different(self, derivation: Derivation, skip: str) -> str:
        """The names of the columns in which the derived row ``d`` and the target row ``g`` disagree: '{}' or NULL where in none.

        Nearly every row is equal: that is asked first, as it costs a tenth of asking each column.
        """
        columns = [c for c in derivation.compared if c.name != skip]
        tests = ", ".join(f"CASE WHEN {self.differs(derivation, c)} THEN {literal(c.name)} END" for c in columns)

        def row(alias: str) -> str:
            return ", ".join(
                self.document(alias) if c.name == self.spec.originals_column else f"{alias}.{c.sql}{compared(c)}"
                for c in columns
            )

        if not columns:
            return "'{}'::text[]"
        return (
            f"CASE WHEN ({row('d')}) IS DISTINCT FROM ({row('g')})\n            THEN (SELECT array_remove(ARRAY[{tests}]::text[], NULL) "
            f"FROM (SELECT {self.document('g')} -> '~' AS ahead OFFSET 0) b) END"
        )

    def ahead_columns(self, derivation: Derivation, skip: Sequence[str]) -> list[Column]:
        """The columns in which the new side may be ahead."""
        bookkeeping = {self.spec.originals_column, self.spec.exempt_column, *skip}
        return [c for c in derivation.compared if c.name not in bookkeeping]


def _worth_it(values: Iterable[tuple[Column, str]]) -> str:
    changes = (f"({new}){compared(c)} IS DISTINCT FROM g.{c.sql}{compared(c)}" for c, new in values)
    return f"(coalesce(current_setting('changeover.draining', true), '') = '' OR {' OR '.join(changes)})"


def ahead_texts(columns: Sequence[Column]) -> str:
    """A document of the columns that the old schema would tell differently of ``#new``, each as the derived row ``d`` has it."""

    def entry(column: Column) -> str:
        cast = compared(column)
        differs = f'd.{column.sql}{cast} IS DISTINCT FROM ("#new").{column.sql}{cast}'
        return (
            f"CASE WHEN {differs} THEN jsonb_build_object({literal(column.name)}, d.{column.sql}::text) ELSE '{{}}' END"
        )

    return "\n        || ".join(["'{}'::jsonb", *(entry(c) for c in columns)])


def indirect(lookups: Mapping[str, Lookup], sources: Mapping[str, str]) -> dict[str, Lookup]:
    """The lookups whose row on the way back need not be the one that was found on the way there.

    `role_id: role.id` joined back by `role.id = t.role_id` is the same row. `coalesce(role.id, …)` is not:
    the originals must then be computed with the row that the way back will find.
    """
    found = {}
    for name, lookup in lookups.items():
        own, new = equated(lookup.join) or ((), ())
        if own[:1] != (name,) or new[:1] != ("t",) or bare_column(sources.get(new[-1], "")) != own:
            found[name] = lookup
    return found


def uses(expression: str, lookup: str) -> bool:
    """Whether an expression refers to a lookup's row."""
    return mentions(expression, lookup)


def wrapped(expression: str, lookups: Mapping[str, Lookup], tables: Mapping[str, Table]) -> str:
    """A way back as a scalar subquery over the lookups it uses.

    Not joins: SELECT … FOR UPDATE through the compatibility view must go on working, and PostgreSQL
    refuses it on the nullable side of an outer join.
    """
    used = [n for n, lookup in lookups.items() if lookup.join and uses(expression, n)]
    if not used:
        return expression
    joins = " ".join(f"LEFT JOIN {tables[n].sql} {quote(n)} ON {lookups[n].join}" for n in used)
    return f"(SELECT {expression} FROM (SELECT) one {joins})"
