"""Split: columns of one table into rows of another, one row per column that counted.

The source stays the master of its columns; the target's rows are keyed by their parent and the
column's name. What the columns say is derived with the mapping's expressions over ``v`` (name, text,
number). The way back puts the value of a row into its column, so a new application may write the
rows and the old one still reads its columns. Values travel as numbers where the plan's ``value`` is one (a text column
may hold numbers among other words), as times, booleans, uuids and JSON where it is that, else as text. A row that is
not there is ``absent``: NULL, or what the plan says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import mentions
from orchestrator.mapping import types
from orchestrator.mapping.derivation import Derivation
from orchestrator.mapping.part import Part, like
from orchestrator.mapping.source import OneSource
from orchestrator.mapping.sqltext import comma, literal, text_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.kinds.split import Split

# Types in which values travel as they are; numbers do as numeric, all others as text.
_VALUES = frozenset({"bool", "date", "timestamp", "timestamptz", "uuid", "jsonb"})


@dataclass(frozen=True)
class SplitSource(OneSource):
    """One source of a split, ready to be compiled."""

    id: int
    mapping_id: int
    stage: str
    discriminators: Sequence[str]
    spec: Split
    table: Table
    target: Table
    parent: Table | None
    lookup_tables: Mapping[str, Table]
    describe: Callable[[str], list[str]] = field(compare=False)

    @cached_property
    def parent_column(self) -> Column:
        """The target column that refers to the parent."""
        return self.target.by_name[self.spec.key.target]

    @cached_property
    def items(self) -> list[Column]:
        """The columns that can become rows."""
        return [
            c
            for c in self.table.columns
            if c.name != self.key.name
            and c.name not in self.spec.except_columns
            and not any(like(p, c.name) for p in self.spec.except_like)
        ]

    def target_of(self, key: str) -> str:
        """The parent's key for a source key given as text; the same rule as in unify."""
        if self.parent_column.type != "uuid":
            return self.given(key, self.parent_column.sql_type)
        if self.key.type == "uuid":
            return self.given(key, "uuid")
        derived = f"changeover.uuid_of({literal(self.table.label)}, {key})"
        if types.roomy(self.key):
            return f"CASE WHEN changeover.is_uuid({key}) THEN ({key})::uuid ELSE {derived} END"
        born = (
            "SELECT b.target_key::uuid FROM changeover.key_map b JOIN changeover.source z ON z.id = b.source_id "
            f"WHERE z.oid = {self.table.oid} AND b.key = {key} LIMIT 1"
        )
        return f"coalesce(({born}), {derived})"

    @cached_property
    def kind(self) -> str:
        """The type in which values travel back: that of the plan's ``value``, numbers as numeric, odd types as text."""
        kind = self.describe(f"SELECT ({self.spec.value})\nFROM {self.target.sql} t\nLIMIT 0")[0]
        return "numeric" if kind in types.NUMBERS else kind if kind in _VALUES else "text"

    @property
    def value(self) -> str:
        """The value of a target row ``t`` in the type in which it travels."""
        return f"({self.spec.value})::{self.kind}"

    @property
    def absent(self) -> str:
        """What the old column has while the target has no row for it."""
        return f"({'NULL' if self.spec.absent is None else self.spec.absent})::{self.kind}"

    @property
    def writable(self) -> list[Column]:
        """The items that the way back may set; one that cannot be NULL needs a plan that says what absent is."""
        columns = [c for c in self.items if not c.generated]
        if self.spec.absent is None and (stuck := [c.name for c in columns if c.not_null and self._may_count(c)]):
            raise RefusedError(
                what=f"Mapping {self.spec.label}: {self.table.label}.{stuck[0]} is NOT NULL, and it would become NULL when the "
                f"new application deletes its row of {self.target.label}.",
                kept="Nothing was changed.",
                todo="Say in the mapping what stands for a row that is not there (`absent: 0`), or take the column out of the "
                f"items (`except: [{', '.join(stuck)}]`).",
            )
        return columns

    def _may_count(self, column: Column) -> bool:
        return self.kind != "numeric" or column.type in types.NUMBERS

    def value_in(self, column: Column, raw: str) -> str:
        """The value in an old column, in the type in which it travels; NULL where it holds none."""
        return self.number_in(column, raw) if self.kind == "numeric" else types.coerce(raw, column.type, self.kind)

    def column_value(self, column: Column) -> str:
        """What the way back puts into a column for ``p_value``: NULL where that cannot hold it."""
        if self.kind != "numeric":
            return types.fit("p_value", self.kind, column)
        if column.type == "bool":
            return "p_value <> 0"
        if column.type == "jsonb":
            return "to_jsonb(p_value)"
        if column.type in types.INTEGERS:
            low, high = types.INTEGER_LIMITS[column.type]
            return f"CASE WHEN round(p_value) BETWEEN {low} AND {high} THEN round(p_value)::{column.sql_type} END"
        return types.fit("p_value", "numeric", column)

    def number(self, column: Column) -> str:
        """The number that a raw column holds, NULL where it holds none."""
        return self.number_in(column, f's."#{column.attnum}"')

    def number_in(self, column: Column, raw: str) -> str:
        """The number in a value of a column."""
        if column.type == "bool":
            return f"({raw})::int::numeric"
        if column.type in types.NUMBERS:
            return f"({raw})::numeric"
        if column.type in {"json", "jsonb"}:
            return f"CASE jsonb_typeof({raw}::jsonb) WHEN 'number' THEN ({raw}::jsonb #>> '{{}}')::numeric END"
        return f"changeover.try_numeric({raw}::text)" if column.type in types.TEXTUAL else "NULL::numeric"

    def parent_stands(self, reference: str) -> str:
        """The parent is there and belongs to this source. OFFSET 0: looked for by its key, not by reading all parents."""
        if self.parent is None:
            return "true"
        key = self.parent.by_name[self.spec.parent_key].sql
        return f"EXISTS (SELECT FROM {self.parent.sql} p WHERE p.{key} = {reference}{self._parent_own} OFFSET 0)"

    def stands(self, reference: str) -> str:
        """The parent is there, whoever it belongs to."""
        if self.parent is None:
            return "true"
        key = self.parent.by_name[self.spec.parent_key].sql
        return f"EXISTS (SELECT FROM {self.parent.sql} p WHERE p.{key} = {reference} OFFSET 0)"

    @property
    def _parent_own(self) -> str:
        if self.parent is None or self.spec.parent_discriminator is None:
            return ""
        column = self.parent.by_name[self.spec.parent_discriminator]
        return f" AND p.{column.sql} = ANY ({text_array(self.discriminators)}::{column.sql_type}[])"

    @property
    def own(self) -> str:
        """A target row is ours to delete: no other source's parent stands behind it."""
        if self.parent is None or self.spec.parent_discriminator is None:
            return "true"
        key, column = self.parent.by_name[self.spec.parent_key].sql, self.parent.by_name[self.spec.parent_discriminator]
        mine = f"{text_array(self.discriminators)}::{column.sql_type}[]"
        return (
            f"NOT EXISTS (SELECT FROM {self.parent.sql} p WHERE p.{key} = g.{self.parent_column.sql} "
            f"AND NOT p.{column.sql} = ANY ({mine}) OFFSET 0)"
        )

    @cached_property
    def part(self) -> Part:
        """Reading the source."""
        return Part(table=self.table, alias="s", types={}, reverse={}, key=self.key.name)

    def rows(self, where: str, origin: str | None = None) -> str:
        """The FROM clause: source rows times the columns that can count."""
        values = comma((f'({literal(c.name)}, s."#{c.attnum}"::text, {self.number(c)})' for c in self.items), 8)
        unpivoted = f"VALUES {values}" if self.items else "SELECT NULL::text, NULL::text, NULL::numeric WHERE false"
        return (
            f"(\n    {self.part.rows(where, origin)}\n) s\n"
            f"CROSS JOIN (SELECT {literal(self.discriminators[0])}::text AS discriminator, "
            f"{literal(self.table.label)}::text AS name) d\n"
            f"CROSS JOIN LATERAL (SELECT v.* FROM (\n    {unpivoted}\n) v (name, text, number) WHERE {self.spec.when}) v"
        )

    @cached_property
    def derivation(self) -> Derivation:
        """The target's columns over one source column."""
        return Derivation(
            target=self.target,
            columns=self.spec.columns,
            extra={self.spec.key.target: self.target_of('s."#key"'), self.spec.item: "v.name"},
            lookups=self.spec.lookups,
            lookup_tables=self.lookup_tables,
            rejects=self.spec.rejects,
            exempt=self.spec.exempt,
            exempt_column=self.spec.exempt_column,
            originals_column=None,
            originals="",
            own_reason=self._own_reason,
            describe_from=self.rows("false", self.part.typed)
            + "".join(
                f"\nLEFT JOIN {self.lookup_tables[n].sql} {quote(n)} ON {lookup.match}"
                for n, lookup in self.spec.lookups.items()
            ),
            describe=self.describe,
        )

    def match_over(self, name: str) -> str:
        """The match of a lookup over an item; ``true`` where it reads the row of another lookup."""
        text = self.spec.lookups[name].match
        return "true" if any(mentions(text, other) for other in self.spec.lookups if other != name) else text

    @property
    def _own_reason(self) -> str:
        reason = f"WHEN NOT {self.parent_stands(f't.{self.parent_column.sql}')} THEN 'no parent'"
        if self.table.is_unique(self.key.name):
            return reason
        first = f'y.{self.key.sql} = s."#{self.key.attnum}" AND y.ctid < s."#ctid"'
        return f"{reason}\n        WHEN EXISTS (SELECT FROM {self.table.sql} y WHERE {first} OFFSET 0) THEN 'id_taken'"

    def derive(self, where: str) -> str:
        """The derived rows of some source rows."""
        return self.derivation.select(self.rows(where), 's."#key"')
