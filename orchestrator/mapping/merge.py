"""Merge: several tables into one by a natural key, with precedence.

The unit is the key, not the row: whatever changes in any source, the row of its key is derived again
from all of them. In each source the first row of a key, by the plan's order, speaks for it; the others
are rejected as ``duplicate``, naming the first. The target's originals has one member per source, and
by that tells which sources a row has. A row whose sources are all gone is not deleted where the plan
says how such a row looks: others may refer to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import mentions, with_columns
from orchestrator.mapping import types
from orchestrator.mapping.derivation import Derivation
from orchestrator.mapping.frame import Frame, indirect, wrapped
from orchestrator.mapping.model import ColumnRule, rule
from orchestrator.mapping.objects import pins
from orchestrator.mapping.part import Part
from orchestrator.mapping.relations import call
from orchestrator.mapping.sqltext import comma, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.kinds.merge import Merge, MergeSource

_PLACE, _ROW, _NATURAL = 's."#ctid"', 's."#row"', 'o."#natural"'


@dataclass(frozen=True)
class MergePart:
    """One source of a merge."""

    id: int
    name: str
    spec: MergeSource
    table: Table

    @property
    def reverse(self) -> str:
        """The origin that the reverse mirror writes under."""
        return f"m{self.id}:r"

    @property
    def fn(self) -> str:
        """Prefix of this source's functions."""
        return f"m{self.id}"

    @cached_property
    def part(self) -> Part:
        """Reading and giving back."""
        return Part(table=self.table, alias=self.name, types=self.spec.types, reverse=self.spec.reverse, present=True)

    def on(self, expression: str, alias: str) -> str:
        """An expression over ``s`` as one over the table itself, for indexes and locks."""

        def raw(name: str) -> str:
            column = self.table.by_name.get(name)
            want = self.spec.types.get(name)
            if column is None:
                return f"NULL::{want or 'text'}"
            reference = f"{alias}.{column.sql}" if alias else column.sql
            return types.coerce(reference, column.type, want or column.type)

        return with_columns(expression, "s", raw)

    @property
    def order(self) -> str:
        """The order of the rows of a key; ctid breaks what is left, among rows that are alike."""
        return ", ".join([*self.spec.order, 's."#ctid"'])

    def first(self, key: str, columns: str = "s.*") -> str:
        """The first valid row of a key, as a subquery; ``key`` must not refer to an ``s`` of its own."""
        return (
            f"SELECT {columns} FROM (\n    {self.part.rows('true')}\n    ) s\n"
            f"    WHERE {self.spec.key} = {key} AND ({self.spec.valid})\n    ORDER BY {self.order}\n    LIMIT 1"
        )

    def rows_of(self, keys: str) -> str:
        """The rows of the table ``x`` that have one of an array of keys."""
        key = self.on(self.spec.key, "x")
        return f"({key} = ANY ({keys}) OR ('' = ANY ({keys}) AND {key} IS NULL))"

    @property
    def keys_of_rows(self) -> str:
        """The keys of all rows, to be restricted."""
        return f"SELECT coalesce({self.on(self.spec.key, 'x')}, '') AS key FROM {self.table.sql} x"

    def place_of_first(self, key: str) -> str:
        """Where the first row of a key stands."""
        return f"({self.first(key, _PLACE)})"


@dataclass(frozen=True)
class MergeMapping:
    """A merge, ready to be compiled."""

    id: int
    stage: str
    spec: Merge
    target: Table
    parts: Sequence[MergePart]
    lookup_tables: Mapping[str, Table]
    describe: Callable[[str], list[str]] = field(compare=False)

    @property
    def fn(self) -> str:
        """Prefix of the mapping's functions."""
        return f"x{self.id}"

    @property
    def forward(self) -> str:
        """The origin that the forward mirror writes under."""
        return f"{self.spec.label}:f"

    @cached_property
    def pins(self) -> str:
        """Fixed settings of every function here."""
        schemas = (p.table.home or p.table.schema for p in self.parts)
        return pins(*schemas, self.target.schema, *self.spec.search_path)

    @cached_property
    def frame(self) -> Frame:
        """The target side."""
        return Frame(self.target, self.spec, (self.spec.key,))

    @property
    def originals(self) -> str:
        """The originals column, quoted."""
        return quote(self.spec.originals_column or "")

    # -- derivation ------------------------------------------------------------------------------

    def rows(self, keys: str, values: Mapping[str, str] | None = None) -> str:
        """The FROM clause: keys, and for each source the row that speaks for the key."""
        joins = [
            f"LEFT JOIN LATERAL (\n    {p.first('k.key') if values is None else values[p.name]}\n) {quote(p.name)} ON true"
            for p in self.parts
        ]
        joins += [self._absent(name) for name in self.spec.sources if name not in {p.name for p in self.parts}]
        return f"({keys}) k\n" + "\n".join(joins)

    def _absent(self, name: str) -> str:
        """A source whose table does not exist here: its columns are NULL in every expression."""
        columns = comma(
            f"NULL::{'integer' if want == 'seconds' else want} AS {quote(column)}"
            for column, want in self.spec.sources[name].types.items()
        )
        return f"LEFT JOIN (SELECT {columns} WHERE false) {quote(name)} ON true"

    @cached_property
    def columns(self) -> dict[str, ColumnRule | str]:
        """The plan's columns; a unique one goes to the first key that claims its value."""
        columns: dict[str, ColumnRule | str] = dict(self.spec.columns)
        for name, value in self.spec.columns.items():
            if rule(value).unique:
                columns[name] = self._first_claim(rule(value).expression)
        return columns

    def _first_claim(self, expression: str) -> str:
        part, claimed = self._claim(expression)
        if part is None:
            return expression  # the source's table is not there: NULL
        # The key is a column of its own here: the search for its first row has an s of its own. It comes before the
        # place, for a row changes its place with every update, and must not lose or win the value by that.
        order = ", ".join([*part.spec.order, f'({part.spec.key}) COLLATE "C"', _PLACE])
        holder = (
            f'(SELECT o."#natural" FROM (SELECT s.*, {part.spec.key} AS "#natural" FROM (\n'
            f"    {part.part.rows('true')}\n    ) s "
            f"WHERE ({claimed}) = ({expression}) AND ({part.spec.valid}) ORDER BY {order}) o "
            f'WHERE o."#ctid" = {part.place_of_first(_NATURAL)} LIMIT 1)'
        )
        # What the new side has just written nobody holds in the source yet: it will be this key's.
        return f"CASE WHEN ({expression}) IS NOT NULL AND coalesce({holder}, k.key) = k.key THEN {expression} END"

    def _claim(self, expression: str) -> tuple[MergePart | None, str]:
        """The one source that a unique column is made of, and the same expression over a row ``s`` of it."""
        read = [name for name in self.spec.sources if mentions(expression, name)]
        if len(read) != 1:
            raise UsageError(
                what=f"{self.target.label}: a unique column must come from one source, not {expression!r}.",
                kept="Nothing was changed.",
                todo="Write an expression over one source (`from: source.column`), or leave out `unique`.",
            )
        claimed = with_columns(expression, read[0], lambda column: f"s.{quote(column)}")
        return next((p for p in self.parts if p.name == read[0]), None), claimed

    def claims(self, part: MergePart) -> dict[str, str]:
        """What of a source's row ``s`` only one target row may have, by the target's column."""
        unique = {name: rule(value).expression for name, value in self.spec.columns.items() if rule(value).unique}
        claimed = {name: self._claim(expression) for name, expression in unique.items()}
        return {name: over for name, (owner, over) in claimed.items() if owner == part}

    @cached_property
    def exempt(self) -> dict[str, str]:
        """The plan's rules, and one for each unique column that went to somebody else."""
        rules = dict(self.spec.exempt)
        for name, value in self.spec.columns.items():
            if rule(value).unique:
                rules[f"unique_{name}"] = f"({rule(value).expression}) IS NOT NULL AND t.{quote(name)} IS NULL"
        return rules

    @cached_property
    def derivation(self) -> Derivation:
        """The target's columns over the sources' first rows."""
        sources = {n: rule(r).expression for n, r in self.columns.items()}
        target_types = {c.name: c.sql_type for c in self.target.columns}
        elsewhere = indirect(self.spec.lookups, sources)

        def wrap(back: str) -> str:
            return wrapped(back, elsewhere, self.lookup_tables)

        documents = [
            f'CASE WHEN {quote(p.name)}."#present" THEN jsonb_build_object({literal(p.name)}, '
            f"{p.part.originals_expression(sources, target_types, wrap)}) ELSE '{{}}'::jsonb END"
            for p in self.parts
        ]
        absent = " AND ".join(f'{quote(p.name)}."#present" IS NULL' for p in self.parts)
        return Derivation(
            target=self.target,
            columns=self.columns,
            extra={self.spec.key: "k.key"},
            lookups=self.spec.lookups,
            lookup_tables=self.lookup_tables,
            rejects=self.spec.rejects,
            exempt=self.exempt,
            exempt_column=self.spec.exempt_column,
            originals_column=self.spec.originals_column,
            originals="(" + " || ".join(documents) + ")",
            own_reason=f"WHEN {absent} THEN 'gone'",
            describe_from=self.rows(
                "SELECT NULL::text AS key WHERE false", {p.name: p.part.rows("false", p.part.typed) for p in self.parts}
            )
            + "".join(
                f"\nLEFT JOIN {self.lookup_tables[n].sql} {quote(n)} ON {lookup.match}"
                for n, lookup in self.spec.lookups.items()
            ),
            describe=self.describe,
            described={n: rule(value).expression for n, value in self.spec.columns.items()},
        )

    @cached_property
    def by_keys(self) -> str:
        """The derived rows of ``#keys``, asked of their function."""
        return call(self.fn, "new_rows", '"#keys"')

    def derive(self, keys: str) -> str:
        """The derived rows of an array of keys."""
        return self.derivation.select(self.rows(f"SELECT DISTINCT u.key FROM unnest({keys}) AS u (key)"), "k.key")

    def rejected(self, part: MergePart, where: str, derived: str) -> str:
        """The rejected rows of one source: no key, not the first of its key, or not representable.

        ``derived`` is a FROM item ``d`` that has ``#key`` and ``#reason`` of the keys that cannot be represented.
        """
        key, valid = part.spec.key, part.spec.valid
        return (
            'SELECT f.key, coalesce(f.reason, d."#reason") AS reason, f.detail, f."row" FROM (\n'
            "SELECT coalesce(o.\"#natural\", '') AS key,\n"
            f'    CASE WHEN o."#valid" IS NOT TRUE THEN {literal(part.spec.invalid)}\n'
            f"         WHEN o.\"#ctid\" <> {part.place_of_first(_NATURAL)} THEN 'duplicate' END AS reason,\n"
            f"    CASE WHEN o.\"#valid\" THEN 'the first is ' || left(({part.first(_NATURAL, _ROW)})::text, 1000) END AS detail,\n"
            f'    o."#row" AS "row"\nFROM (SELECT s.*, {key} AS "#natural", ({valid}) AS "#valid" FROM (\n'
            f"    {part.part.rows(where)}\n) s) o\n) f\n"
            f'LEFT JOIN {derived} ON d."#key" = f.key AND d."#reason" <> \'gone\'\n'
            'WHERE f.reason IS NOT NULL OR d."#reason" IS NOT NULL'
        )

    def match_over(self, name: str, part: MergePart) -> str:
        """The match of a lookup over a row ``"#s"`` of one source; ``true`` where it reads more than that.

        No row of it leads to a lookup that is matched with another source alone.
        """
        text = self.spec.lookups[name].match
        read = [source for source in self.spec.sources if mentions(text, source)]
        if read and part.name not in read:
            return ""
        others = [other for other in self.spec.lookups if other != name and mentions(text, other)]
        if read != [part.name] or others or mentions(text, "k"):
            return "true"
        return part.on(with_columns(text, part.name, lambda column: f"s.{quote(column)}"), '"#s"')

    # -- the way back ------------------------------------------------------------------------------

    def wrap(self, expression: str) -> str:
        """A way back over ``t`` alone."""
        return wrapped(expression, self.spec.lookups, self.lookup_tables)

    def legacy(self, part: MergePart, column: Column) -> str:
        """The legacy value of one column over ``t``."""
        document = f"coalesce(t.{self.originals} -> {literal(part.name)}, '{{}}')"
        return part.part.legacy_value(column, document, self.wrap)
