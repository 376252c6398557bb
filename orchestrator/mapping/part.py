"""One source table's share in a mapping: reading its rows, and giving them back exactly.

A source row is read through a small subquery that gives every declared column in its declared type
(NULL where the table at hand has no such column) and every existing column raw, under ``#attnum``.
Expressions of the plan use the former; the originals compares the latter.

*The originals.* For each source column the way back is an expression over the target row. Where it
would not return the very value that stood in the source (compared by image: spelling, scale and case
count), the original goes into the originals as text. A column without a way back always goes there,
so every mapping is lossless by construction and costs only for the odd values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.sqltokens import bare_column
from orchestrator.mapping import types
from orchestrator.mapping.sqltext import comma, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table

_PAIRS = 40  # pairs per jsonb_build_object: a function takes at most 100 arguments


def like(pattern: str, name: str) -> bool:
    """SQL's LIKE for column names, case-insensitive."""
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), name, re.IGNORECASE | re.DOTALL) is not None


@dataclass(frozen=True)
class Part:
    """A source table within a mapping; ``alias`` is the name expressions know it by."""

    table: Table
    alias: str
    types: Mapping[str, str]
    reverse: Mapping[str, str]
    keep_original: Sequence[str] = ()
    pack: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    key_back: str | None = None
    present: bool = False

    # -- reading -------------------------------------------------------------------------------

    def rows(self, where: str, origin: str | None = None, tail: str = "") -> str:
        """The subquery that reads source rows; ``x`` is the table in ``where``."""
        columns = [f"x.{c.sql} AS {self.raw_name(c)}" for c in self.table.columns]
        columns += [
            f"{types.coerce(f'x.{self.table.by_name[name].sql}', self.table.by_name[name].type, want)} AS {_quote(name)}"
            if name in self.table.by_name
            else f"NULL::{'integer' if want == 'seconds' else want} AS {_quote(name)}"
            for name, want in self.types.items()
        ]
        if self.present:
            columns.append('true AS "#present"')
        if self.key is not None:
            columns.append(f'x.{_quote(self.key)}::text AS "#key"')
        # Looked up where it is wanted: a whole row carried through every join costs the many that are not rejected.
        whole = f"(SELECT {self.whole('y')} FROM {self.table.sql} y WHERE y.ctid = x.ctid)"
        columns.append(f'{whole} AS "#row"' if origin is None else 'NULL::jsonb AS "#row"')
        columns.append('x.ctid AS "#ctid"' if origin is None else 'NULL::tid AS "#ctid"')
        return f"SELECT {comma(columns, 8)}\n    FROM {origin or self.table.sql} x\n    WHERE {where}{tail}"

    @property
    def typed(self) -> str:
        """No row in the columns and types of the table. The table itself need not be where the compiled text says."""
        return f"(SELECT {comma((f'NULL::{c.sql_type} AS {c.sql}' for c in self.table.columns), 8)})"

    def whole(self, alias: str) -> str:
        """The row as JSONB, for the rejects. ``to_jsonb`` of a row fails on a ``json`` that JSONB does not take."""
        if not any(c.type == "json" for c in self.table.columns):
            # With the star, for the table may have a column that is called like the alias.
            return f"to_jsonb({alias}.*)"
        values = (
            f"{types.keep_json(f'{alias}.{c.sql}') if c.type == 'json' else f'{alias}.{c.sql}'} AS {c.sql}"
            for c in self.table.columns
        )
        return f"(SELECT to_jsonb(r.*) FROM (SELECT {', '.join(values)}) r)"

    def raw_name(self, column: Column) -> str:
        """What a raw column is called inside the subquery."""
        return f'"#{column.attnum}"'

    def raw(self, column: Column) -> str:
        """A raw column from outside the subquery."""
        return f"{self.alias}.{self.raw_name(column)}"

    # -- packing -------------------------------------------------------------------------------

    @cached_property
    def packed(self) -> dict[str, str]:
        """Source column → JSONB target column, for the columns no one declared."""
        found: dict[str, str] = {}
        for column in self.table.columns:
            declared = column.name in self.types or column.name in self.reverse or column.name == self.key
            if not self.pack or declared or column.generated:
                continue
            target = next((t for p, t in self.pack.items() if p != "rest" and like(p, column.name)), None)
            target = target or self.pack.get("rest")
            if target is not None:
                found[column.name] = target
        return found

    def pack_expression(self, target: str) -> str:
        """The JSONB document of all columns packed into ``target``; NULLs take no place."""
        columns = [self.table.by_name[name] for name, to in self.packed.items() if to == target]
        nested = [c for c in columns if c.type in {"json", "jsonb"}]
        plain = [c for c in columns if c not in nested]
        parts = []
        for start in range(0, len(plain), _PAIRS):
            pairs = ", ".join(
                f"{literal(c.name)}, {types.to_json(self.raw(c), c.type)}" for c in plain[start : start + _PAIRS]
            )
            parts.append(f"jsonb_strip_nulls(jsonb_build_object({pairs}))")
        # jsonb_strip_nulls would reach into the documents themselves.
        parts += [
            f"CASE WHEN {self.raw(c)} IS NULL THEN '{{}}'::jsonb ELSE "
            f"jsonb_build_object({literal(c.name)}, {types.to_json(self.raw(c), c.type)}) END"
            for c in nested
        ]
        return "(" + " || ".join(parts) + ")" if parts else "'{}'::jsonb"

    # -- the way back --------------------------------------------------------------------------

    def back_expression(self, column: Column) -> str | None:
        """The way back of one column over ``t`` and the lookups, in the column's own type."""
        if column.name == self.key and self.key_back is not None:
            return self.key_back
        if column.name in self.reverse:
            return types.fit(self.reverse[column.name], self.types.get(column.name, column.type), column)
        if column.name in self.packed:
            return types.from_json(f"t.{_quote(self.packed[column.name])}", column)
        return None

    def legacy_value(self, column: Column, originals: str, wrap: Callable[[str], str]) -> str:
        """The legacy value over a target row ``t``: the originals first, else the way back."""
        kept = f"({originals} ->> {literal(column.name)})::{column.handled_as}"
        back = self.back_expression(column)
        if back is None:
            return kept
        return f"CASE WHEN {originals} ? {literal(column.name)} THEN {kept} ELSE {wrap(back)} END"

    def originals_expression(
        self, sources: Mapping[str, str], target_types: Mapping[str, str], wrap: Callable[[str], str]
    ) -> str:
        """The originals as JSONB, over the raw source row and ``t``; ``sources`` are the ``from`` texts."""
        always, kept, checked = [], [], []
        for column in self.table.columns:
            if column.generated:
                continue
            entry = f"{literal(column.name)}, ({self.raw(column)})::text"
            back = self.back_expression(column)
            if back is None:
                always.append(entry)
            elif column.name in self.keep_original:
                kept.append(entry)
            elif not self._exact(column, sources, target_types):
                odd = types.unlike(column, self.raw(column), wrap(back))
                checked.append((odd, f"CASE WHEN {odd} THEN jsonb_build_object({entry}) ELSE '{{}}'::jsonb END"))
        parts = [f"jsonb_strip_nulls(jsonb_build_object({', '.join(c)}))" for c in _chunks(always)]
        parts += [f"jsonb_build_object({', '.join(c)})" for c in _chunks(kept)]
        if checked:
            # One test for the ordinary row; the documents are built for the odd one only.
            anything = "\n        OR ".join(odd for odd, _ in checked)
            everything = "\n        || ".join(doc for _, doc in checked)
            parts.append(f"CASE WHEN {anything}\n        THEN {everything}\n        ELSE '{{}}'::jsonb END")
        return "(" + "\n        || ".join(parts) + ")" if parts else "'{}'::jsonb"

    def _exact(self, column: Column, sources: Mapping[str, str], target_types: Mapping[str, str]) -> bool:
        """True where the way back provably returns the value: copied as it is, or JSON that is exact."""
        if column.name in self.packed:
            return types.json_is_exact(column)
        if column.name == self.key:
            return self.key_back is not None and types.canonical(column.type) == "uuid"
        back = bare_column(self.reverse.get(column.name, ""))
        if back is None or back[0] != "t":
            return False
        return (
            bare_column(sources.get(back[1], "")) == (self.alias, column.name)
            and types.canonical(self.types.get(column.name, column.type)) == types.canonical(column.type)
            and target_types.get(back[1]) == column.sql_type
        )


def computed(table: Table, rows: str) -> str:
    """``rows`` has the columns that can be written; with them those that the table computes, in the same way."""
    if not any(c.generated for c in table.columns):
        return rows
    columns = comma(
        c.sql if c.generation is None else f"({c.generation})::{c.sql_type} AS {c.sql}" for c in table.columns
    )
    return f"SELECT {columns}\nFROM (\n{rows}\n) legacy"


def _chunks(entries: list[str]) -> list[list[str]]:
    return [entries[i : i + _PAIRS] for i in range(0, len(entries), _PAIRS)]


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
