"""Unify: many tables, found by a query or listed, into one.

Each source keeps its own functions, compiled for its own columns; the target has one pair of triggers
that finds a row's source by the discriminator. A source key that is a uuid (or its text) becomes the
target's key as it is; any other key gives an id derived from the table's name and the key, and stays
in the originals. A row that is born on the new side under a random id gets the key its table would
have given it, and `changeover.key_map` remembers the pair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import columns_of, mentions, with_columns
from orchestrator.mapping import types
from orchestrator.mapping.derivation import NO_VALUE, Derivation
from orchestrator.mapping.frame import Frame, indirect, wrapped
from orchestrator.mapping.part import Part
from orchestrator.mapping.relations import call
from orchestrator.mapping.source import OneSource
from orchestrator.mapping.sqltext import literal, text_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.kinds.unify import Unify


@dataclass(frozen=True)
class UnifySource(OneSource):
    """One source of a unify, ready to be compiled."""

    id: int
    mapping_id: int
    stage: str
    ordinal: int
    discriminators: Sequence[str]
    spec: Unify
    table: Table
    target: Table
    lookup_tables: Mapping[str, Table]
    describe: Callable[[str], list[str]] = field(compare=False)

    # -- keys ------------------------------------------------------------------------------------

    @cached_property
    def target_key(self) -> Column:
        """The target's key column."""
        return self.target.by_name[self.spec.key.target]

    @cached_property
    def generated_key(self) -> bool:
        """True where the target's key is derived from a key that is neither a uuid nor text that has room for one."""
        return self.target_key.type == "uuid" and self.key.type != "uuid" and not types.roomy(self.key)

    def target_of(self, key: str) -> str:
        """The target key for a source key given as text."""
        if self.target_key.type != "uuid":
            return self.given(key, self.target_key.sql_type)
        if self.key.type == "uuid":
            return self.given(key, "uuid")
        derived = f"changeover.uuid_of({literal(self.table.label)}, {key})"
        if self.generated_key:
            born = (
                f"SELECT b.target_key::uuid FROM changeover.key_map b WHERE b.source_id = {self.id} AND b.key = {key}"
            )
            return f"coalesce(({born}), {derived})"
        return f"CASE WHEN changeover.is_uuid({key}) THEN ({key})::uuid ELSE {derived} END"

    @cached_property
    def key_back(self) -> str | None:
        """The source key over ``t``; None where only the originals knows it."""
        if self.generated_key:
            return None
        return types.fit(f"t.{self.target_key.sql}", self.target_key.type, self.key)

    @cached_property
    def several(self) -> bool:
        """True where several rows may have one key: then the first, by its place, speaks for it."""
        return not self.table.is_unique(self.key.name)

    # -- predicates over the target ----------------------------------------------------------------

    def own(self, alias: str) -> str:
        """The target row belongs to this source."""
        if self.spec.discriminator is None:
            return "true"
        column = self.target.by_name[self.spec.discriminator]
        return f"{alias}.{column.sql} = ANY ({text_array(self.discriminators)}::{column.sql_type}[])"

    def alive(self, alias: str) -> str:
        """The target row has a counterpart in the source at all."""
        if self.spec.exists_when is None:
            return "true"
        return (
            f"(SELECT {self.spec.exists_when} FROM (SELECT {alias}.*) t)"
            if alias != "t"
            else f"({self.spec.exists_when})"
        )

    def later(self, alias: str) -> str:
        """The target row belongs to a source that comes after this one, and gives way to it."""
        if self.spec.discriminator is None:
            return "false"
        column = quote(self.spec.discriminator)
        return (
            f"EXISTS (SELECT FROM changeover.source z WHERE z.mapping_id = {self.mapping_id} "
            f"AND z.ordinal > {self.ordinal} AND {alias}.{column}::text = ANY (z.discriminators))"
        )

    # -- parts -------------------------------------------------------------------------------------

    @cached_property
    def frame(self) -> Frame:
        """The target side."""
        packs = tuple(dict.fromkeys(self.spec.pack.values()))
        return Frame(self.target, self.spec, (self.spec.key.target,), packs, self.alive)

    @cached_property
    def part(self) -> Part:
        """The source side."""
        return Part(
            table=self.table,
            alias="s",
            types=self.spec.types,
            reverse=self.spec.reverse,
            keep_original=self.spec.keep_original,
            pack=self.spec.pack,
            key=self.key.name,
            key_back=self.key_back,
        )

    def rows(self, where: str, origin: str | None = None) -> str:
        """The FROM clause: the source rows and what discovery said of the source."""
        if self.spec.discriminator is not None:
            kind = self.target.by_name[self.spec.discriminator].sql_type
            value = f"{literal(self.discriminators[0])}::{kind}"
        else:
            value = "NULL::text"
        return (
            f"(\n    {self.part.rows(where, origin)}\n) s\n"
            f"CROSS JOIN (SELECT {value} AS discriminator, {literal(self.table.label)}::text AS name) d"
        )

    @cached_property
    def key_text(self) -> str:
        """The source key as text, '' where there is none."""
        return "coalesce(s.\"#key\", '')"

    @cached_property
    def derivation(self) -> Derivation:
        """The target's columns over one source row."""
        raw_key = self.part.raw(self.key)
        forward_key = raw_key if self.key.type == self.target_key.type else self.target_of('s."#key"')
        extra: dict[str, str] = {self.spec.key.target: forward_key}
        if self.spec.discriminator is not None and self.spec.discriminator not in self.spec.columns:
            extra[self.spec.discriminator] = "d.discriminator"
        for target in dict.fromkeys(self.spec.pack.values()):
            extra[target] = self.part.pack_expression(target)
        sources = {n: (r if isinstance(r, str) else r.expression) for n, r in self.spec.columns.items()}
        elsewhere = indirect(self.spec.lookups, sources)
        originals = self.part.originals_expression(
            sources,
            {c.name: c.sql_type for c in self.target.columns},
            lambda back: wrapped(back, elsewhere, self.lookup_tables),
        )
        column, member = self.spec.originals_column, self.spec.originals_key
        lateral, stored = "", originals
        if column is not None and member is not None:
            # OFFSET 0 keeps the planner from computing the document twice.
            lateral = f"\nCROSS JOIN LATERAL (SELECT {originals} AS document OFFSET 0) r"
            stored = f"CASE r.document WHEN '{{}}' THEN '{{}}'::jsonb ELSE jsonb_build_object({literal(member)}, r.document) END"
        return Derivation(
            target=self.target,
            columns=self.spec.columns,
            extra=extra,
            lookups=self.spec.lookups,
            lookup_tables=self.lookup_tables,
            rejects=self.spec.rejects,
            exempt=self.spec.exempt,
            exempt_column=self.spec.exempt_column,
            originals_column=column,
            originals=stored,
            own_reason=self._own_reason,
            describe_from=self.rows("false", self.part.typed) + self._lookup_joins,
            describe=self.describe,
            lateral=lateral,
        )

    @cached_property
    def _lookup_joins(self) -> str:
        return "".join(
            f"\nLEFT JOIN {self.lookup_tables[n].sql} {quote(n)} ON {lookup.match}"
            for n, lookup in self.spec.lookups.items()
        )

    @cached_property
    def _own_reason(self) -> str:
        cases = []
        if not self.key.not_null:
            cases.append(f"WHEN {self.key_text} = '' THEN 'no_key'")
        if self.several:
            cases.append(
                f"WHEN EXISTS (SELECT FROM {self.table.sql} y WHERE y.{self.key.sql} = {self.part.raw(self.key)} "
                "AND y.ctid < s.\"#ctid\") THEN 'id_taken'"
            )
        return "\n        ".join(cases)

    def derive(self, where: str, origin: str | None = None) -> str:
        """The derived rows of some source rows."""
        return self.derivation.select(self.rows(where, origin), self.key_text, 's."#row"', 's."#ctid"')

    def match_over(self, name: str) -> str:
        """The match of a lookup over a row ``"#s"`` of the source; ``true`` where it reads more than that."""
        text = self.spec.lookups[name].match
        read = columns_of(text, "s")
        if any(mentions(text, other) for other in self.spec.lookups if other != name) or read - {
            "#key",
            *self.spec.types,
        }:
            return "true"

        def typed(column: str) -> str:
            if column == "#key":
                return f'"#s".{self.key.sql}::text'
            found, want = self.table.by_name.get(column), self.spec.types[column]
            if found is None:
                return f"NULL::{'integer' if want == 'seconds' else want}"
            return types.coerce(f'"#s".{found.sql}', found.type, want)

        told = {
            "discriminator": f"{literal(self.discriminators[0])}::text",
            "name": f"{literal(self.table.label)}::text",
        }
        return with_columns(with_columns(text, "s", typed), "d", lambda column: told.get(column, "NULL"))

    def derived(self, name: str, argument: str) -> str:
        """The same rows, asked of the function of that name."""
        return call(self.fn, name, argument)

    def rejected(self, derived: str) -> str:
        """The rows among them that are rejected: key, reason, detail, row."""
        stands = f"EXISTS (SELECT FROM {self.target.sql} h WHERE h.{self.target_key.sql} = d.{self.target_key.sql})"
        lacking = f"{self.derivation.lacking('d')} AND NOT {stands}" if self.derivation.required else "false"
        taken = f"g.{self.target_key.sql} = d.{self.target_key.sql} AND NOT ({self.own('g')})"
        return (
            'SELECT d."#key" AS key,\n'
            f'    coalesce(d."#reason", CASE WHEN {lacking} THEN {literal(NO_VALUE)} '
            f"WHEN {self.later('g')} THEN 'displaces' ELSE 'id_taken' END) AS reason,\n"
            f'    {self.derivation.lacks("d")} AS detail, d."#row" AS "row", d."#ctid" AS place\n'
            f"FROM (\n{derived}\n) d LEFT JOIN {self.target.sql} g ON {taken}\n"
            f'WHERE d."#reason" IS NOT NULL OR g.{self.target_key.sql} IS NOT NULL OR ({lacking})'
        )

    # -- the way back --------------------------------------------------------------------------------

    def wrap(self, expression: str) -> str:
        """A way back over ``t`` alone."""
        return wrapped(expression, self.spec.lookups, self.lookup_tables)

    @cached_property
    def plain(self) -> list[Column]:
        """The source's columns that can be written."""
        return [c for c in self.table.columns if not c.generated]

    def legacy(self, column: Column) -> str:
        """The legacy value of one column over ``t``."""
        return self.part.legacy_value(column, self.frame.document("t"), self.wrap)

    @cached_property
    def legacy_key(self) -> str:
        """The source key, as text, over ``t``."""
        return f"({self.legacy(self.key)})::text"

    def key_of(self, row: str) -> str:
        """The source key, as text, of a target row given as a composite value."""
        return f"(SELECT {self.legacy_key} FROM (SELECT ({row}).*) t)"
