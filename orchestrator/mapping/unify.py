"""Unify: many tables, found by a query or listed, into one.

Each source keeps its own functions, compiled for its own columns; the target has one pair of triggers
that finds a row's source by the discriminator. A source key that is a uuid (or its text) becomes the
target's key as it is; any other key gives an id derived from the table's name and the key, and stays
in the residual. A row that is born on the new side under a random id gets the key its table would
have given it, and `changeover.born` remembers the pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import bounded, quote
from orchestrator.mapping import types, view
from orchestrator.mapping.derivation import Derivation
from orchestrator.mapping.frame import Frame, ahead_flags, derived_texts, indirect, wrapped
from orchestrator.mapping.objects import LOCK_CLASS, DbObject, function, mirror_triggers, new_side, pins, source_index, trigger
from orchestrator.mapping.part import Part
from orchestrator.mapping.sqltext import comma, literal, render, text_array, unlike

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.model import Unify

_PAGES = "x.ctid >= v_from AND x.ctid < v_to"


@dataclass(frozen=True)
class UnifySource:
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
    describe: Callable[[str], list[str]]

    # -- names -----------------------------------------------------------------------------------

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

    # -- keys ------------------------------------------------------------------------------------

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
    def target_key(self) -> Column:
        """The target's key column."""
        return self.target.by_name[self.spec.key.target]

    @cached_property
    def generated_key(self) -> bool:
        """True where the target's key is derived from a key that is neither a uuid nor text."""
        return self.target_key.type == "uuid" and self.key.type != "uuid" and self.key.type not in types.TEXTUAL

    def target_of(self, key: str) -> str:
        """The target key for a source key given as text."""
        if self.target_key.type != "uuid":
            return f"nullif({key}, '')::{self.target_key.sql_type}"
        if self.key.type == "uuid":
            return f"nullif({key}, '')::uuid"
        derived = f"changeover.uuid_of({literal(self.table.label)}, {key})"
        if self.generated_key:
            born = f"SELECT b.target_key::uuid FROM changeover.born b WHERE b.source_id = {self.id} AND b.key = {key}"
            return f"coalesce(({born}), {derived})"
        return f"CASE WHEN changeover.is_uuid({key}) THEN ({key})::uuid ELSE {derived} END"

    @cached_property
    def key_back(self) -> str | None:
        """The source key over ``t``; None where only the residual knows it."""
        if self.generated_key:
            return None
        return types.coerce(f"t.{self.target_key.sql}", self.target_key.type, self.key.type, self.key.sql_type)

    def row_of(self, key: str) -> str:
        """The predicate that finds the source row ``x`` of a key given as text."""
        return f"x.{self.key.sql} = nullif({key}, '')::{self.key.sql_type}"

    @cached_property
    def by_keys_where(self) -> str:
        """The predicate for the source rows of ``keys``."""
        known = f"x.{self.key.sql} = ANY (array_remove(keys, '')::{self.key.sql_type}[])"
        if self.key.not_null:
            return known
        return f"({known} OR ('' = ANY (keys) AND nullif(x.{self.key.sql}::text, '') IS NULL))"

    # -- predicates over the target ----------------------------------------------------------------

    def own(self, alias: str) -> str:
        """The target row belongs to this source."""
        if self.spec.discriminator is None:
            return "true"
        column = self.target.by_name[self.spec.discriminator]
        return f"{alias}.{column.sql} = ANY ({text_array(self.discriminators)}::{column.sql_type}[])"

    def alive(self, alias: str) -> str:
        """The target row has a counterpart in the source at all."""
        if self.spec.alive is None:
            return "true"
        return f"(SELECT {self.spec.alive} FROM (SELECT {alias}.*) t)" if alias != "t" else f"({self.spec.alive})"

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
        return Frame(self.target, self.spec, (self.spec.key.target,))

    @cached_property
    def part(self) -> Part:
        """The source side."""
        return Part(
            table=self.table,
            alias="s",
            types=self.spec.types,
            back=self.spec.back,
            keep=self.spec.keep,
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
        residual = self.part.residual_expression(
            sources,
            {c.name: c.sql_type for c in self.target.columns},
            lambda back: wrapped(back, elsewhere, self.lookup_tables),
        )
        column, member = self.spec.residual_column, self.spec.residual_key
        lateral, stored = "", residual
        if column is not None and member is not None:
            # OFFSET 0 keeps the planner from computing the document twice.
            lateral = f"\nCROSS JOIN LATERAL (SELECT {residual} AS document OFFSET 0) r"
            stored = (
                f"CASE r.document WHEN '{{}}' THEN '{{}}'::jsonb ELSE jsonb_build_object({literal(member)}, r.document) END"
            )
        return Derivation(
            target=self.target,
            columns=self.spec.columns,
            extra=extra,
            lookups=self.spec.lookups,
            lookup_tables=self.lookup_tables,
            rejects=self.spec.rejects,
            exempt=self.spec.exempt,
            exempt_column=self.spec.exempt_column,
            residual_column=column,
            residual=stored,
            own_reason=self._own_reason,
            describe_from=self.rows("false") + self._lookup_joins,
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
        if not self.key.not_null or self.key.type in types.TEXTUAL:
            cases.append(f"WHEN {self.key_text} = '' THEN 'no_key'")
        if not self.table.is_unique(self.key.name):
            cases.append(
                f"WHEN EXISTS (SELECT FROM {self.table.sql} y WHERE y.{self.key.sql} = {self.part.raw(self.key)} "
                "AND y.ctid < s.\"#ctid\") THEN 'id_taken'"
            )
        return "\n        ".join(cases)

    def derive(self, where: str, origin: str | None = None) -> str:
        """The derived rows of some source rows."""
        return self.derivation.select(self.rows(where, origin), self.key_text, 's."#row"')

    def rejected(self, derived: str) -> str:
        """The rows among them that are rejected: key, reason, detail, row."""
        taken = f"g.{self.target_key.sql} = d.{self.target_key.sql} AND NOT ({self.own('g')})"
        return (
            'SELECT d."#key" AS key,\n'
            f"    coalesce(d.reason, CASE WHEN {self.later('g')} THEN 'displaces' ELSE 'id_taken' END) AS reason,\n"
            '    NULL::text AS detail, d."#row" AS "row"\n'
            f"FROM (\n{derived}\n) d LEFT JOIN {self.target.sql} g ON {taken}\n"
            f"WHERE d.reason IS NOT NULL OR g.{self.target_key.sql} IS NOT NULL"
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

    def legacy_row(self) -> str:
        """All legacy values over ``t``, under the columns' own names."""
        return comma(f"{self.legacy(c)} AS {c.sql}" for c in self.plain)

    def numbered(self) -> str:
        """All legacy values over ``t``, under names that no column has."""
        return comma(f"{self.legacy(c)} AS {self.part.raw_name(c)}" for c in self.plain)

    # -- the objects ---------------------------------------------------------------------------------

    def functions(self) -> list[DbObject]:
        """Every function of this source."""
        by_pages, by_keys = self.derive(_PAGES), self.derive(self.by_keys_where)
        d = self.derivation
        common = {"fn": self.fn, "pins": self.pins}
        lock = {"lock": f"{LOCK_CLASS}, {self.id}"}
        reject = {"id": str(self.id), "label": literal(self.table.label), "stage": literal(self.stage)}
        store = {
            "target": self.target.sql,
            "columns": ", ".join(c.sql for c in d.written),
            "derived_columns": ", ".join(f"d.{c.sql}" for c in d.written),
            "conflict": f"({self.target_key.sql})",
        }
        keys_of_rows = f"SELECT coalesce(x.{self.key.sql}::text, '') AS key FROM {self.table.sql} x"
        own, upsert = self.own("g"), {"update_set": self.frame.update_set(d), "is_ahead": self.frame.is_ahead("g")}
        remove = f"DELETE FROM {self.target.sql} g USING (SELECT p_key AS key) k WHERE g.{self.target_key.sql} = "
        forward = literal(self.forward)
        sources: list[tuple[str, str, str, dict[str, str]]] = [
            ("batch", "bigint, bigint", "one batch of pages", {
                **common, **lock, **store, **reject, "forward": forward, "source": self.table.sql,
                "by_pages": by_pages, "rejects_by_pages": self.rejected(by_pages), "batch_conflict": "DO NOTHING",
                "create_by_pages": _statements(d.creation_statements(by_pages)),
            }),
            ("sync", "text[]", "make the target what the source says", {
                **common, "id": str(self.id), **store, **upsert, "forward": forward, "own": own, "by_keys": by_keys,
            }),
            ("settle", "text[]", "what a sync cannot do in its one statement", {
                **common, **store, **upsert, **reject, "own": own, "by_keys": by_keys,
                "mapping": str(self.mapping_id), "alive": self.alive("g"),
                "create_by_keys": _statements(d.creation_statements(by_keys)) or "NULL;",
                "displace": self._displace(by_keys),
                "update_ahead": self.frame.update_ahead(
                    d, by_keys, f"h.{self.target_key.sql} = d.{self.target_key.sql}", own, (self.spec.key.target,)),
                "target_of_key": f"g.{self.target_key.sql} = {self.target_of('k.key')}",
                "rejects_by_keys": self.rejected(by_keys),
            }),
            ("one", "text", "one key, whatever happens", {
                **common, **reject, "forward": forward,
                "rows_with_keys": f"SELECT coalesce(x.{self.key.sql}::text, '') AS key, to_jsonb(x) AS \"row\" FROM {self.table.sql} x",
                "remove_one": f"{remove}{self.target_of('k.key')} AND {own};",
            }),
            ("isolate", "bigint, bigint", "pages row by row", {
                **common, **lock, "source": self.table.sql, "keys_of_rows": keys_of_rows,
            }),
            ("resync", "bigint, bigint", "pages again, overwriting", {
                **common, **lock, "keys_of_rows": keys_of_rows,
            }),
            ("sweep", "integer", "settle rechecks", {
                **common, **lock, "id": str(self.id), "source_oid": str(self.table.oid), "forward": forward, "sweep_all": self._sweep_all(keys_of_rows),
                "lock_rows": f"PERFORM FROM {self.table.sql} x WHERE {self.by_keys_where.replace('keys', 'v_keys')} "
                             f"ORDER BY x.{self.key.sql} FOR NO KEY UPDATE;",
            }),
            ("compare", "bigint, bigint", "compare pages with the target", {
                **common, "id": str(self.id), "by_pages": by_pages, "own": own, "target": self.target.sql,
                "source": self.table.sql, "target_key": self.target_key.sql, "keys_of_rows": keys_of_rows,
                "same_key": f"g.{self.target_key.sql} = d.{self.target_key.sql}",
                "key_is_unique": "true" if self.table.is_unique(self.key.name) else "false",
                **self._differences(),
            }),
            ("count", "", "rows here, rows there, rejects", {
                **common, "id": str(self.id), "source": self.table.sql, "target": self.target.sql, "own": own,
                "alive": self.alive("g"), "is_exempt": _is_exempt(self.spec.exempt_column),
            }),
            ("key", self.target.sql, "the source key of a target row", {
                **common, "target": self.target.sql, "legacy_key_text": f"({self.legacy(self.key)})::text",
            }),
            ("carry", f"{self.target.sql}, {self.target.sql}, boolean", "keep a new-side row reversible", self._carry(common)),
            ("put", f"{self.target.sql}, {self.target.sql}, boolean", "write the source row of a target row", self._put(common)),
            ("erase", "text", "delete the source row of a key", {
                **common, "reverse": literal(self.reverse), "source": self.table.sql, "row_of_key": self.row_of("k.key"),
                "forget_born": f"DELETE FROM changeover.born b WHERE b.source_id = {self.id} AND b.key = p_key;",
            }),
            ("return", "text", "settle one reverse key", {
                **common, "id": str(self.id), "target": self.target.sql, "own": own, "alive": self.alive("g"),
                "target_of_key": f"g.{self.target_key.sql} = {self.target_of('k.key')}",
            }),
            ("mirror", "", "the forward mirror", {
                **common, "id": str(self.id), "last_column": str(self.table.columns[-1].attnum),
                "keys_of_new": f"SELECT coalesce(x.{self.key.sql}::text, '') AS key FROM new_rows x",
                "keys_of_old": f"SELECT coalesce(x.{self.key.sql}::text, '') AS key FROM old_rows x",
            }),
            ("truncate", "", "the forward mirror of TRUNCATE", {
                **common, "id": str(self.id), "forward": forward,
                "truncate_all": f"DELETE FROM {self.target.sql} g WHERE {own} AND {self.alive('g')};",
            }),
        ]  # fmt: skip
        return [
            function(f"{self.fn}_{what}", render(f"{what}.sql", **fragments), arguments, doc)
            for what, arguments, doc, fragments in sources
        ]

    def triggers(self) -> list[DbObject]:
        """The forward mirror's triggers on the source."""
        return list(mirror_triggers(f"a{self.id:06d}", self.table.sql, self.fn, self.reverse))

    def view(self) -> list[DbObject]:
        """The compatibility view and its INSTEAD OF trigger."""
        return view.objects(
            source_id=self.id,
            table=self.table,
            pins=self.pins,
            definition=(
                f"SELECT {comma(f'{self.legacy(c)} AS {c.sql}' for c in self.table.columns)}\n"
                f"FROM {self.target.sql} t\nWHERE {self.own('t')} AND {self.alive('t')}"
            ),
            row_of_old=f"x.{self.key.sql} = OLD.{self.key.sql}",
        )

    def indexes(self) -> list[DbObject]:
        """What the mirror needs to find a row by its key, where the table has no such index."""
        if self.table.leads_index(self.key.name):
            return []
        name = bounded("changeover", str(self.id), "key")
        return [source_index(name, self.table, self.key.sql, "rows of a key")]

    def ghost_search(self) -> str:
        """The part of the mapping's ghost search that concerns this source."""
        return (
            f"RETURN QUERY SELECT ({self.legacy(self.key)})::text, 'ghost'::text, ARRAY[{literal(self.table.label)}], "
            f"NULL::jsonb, jsonb_build_object({literal(self.target_key.name)}, t.{self.target_key.sql})\n"
            f"    FROM {self.target.sql} t\n"
            f"    WHERE t.ctid >= v_from AND t.ctid < v_to AND {self.own('t')} AND {self.alive('t')}\n"
            f"      AND NOT EXISTS (SELECT FROM {self.table.sql} x WHERE x.{self.key.sql} = {self.legacy(self.key)});"
        )

    # -- fragments -----------------------------------------------------------------------------------

    def _displace(self, by_keys: str) -> str:
        if self.spec.discriminator is None:
            return "-- (one source: no id can be taken by another)"
        column = quote(self.spec.discriminator)
        return (
            "WITH displaced AS (\n"
            f"        DELETE FROM {self.target.sql} g\n        USING (\n{by_keys}\n        ) d\n"
            f"        WHERE d.reason IS NULL AND g.{self.target_key.sql} = d.{self.target_key.sql} "
            f"AND NOT ({self.own('g')}) AND {self.later('g')}\n"
            f'        RETURNING g.{column}::text AS discriminator, d."#key" AS key\n    )\n'
            "    INSERT INTO changeover.recheck (source_id, direction, key, cause)\n"
            "    SELECT z.id, 'forward', p.key, 'displaced'\n    FROM displaced p\n"
            f"    JOIN changeover.source z ON z.mapping_id = {self.mapping_id} AND p.discriminator = ANY (z.discriminators);"
        )

    def _sweep_all(self, keys_of_rows: str) -> str:
        return (
            f"DELETE FROM {self.target.sql} t WHERE {self.own('t')} AND {self.alive('t')}\n"
            f"          AND NOT EXISTS (SELECT FROM {self.table.sql} x WHERE x.{self.key.sql} = {self.legacy(self.key)});\n"
            f"        DELETE FROM changeover.reject r WHERE r.source_id = {self.id}\n"
            f"          AND NOT EXISTS (SELECT FROM ({keys_of_rows}) k WHERE k.key = r.key);"
        )

    def _differences(self) -> dict[str, str]:
        columns = [c for c in self.derivation.compared if c.name != self.spec.key.target]
        tests = {c.name: self.frame.differs(self.derivation, c) for c in columns}
        return {
            "differs": "\n                    OR ".join(tests.values()) or "false",
            "different_columns": ", ".join(f"CASE WHEN {t} THEN {literal(n)} END" for n, t in tests.items()),
        }

    def _carry(self, common: dict[str, str]) -> dict[str, str]:
        column, exempt = self.spec.residual_column, self.spec.exempt_column
        backs = {c: self.part.back_expression(c) for c in self.plain if c.name != self.key.name}
        given = {c: self.wrap(b) for c, b in backs.items() if b is not None}
        kept = [c for c in given if c.name in self.spec.keep]
        origin = f"(SELECT {self.legacy_row()} FROM (SELECT (n).*) t)"
        ahead = self.frame.ahead_columns(self.derivation, (self.spec.key.target,))
        store = f"n.{quote(column)} := {self.frame.with_document('n', 'v_residual')};" if column else "NULL;"
        keep_dropped = " || ".join(
            f"CASE WHEN {literal(c.name)} = ANY (v_dropped) THEN jsonb_build_object({literal(c.name)}, ({given[c]})::text) "
            "ELSE '{}'::jsonb END"
            for c in kept
        )
        return {
            **common,
            "target": self.target.sql,
            "residual_of_o": f"({self.frame.document('o')} - '~')",
            "kept_values": self._kept_values(given, kept),
            "dropped": ", ".join(
                f"CASE WHEN v_residual ? {literal(c.name)} AND {unlike(f'a.{n}', f'b.{n}')} THEN {literal(c.name)} END"
                for c, n in ((c, self.part.raw_name(c)) for c in given)
            ),
            "backs": ", ".join(f"{e} AS {self.part.raw_name(c)}" for c, e in given.items()) or "1 AS one",
            "keep_dropped": f"SELECT v_residual || {keep_dropped} INTO v_residual FROM (SELECT (n).*) t;" if kept else "",
            "store_residual": store,
            "ahead_flags": ahead_flags(ahead),
            "derived_texts": derived_texts(ahead),
            "derived_exempt": f"d.{quote(exempt)}" if exempt else "NULL::text[]",
            "by_value": self.derive("true", origin),
            "store_exempt": _store_exempt(exempt),
        }

    def _kept_values(self, given: Mapping[Column, str], kept: Sequence[Column]) -> str:
        """What a row born on the new side must keep: names, defaults the old table would give, its key."""
        parts = [f"jsonb_build_object({literal(c.name)}, ({given[c]})::text)" for c in kept]
        for column in self.plain:
            default = default_of(self.table, column)
            if column.name == self.key.name:
                if self.generated_key:
                    fallback = f"(SELECT coalesce(max(x.{column.sql}), 0) + 1 FROM {self.table.sql} x)"
                    parts.append(f"jsonb_build_object({literal(column.name)}, ({default or fallback})::text)")
            elif column.not_null and default is not None and column not in kept:
                value = given.get(column, f"NULL::{column.sql_type}")
                parts.append(
                    f"CASE WHEN {value} IS NULL THEN jsonb_build_object({literal(column.name)}, ({default})::text) "
                    "ELSE '{}'::jsonb END"
                )
        return " || ".join(parts) or "'{}'::jsonb"

    def _put(self, common: dict[str, str]) -> dict[str, str]:
        names = {c: self.part.raw_name(c) for c in self.plain}
        changed = {c: unlike(f"a.{n}", f"b.{n}") for c, n in names.items()}
        settable = [c for c in self.plain if c.identity != "a" and c.name != self.key.name]
        remember = (
            "INSERT INTO changeover.born (source_id, key, target_key)\n"
            f"        SELECT {self.id}, changeover.{self.fn}_key(n), (n).{self.target_key.sql}::text\n"
            "        ON CONFLICT (source_id, key) DO UPDATE SET target_key = EXCLUDED.target_key;"
        )
        return {
            **common,
            "reverse": literal(self.reverse),
            "target": self.target.sql,
            "source": self.table.sql,
            "legacy_key": self.legacy(self.key),
            "legacy_values": self.numbered(),
            "row_of_b": f"x.{self.key.sql} = b.key",
            "row_of_b_key": f"x.{self.key.sql} = b.{self.part.raw_name(self.key)}",
            "put_set": ", ".join(
                f"{c.sql} = CASE WHEN p_whole OR {changed[c]} THEN b.{names[c]} ELSE x.{c.sql} END" for c in settable
            ),
            "put_changed": "(" + " OR ".join(changed[c] for c in settable) + ")",
            "source_columns": ", ".join(c.sql for c in self.plain),
            "b_values": ", ".join(f"b.{names[c]}" for c in self.plain),
            "remember_born": remember if self.generated_key else "",
        }


def mapping_objects(sources: Sequence[UnifySource]) -> tuple[list[DbObject], list[DbObject]]:
    """The objects of the whole mapping: (functions, triggers on the target)."""
    first = sources[0]
    fn, spec, target = f"x{first.mapping_id}", first.spec, first.target
    common = {"fn": fn, "pins": first.pins}

    def source_of(row: str, variable: str) -> str:
        if spec.discriminator is None:
            return f"{variable} := {first.id};"
        return (
            f"{variable} := (SELECT z.id FROM changeover.source z WHERE z.mapping_id = {first.mapping_id} "
            f"AND {row}.{quote(spec.discriminator)}::text = ANY (z.discriminators) ORDER BY z.ordinal LIMIT 1);"
        )

    routing = {"source_of_new": source_of("NEW", "v_source"), "source_of_old": source_of("OLD", "v_former")}
    alive = spec.alive or "true"
    functions = [
        function(
            f"{fn}_ghosts",
            render("ghosts.sql", **common, target=target.sql, searches="\n    ".join(s.ghost_search() for s in sources)),
            "bigint, bigint",
            "rows of the target whose source row is missing",
        ),
        function(f"{fn}_before", render("unify_before.sql", **common, **routing), "", "keep new-side rows reversible"),
        function(
            f"{fn}_reverse",
            render("unify_reverse.sql", **common, **routing, alive_t=f"({alive})"),
            "",
            "the reverse mirror",
        ),
    ]
    return functions, target_triggers(fn, target)


def target_triggers(fn: str, target: Table) -> list[DbObject]:
    """The reverse mirror's triggers: only for what the new side writes."""
    when = f"FOR EACH ROW {new_side()} EXECUTE FUNCTION changeover.{fn}"
    return [
        trigger(f"changeover_{fn}_before", target.sql, "BEFORE INSERT OR UPDATE", f"{when}_before()", "residual"),
        trigger(
            f"changeover_{fn}_reverse", target.sql, "AFTER INSERT OR UPDATE OR DELETE", f"{when}_reverse()", "reverse mirror"
        ),
    ]


def default_of(table: Table, column: Column) -> str | None:
    """What the table itself would put in a column that an INSERT leaves out."""
    if column.identity:
        return f"nextval(pg_get_serial_sequence({literal(table.sql)}, {literal(column.name)}))"
    return column.default


def _store_exempt(column: str | None) -> str:
    if column is None:
        return ""
    return (
        f"IF v_reason IS NULL THEN n.{quote(column)} := ARRAY(SELECT u.rule FROM unnest(v_exempt) WITH ORDINALITY AS u (rule, nth) "
        f"WHERE u.rule = ANY (coalesce(o.{quote(column)}, '{{}}')) ORDER BY u.nth); END IF;"
    )


def _is_exempt(column: str | None) -> str:
    return "false" if column is None else f"g.{quote(column)} <> '{{}}'"


def _statements(statements: Sequence[str]) -> str:
    return "\n            ".join(s + ";" for s in statements) or "NULL;"
