"""Derive: rows of one table computed from the rows of another, one way.

The target belongs to the new application: it may have existed before, and it holds rows of others. So a derived row is
known by its key alone. The key is drawn from the target's own default, and `changeover.key_map` remembers the pair: the
key of the source row, the key that was drawn, and a digest of the row as it was stored. A row whose digest is another
one now was changed by the application and is the application's from then on: no mirror writes it, no deletion of a
source row deletes it. There is no trigger on the target and no way from it to the source.

Where the plan names `target_key`, the key is not drawn but derived, and one source row may have several derived rows: one
for each item of `each`. A pair then has the key of the source row and the derived key, `item`, as a JSON array. The rows of
a source row are a set: an item that comes gets a row, one that goes takes its row along, and the order of a list means
nothing. A second item with the same key is rejected as `repeated`, one whose key is the application's or another row's as `id_taken`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import quote
from orchestrator.mapping.derivation import NO_VALUE, Derivation
from orchestrator.mapping.part import Part
from orchestrator.mapping.source import OneSource
from orchestrator.mapping.sqltext import comma, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.kinds.derive import Derive

LEFT_OUT = "#left_out"
"""In the place of a reason: the plan wants no derived row for this one (`when`)."""
ITEM = "#item"
"""In a rejected row, beside its columns: the item, with its place in the list and its text."""
REPEATED = "repeated"
TAKEN = "id_taken"


@dataclass(frozen=True)
class DeriveSource(OneSource):
    """One source of a derive, ready to be compiled."""

    id: int
    mapping_id: int
    stage: str
    discriminators: Sequence[str]
    spec: Derive
    table: Table
    target: Table
    drawn: str
    """The expression that draws the next key of the target; empty where the key is derived."""
    lookup_tables: Mapping[str, Table]
    describe: Callable[[str], list[str]] = field(compare=False)

    @cached_property
    def key(self) -> Column:
        """The source's key column: what the pairs are found by, so no two rows may have the same."""
        column = self.table.by_name.get(self.spec.key.column)
        if column is None or not self.table.is_unique(column.name):
            lacks = "no such column" if column is None else "no unique index on that column"
            raise RefusedError(
                what=f"The key of mapping {self.spec.label} is {self.table.label}.{self.spec.key.column}: there is {lacks}.",
                kept="Nothing was changed.",
                todo="A derive finds its rows again by that key: name a column with a primary key or a unique index.",
            )
        return column

    @property
    def target_key(self) -> list[Column]:
        """The target's key: the columns that the plan derives, or the one that the target's default gives."""
        return [self.target.by_name[name] for name in self.spec.target_key or [self.spec.key.target]]

    @property
    def next_key(self) -> str:
        """The key of a derived row ``d`` that is about to be made."""
        return self.drawn or self.id_of("d")

    def id_of(self, alias: str) -> str:
        """The key of a target row as text, as it is in `changeover.key_map`."""
        return self.spec.key_text(alias)

    def item_of(self, alias: str) -> str:
        """Which of the rows that are derived from its source row a derived row is."""
        return self.id_of(alias) if self.spec.target_key else "''"

    @property
    def key_of_row(self) -> str:
        """The key of a source row ``x`` as text; '' where it is NULL."""
        return f"coalesce(x.{self.key.sql}::text, '')"

    @property
    def keys_of_rows(self) -> str:
        """The keys of all source rows, to be restricted."""
        return f"SELECT {self.key_of_row} AS key FROM {self.table.sql} x"

    def pair(self, alias: str, key: str) -> str:
        """The predicate for the pair ``alias`` of a source key."""
        return f"{alias}.source_id = {self.id} AND {alias}.key = {key}"

    def paired(self, alias: str, row: str) -> str:
        """The predicate for the pair ``alias`` of a derived row."""
        return self.pair(alias, f'{row}."#key"') + f" AND {alias}.item = {self.item_of(row)}"

    def of_pair(self, alias: str) -> str:
        """The predicate for the target row ``g`` of a pair."""
        if not self.spec.target_key:
            (key,) = self.target_key
            return f"g.{key.sql} = {alias}.target_key::{key.sql_type}"
        known = enumerate(self.target_key)
        each = (f"g.{c.sql} = ({alias}.target_key::jsonb ->> {n})::{c.sql_type}" for n, c in known)
        return "(" + " AND ".join(each) + ")"

    @cached_property
    def part(self) -> Part:
        """Reading the source."""
        return Part(table=self.table, alias="s", types=self.spec.types, reverse={}, key=self.key.name)

    def rows(self, where: str, origin: str | None = None) -> str:
        """The FROM clause: source rows, and what the discovery said of their table."""
        return (
            f"(\n    {self.part.rows(where, origin)}\n) s\n"
            f"CROSS JOIN (SELECT {literal(self.discriminators[0])}::text AS discriminator, "
            f"{literal(self.table.label)}::text AS name) d{self._items}"
        )

    @property
    def _items(self) -> str:
        if self.spec.each is None:
            return ""
        return (
            '\nCROSS JOIN LATERAL (\n    SELECT u.text, changeover.try_numeric(u.text) AS number, row_number() OVER () AS "#place"\n'
            f"    FROM (SELECT ({self.spec.each})::text AS text) u\n) v"
        )

    @cached_property
    def derivation(self) -> Derivation:
        """The target's columns over one source row."""
        joins = (
            f"\nLEFT JOIN {self.lookup_tables[n].sql} {quote(n)} ON {x.match}" for n, x in self.spec.lookups.items()
        )
        return Derivation(
            target=self.target,
            columns=self.spec.columns,
            extra={},
            lookups=self.spec.lookups,
            lookup_tables=self.lookup_tables,
            rejects=self.spec.rejects,
            exempt=self.spec.exempt,
            exempt_column=self.spec.exempt_column,
            originals_column=None,
            originals="",
            own_reason=f"""WHEN s."#key" IS NULL THEN 'no_key'
        WHEN NOT coalesce(({self.spec.when}), false) THEN {literal(LEFT_OUT)}""",
            describe_from=self.rows("false", self.part.typed) + "".join(joins),
            describe=self.describe,
        )

    def derive(self, where: str) -> str:
        """The derived rows of some source rows."""
        row, place = 's."#row"', "1"
        if self.spec.each is not None:
            place = 'v."#place"'
            row += f" || jsonb_build_object('{ITEM}', jsonb_build_object('place', {place}, 'text', v.text))"
        values = (self.rows(where), """coalesce(s."#key", '')""", row, 's."#ctid"')
        if not self.spec.target_key:
            return self.derivation.select(*values)
        return self._of_free_keys(self.derivation.select(*values, more=[f'{place} AS "#place"']))

    def _of_free_keys(self, derived: str) -> str:
        """Derived rows whose keys are there, are said once, and are nobody else's; the others with their reason.

        Of several with one key that the plan does not reject the first counts. OFFSET 0 keeps each look by its key: the planner, who
        believes in a thousand items of each row, would read the whole table once.
        """
        keys = [c.sql for c in self.target_key]
        out = ['w."#key"', 'w."#row"', 'w."#ctid"', *(f"w.{c.sql}" for c in self.derivation.written)]
        lacks = " OR ".join(f"w.{key} IS NULL" for key in keys)
        same = ", ".join(['w."#key"', *(f"w.{key}" for key in keys), 'w."#reason" IS NULL'])
        there = " AND ".join(f"g.{key} = w.{key}" for key in keys)
        known = f"EXISTS (SELECT FROM changeover.key_map m WHERE {self.paired('m', 'w')} OFFSET 0)"
        out.append(
            'CASE WHEN w."#reason" IS NOT NULL THEN w."#reason"\n'
            f"        WHEN {lacks} THEN {literal(NO_VALUE)}\n"
            f'        WHEN row_number() OVER (PARTITION BY {same} ORDER BY w."#place") > 1 THEN {literal(REPEATED)}\n'
            f"        WHEN EXISTS (SELECT FROM {self.target.sql} g WHERE {there} OFFSET 0)\n"
            f'            AND NOT {known} THEN {literal(TAKEN)} END AS "#reason"'
        )
        out.append('w."#unresolved"')
        return f"SELECT {comma(out)}\nFROM (\n{derived}\n) w"


def digest(alias: str) -> str:
    """What a target row looks like now. A column that is added later and is NULL changes nothing."""
    return f"md5(jsonb_strip_nulls(to_jsonb({alias}.*))::text)"
