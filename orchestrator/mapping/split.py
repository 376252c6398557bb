"""Split: columns of one table into rows of another, one row per column that counted.

The source stays the master of its columns; the target's rows are keyed by their parent and the
column's name. What the columns say is derived with the mapping's expressions over ``v`` (name, text,
number). The way back puts the number of a row into its column, so a new application may write the
rows and the old one still reads its columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import quote
from orchestrator.mapping import types
from orchestrator.mapping.derivation import Derivation
from orchestrator.mapping.objects import LOCK_CLASS, DbObject, function, mirror_triggers, pins
from orchestrator.mapping.part import Part, like
from orchestrator.mapping.sqltext import comma, literal, render, text_array
from orchestrator.mapping.unify import target_triggers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.model import Split


@dataclass(frozen=True)
class SplitSource:
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
    describe: Callable[[str], list[str]]

    @property
    def fn(self) -> str:
        """Prefix of this source's functions."""
        return f"m{self.id}"

    @property
    def forward(self) -> str:
        """The origin that the forward mirror writes under."""
        return f"{self.spec.label}:f"

    @property
    def reverse(self) -> str:
        """The origin that the reverse mirror writes under."""
        return f"{self.spec.label}:r"

    @cached_property
    def pins(self) -> str:
        """Fixed settings of every function here."""
        return pins(self.table.schema, self.target.schema)

    @cached_property
    def key(self) -> Column:
        """The source's key column."""
        column = self.table.by_name.get(self.spec.key.column)
        if column is None:
            raise RefusedError(
                what=f"{self.table.label} has no column {self.spec.key.column!r}, the key of mapping {self.spec.label}.",
                kept="Nothing was changed.",
                todo="Give the table that column, or leave it out of the discovery query.",
            )
        return column

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
            return f"nullif({key}, '')::{self.parent_column.sql_type}"
        if self.key.type == "uuid":
            return f"nullif({key}, '')::uuid"
        derived = f"changeover.uuid_of({literal(self.table.label)}, {key})"
        if self.key.type in types.TEXTUAL:
            return f"CASE WHEN changeover.is_uuid({key}) THEN ({key})::uuid ELSE {derived} END"
        born = (
            "SELECT b.target_key::uuid FROM changeover.born b JOIN changeover.source z ON z.id = b.source_id "
            f"WHERE z.oid = {self.table.oid} AND b.key = {key} LIMIT 1"
        )
        return f"coalesce(({born}), {derived})"

    @cached_property
    def by_keys_where(self) -> str:
        """The predicate for the source rows of ``keys``."""
        return f"x.{self.key.sql} = ANY (array_remove(keys, '')::{self.key.sql_type}[])"

    def number(self, column: Column) -> str:
        """The number that a raw column holds, NULL where it holds none."""
        raw = f's."#{column.attnum}"'
        if column.type == "bool":
            return f"({raw})::int::numeric"
        if column.type in types.NUMBERS:
            return f"({raw})::numeric"
        if column.type in {"json", "jsonb"}:
            return f"CASE jsonb_typeof({raw}::jsonb) WHEN 'number' THEN ({raw}::jsonb #>> '{{}}')::numeric END"
        return f"changeover.try_numeric({raw}::text)" if column.type in types.TEXTUAL else "NULL::numeric"

    def parent_stands(self, reference: str) -> str:
        """The parent is there and belongs to this source."""
        if self.parent is None:
            return "true"
        key = self.parent.by_name[self.spec.parent_key].sql
        return f"EXISTS (SELECT FROM {self.parent.sql} p WHERE p.{key} = {reference}{self._parent_own})"

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
            f"AND NOT p.{column.sql} = ANY ({mine}))"
        )

    @cached_property
    def part(self) -> Part:
        """Reading the source."""
        return Part(table=self.table, alias="s", types={}, back={}, key=self.key.name)

    def rows(self, where: str) -> str:
        """The FROM clause: source rows times the columns that can count."""
        values = comma(
            (f'({literal(c.name)}, s."#{c.attnum}"::text, {self.number(c)})' for c in self.items), 8
        )
        unpivoted = f"VALUES {values}" if self.items else "SELECT NULL::text, NULL::text, NULL::numeric WHERE false"
        return (
            f"(\n    {self.part.rows(where)}\n) s\n"
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
            residual_column=None,
            residual="",
            own_reason=f"WHEN NOT {self.parent_stands(f't.{self.parent_column.sql}')} THEN 'no parent'",
            describe_from=self.rows("false")
            + "".join(
                f"\nLEFT JOIN {self.lookup_tables[n].sql} {quote(n)} ON {lookup.match}"
                for n, lookup in self.spec.lookups.items()
            ),
            describe=self.describe,
        )

    def derive(self, where: str) -> str:
        """The derived rows of some source rows."""
        return self.derivation.select(self.rows(where), "s.\"#key\"")

    def functions(self) -> list[DbObject]:
        """Every function of this source."""
        d = self.derivation
        by_pages, by_keys = self.derive("x.ctid >= v_from AND x.ctid < v_to"), self.derive(self.by_keys_where)
        common = {"fn": self.fn, "pins": self.pins}
        lock = {"lock": f"{LOCK_CLASS}, {self.id}"}
        forward = literal(self.forward)
        item, parent = quote(self.spec.item), self.parent_column.sql
        items = text_array(c.name for c in self.items)
        store = {
            "target": self.target.sql,
            "columns": ", ".join(c.sql for c in d.written),
            "derived_columns": ", ".join(f"d.{c.sql}" for c in d.written),
            "conflict": f"({parent}, {item})",
        }
        compared = [c for c in d.compared if c.name not in {self.spec.key.target, self.spec.item}]
        keys_of_rows = f"SELECT coalesce(x.{self.key.sql}::text, '') AS key FROM {self.table.sql} x"
        place = {"parent_column": parent, "item": item, "items": items, "target_of_key": self.target_of("k.key")}
        differs = "(" + (" OR ".join(f"d.{c.sql} IS DISTINCT FROM g.{c.sql}" for c in compared) or "false") + ")"
        changed = differs.replace("d.", "EXCLUDED.")
        row_of_key = f"x.{self.key.sql} = nullif(k.key, '')::{self.key.sql_type}"
        sources: list[tuple[str, str, str, str, dict[str, str]]] = [
            ("batch", "split_batch.sql", "bigint, bigint", "one batch of pages", {
                **common, **lock, **store, "forward": forward, "source": self.table.sql, "by_pages": by_pages,
            }),
            ("sync", "split_sync.sql", "text[]", "make the target what the source says", {
                **common, **store, **place, "id": str(self.id), "forward": forward, "own": self.own, "by_keys": by_keys,
                "update_set": ", ".join(f"{c.sql} = EXCLUDED.{c.sql}" for c in compared) or f"{item} = EXCLUDED.{item}",
                "changed": changed,
            }),
            ("one", "one.sql", "text", "one key, whatever happens", {
                **common, "id": str(self.id), "label": literal(self.table.label), "stage": literal(self.stage),
                "forward": forward, "remove_one": "NULL;",
                "rows_with_keys": f"SELECT coalesce(x.{self.key.sql}::text, '') AS key, to_jsonb(x) AS \"row\" FROM {self.table.sql} x",
            }),
            ("isolate", "isolate.sql", "bigint, bigint", "pages row by row", {
                **common, **lock, "source": self.table.sql, "keys_of_rows": keys_of_rows,
            }),
            ("resync", "resync.sql", "bigint, bigint", "pages again, overwriting", {
                **common, **lock, "keys_of_rows": keys_of_rows,
            }),
            ("sweep", "sweep.sql", "integer", "settle rechecks", {
                **common, **lock, "id": str(self.id), "source_oid": str(self.table.oid), "forward": forward,
                "sweep_all": "NULL;",
                "lock_rows": f"PERFORM FROM {self.table.sql} x WHERE {self.by_keys_where.replace('keys', 'v_keys')} "
                             f"ORDER BY x.{self.key.sql} FOR NO KEY UPDATE;",
            }),
            ("compare", "split_compare.sql", "bigint, bigint", "compare pages with the target", {
                **common, **place, "target": self.target.sql, "source": self.table.sql, "by_pages": by_pages,
                "keys_of_rows": keys_of_rows, "own": self.own, "differs": differs,
                "wanted": ", ".join(f"{literal(c.name)}, d.{c.sql}" for c in [*compared, self.target.by_name[self.spec.item]]),
            }),
            ("count", "split_count.sql", "", "columns that count, rows there", {
                **common, **place, "target": self.target.sql, "own": self.own, "keys_of_rows": keys_of_rows,
                "by_all": self.derive("true"),
            }),
            ("put", "split_put.sql", "text, text, numeric", "write one column of the source", {
                **common, "reverse": literal(self.reverse), "source": self.table.sql, "items": items, "row_of_key": row_of_key,
                "put_set": ", ".join(
                    f"{c.sql} = CASE p_item WHEN {literal(c.name)} THEN {self._column_value(c)} ELSE x.{c.sql} END"
                    for c in self.items if not c.generated) or f"{self.key.sql} = x.{self.key.sql}",
                "now_different": " ".join(
                    f"WHEN {literal(c.name)} THEN coalesce({self._number_now(c)}, 0) IS DISTINCT FROM p_value" for c in self.items)
                    or "WHEN NULL THEN false",
            }),
            ("return", "split_return.sql", "text", "settle one reverse key", {
                **common, **place, "target": self.target.sql, "value": f"({self.spec.value})",
                "by_key": self.derive(f"x.{self.key.sql} = nullif(p_key, '')::{self.key.sql_type}"),
            }),
            ("mirror", "mirror.sql", "", "the forward mirror", {
                **common, "id": str(self.id), "last_column": str(self.table.columns[-1].attnum),
                "keys_of_new": f"SELECT coalesce(x.{self.key.sql}::text, '') AS key FROM new_rows x",
                "keys_of_old": f"SELECT coalesce(x.{self.key.sql}::text, '') AS key FROM old_rows x",
            }),
            ("truncate", "truncate.sql", "", "the forward mirror of TRUNCATE", {
                **common, "id": str(self.id), "forward": forward, "truncate_all": self._truncate_all(),
            }),
        ]  # fmt: skip
        return [
            function(f"{self.fn}_{what}", render(template, **fragments), arguments, doc)
            for what, template, arguments, doc, fragments in sources
        ]

    def _truncate_all(self) -> str:
        """After the parents' own mirror: children without a parent."""
        if self.parent is None:
            return f"DELETE FROM {self.target.sql};"
        key = self.parent.by_name[self.spec.parent_key].sql
        return (
            f"DELETE FROM {self.target.sql} g WHERE NOT EXISTS "
            f"(SELECT FROM {self.parent.sql} p WHERE p.{key} = g.{self.parent_column.sql});"
        )

    def _column_value(self, column: Column) -> str:
        if column.type == "bool":
            return "p_value <> 0"
        if column.type == "jsonb":
            return "to_jsonb(p_value)"
        return types.coerce("p_value", "numeric", column.type, column.sql_type)

    def _number_now(self, column: Column) -> str:
        return self.number(column).replace(f's."#{column.attnum}"', f"x.{column.sql}")

    def triggers(self) -> list[DbObject]:
        """The forward mirror's triggers; their names sort behind those of the parent's mapping."""
        return list(mirror_triggers(f"b{self.id:06d}", self.table.sql, self.fn, self.reverse))


def mapping_objects(sources: Sequence[SplitSource]) -> tuple[list[DbObject], list[DbObject]]:
    """The objects of the whole mapping: (functions, triggers on the target)."""
    first = sources[0]
    fn, spec, target = f"x{first.mapping_id}", first.spec, first.target
    common = {"fn": fn, "pins": first.pins}
    place = {"parent_column": first.parent_column.sql, "item": quote(spec.item)}
    functions = [
        function(
            f"{fn}_ghosts",
            render("ghosts.sql", **common, target=target.sql, searches=_orphans(first)),
            "bigint, bigint",
            "rows of the target without a parent",
        ),
        function(
            f"{fn}_source_of",
            render("split_source_of.sql", **common, parent_type=first.parent_column.sql_type, **_source_search(first)),
            first.parent_column.sql_type,
            "which source row a parent stands for",
        ),
        function(
            f"{fn}_before",
            render("split_before.sql", **common, **place, target=target.sql, forward=literal(first.forward)),
            "",
            "the application's own row takes the place of the mirror's",
        ),
        function(
            f"{fn}_reverse", render("split_reverse.sql", **common, **place, value=f"({spec.value})"), "", "the reverse mirror"
        ),
    ]
    return functions, target_triggers(fn, target)


def _orphans(first: SplitSource) -> str:
    if first.parent is None:
        return "NULL;"
    key = first.parent.by_name[first.spec.parent_key].sql
    return (
        f"RETURN QUERY SELECT t.{first.parent_column.sql}::text, 'ghost'::text, ARRAY[t.{quote(first.spec.item)}], "
        f"NULL::jsonb, to_jsonb(t)\n    FROM {first.target.sql} t\n"
        "    WHERE t.ctid >= v_from AND t.ctid < v_to\n"
        f"      AND NOT EXISTS (SELECT FROM {first.parent.sql} p WHERE p.{key} = t.{first.parent_column.sql});"
    )


def _source_search(first: SplitSource) -> dict[str, str]:
    if first.parent is None or first.spec.parent_discriminator is None:
        return {
            "find_source": f"v_source := {first.id};",
            "find_key": "v_key := p_parent::text;" if first.parent is None else _key_of_parent(first),
        }
    column = quote(first.spec.parent_discriminator)
    key = first.parent.by_name[first.spec.parent_key].sql
    return {
        "find_source": (
            "SELECT z.id INTO v_source\n"
            f"    FROM {first.parent.sql} p JOIN changeover.source z ON z.mapping_id = {first.mapping_id} "
            f"AND p.{column}::text = ANY (z.discriminators)\n    WHERE p.{key} = p_parent ORDER BY z.ordinal LIMIT 1;"
        ),
        "find_key": _key_of_parent(first),
    }


def _key_of_parent(first: SplitSource) -> str:
    parent = first.parent
    assert parent is not None  # noqa: S101 - the callers have looked
    key = parent.by_name[first.spec.parent_key].sql
    return (
        "SELECT z.id INTO v_origin\n"
        "        FROM changeover.source z JOIN changeover.mapping m ON m.id = z.mapping_id\n"
        "        WHERE z.oid = (SELECT y.oid FROM changeover.source y WHERE y.id = v_source)\n"
        f"          AND m.target = {literal(parent.label)} LIMIT 1;\n"
        f"        EXECUTE format('SELECT changeover.m%s_key(p) FROM {parent.sql} p WHERE p.{key} = $1', v_origin)\n"
        "        INTO v_key USING p_parent;"
    )
