"""Merge: several tables into one by a natural key, with precedence.

The unit is the key, not the row: whatever changes in any source, the row of its key is derived again
from all of them. In each source the first row of a key, by the plan's order, speaks for it; the others
are rejected as ``duplicate``, naming the first. The target's residual has one member per source, and
by that tells which sources a row has. A row whose sources are all gone is not deleted where the plan
says how such a row looks: others may refer to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import bounded, quote
from orchestrator.mapping import types, view
from orchestrator.mapping.derivation import Derivation
from orchestrator.mapping.frame import Frame, ahead_flags, derived_texts, indirect, wrapped
from orchestrator.mapping.model import ColumnRule, rule
from orchestrator.mapping.objects import LOCK_CLASS, DbObject, function, mirror_triggers, pins, source_index
from orchestrator.mapping.part import Part
from orchestrator.mapping.sqltext import comma, literal, render, unlike
from orchestrator.mapping.unify import default_of, target_triggers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.model import Merge, MergeSource

_SOURCE_COLUMN = re.compile(r"\bs\.(\w+)")
_BARE = re.compile(r"^\s*(\w+)\.(\w+)\s*$")


@dataclass(frozen=True)
class MergePart:
    """One source of a merge."""

    id: int
    name: str
    spec: MergeSource
    table: Table

    @property
    def fn(self) -> str:
        """Prefix of this source's functions."""
        return f"m{self.id}"

    @cached_property
    def part(self) -> Part:
        """Reading and giving back."""
        return Part(table=self.table, alias=self.name, types=self.spec.types, back=self.spec.back, present=True)

    def on(self, expression: str, alias: str) -> str:
        """An expression over ``s`` as one over the table itself, for indexes and locks."""

        def raw(match: re.Match[str]) -> str:
            column = self.table.by_name.get(match.group(1))
            want = self.spec.types.get(match.group(1))
            if column is None:
                return f"NULL::{want or 'text'}"
            reference = f"{alias}.{column.sql}" if alias else column.sql
            return types.coerce(reference, column.type, want or column.type)

        return _SOURCE_COLUMN.sub(raw, expression)

    @property
    def order(self) -> str:
        """The order of the rows of a key; ctid breaks what is left, among rows that are alike."""
        return ", ".join([*self.spec.order, 's."#ctid"'])

    def first(self, key: str) -> str:
        """The first valid row of a key, as a subquery with the columns of ``rows``."""
        return (
            f"SELECT s.* FROM (\n    {self.part.rows('true')}\n    ) s\n"
            f"    WHERE {self.spec.key} = {key} AND ({self.spec.valid})\n    ORDER BY {self.order}\n    LIMIT 1"
        )

    @cached_property
    def keys_where(self) -> str:
        """The rows of the table ``x`` that have one of ``keys``."""
        key = self.on(self.spec.key, "x")
        return f"({key} = ANY (keys) OR ('' = ANY (keys) AND {key} IS NULL))"

    def first_ctid(self, key: str) -> str:
        """Where the first row of a key stands, from within a query over ``s``."""
        inner = self.spec.key.replace("s.", "w.")
        valid, order = self.spec.valid.replace("s.", "w."), self.order.replace("s.", "w.")
        return (
            f'(SELECT w."#ctid" FROM (\n    {self.part.rows("true")}\n    ) w '
            f"WHERE {inner} = {key} AND ({valid}) ORDER BY {order} LIMIT 1)"
        )


@dataclass(frozen=True)
class MergeMapping:
    """A merge, ready to be compiled."""

    id: int
    stage: str
    spec: Merge
    target: Table
    parts: Sequence[MergePart]
    lookup_tables: Mapping[str, Table]
    describe: Callable[[str], list[str]]

    @property
    def fn(self) -> str:
        """Prefix of the mapping's functions."""
        return f"x{self.id}"

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
        return pins(*(p.table.schema for p in self.parts), self.target.schema)

    @cached_property
    def frame(self) -> Frame:
        """The target side."""
        return Frame(self.target, self.spec, (self.spec.key,))

    @property
    def residual(self) -> str:
        """The residual column, quoted."""
        return quote(self.spec.residual_column or "")

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
        bare = _BARE.match(expression)
        part = next(p for p in self.parts if bare is not None and p.name == bare.group(1))
        column = bare.group(2) if bare is not None else ""
        holder = (
            f"(SELECT {part.spec.key} FROM (\n    {part.part.rows('true')}\n    ) s WHERE s.{quote(column)} = {expression} "
            f'AND ({part.spec.valid}) AND s."#ctid" = {part.first_ctid(part.spec.key)} ORDER BY {part.order} LIMIT 1)'
        )
        return f"CASE WHEN {expression} IS NOT NULL AND {holder} = k.key THEN {expression} END"

    @cached_property
    def exempt(self) -> dict[str, str]:
        """The plan's rules, and one for each unique column that went to somebody else."""
        rules = dict(self.spec.exempt)
        for name, value in self.spec.columns.items():
            if rule(value).unique:
                rules[f"unique_{name}"] = f"{rule(value).expression} IS NOT NULL AND t.{quote(name)} IS NULL"
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
            f"{p.part.residual_expression(sources, target_types, wrap)}) ELSE '{{}}'::jsonb END"
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
            residual_column=self.spec.residual_column,
            residual="(" + " || ".join(documents) + ")",
            own_reason=f"WHEN {absent} THEN 'gone'",
            describe_from=self.rows("SELECT NULL::text AS key WHERE false")
            + "".join(
                f"\nLEFT JOIN {self.lookup_tables[n].sql} {quote(n)} ON {lookup.match}"
                for n, lookup in self.spec.lookups.items()
            ),
            describe=self.describe,
        )

    @cached_property
    def by_keys(self) -> str:
        """The derived rows of ``keys``."""
        return self.derivation.select(self.rows("SELECT DISTINCT u.key FROM unnest(keys) AS u (key)"), "k.key")

    def rejected(self, part: MergePart, where: str) -> str:
        """The rejected rows of one source: no key, not the first of its key, or not representable."""
        key = part.spec.key
        return (
            "SELECT f.key, coalesce(f.reason, d.reason) AS reason, f.detail, f.\"row\" FROM (\n"
            f"SELECT coalesce({key}, '') AS key,\n"
            f"    CASE WHEN ({part.spec.valid}) IS NOT TRUE THEN {literal(part.spec.invalid)}\n"
            f'         WHEN s."#ctid" <> {part.first_ctid(key)} THEN \'duplicate\' END AS reason,\n'
            f"    CASE WHEN ({part.spec.valid}) THEN (SELECT 'the first is ' || left(w.\"#row\"::text, 1000) FROM (\n"
            f'    {part.part.rows("true")}\n    ) w WHERE w."#ctid" = {part.first_ctid(key)}) END AS detail,\n'
            f'    s."#row" AS "row"\nFROM (\n    {part.part.rows(where)}\n) s\n) f\n'
            f"LEFT JOIN (\n{self.by_keys}\n) d ON d.\"#key\" = f.key AND d.reason <> 'gone'\n"
            "WHERE f.reason IS NOT NULL OR d.reason IS NOT NULL"
        )

    # -- the way back ------------------------------------------------------------------------------

    def wrap(self, expression: str) -> str:
        """A way back over ``t`` alone."""
        return wrapped(expression, self.spec.lookups, self.lookup_tables)

    def legacy(self, part: MergePart, column: Column) -> str:
        """The legacy value of one column over ``t``."""
        document = f"coalesce(t.{self.residual} -> {literal(part.name)}, '{{}}')"
        return part.part.legacy_value(column, document, self.wrap)

    # -- objects -----------------------------------------------------------------------------------

    def functions(self) -> list[DbObject]:
        """Every function of the mapping and of its sources."""
        d = self.derivation
        common = {"pins": self.pins}
        own = {"fn": self.fn, **common}
        frame = {
            "target": self.target.sql,
            "columns": ", ".join(c.sql for c in d.written),
            "derived_columns": ", ".join(f"d.{c.sql}" for c in d.written),
            "conflict": f"({quote(self.spec.key)})",
            "update_set": self.frame.update_set(d),
            "by_keys": self.by_keys,
            "create_by_keys": "\n        ".join(s + ";" for s in d.creation_statements(self.by_keys)) or "NULL;",
        }
        made = [
            function(f"{self.fn}_sync", render(
                "merge_sync.sql", **own, **frame, forward=literal(self.forward), mapping=str(self.id),
                first_source=str(self.parts[0].id), is_ahead=self.frame.is_ahead("g"), release=self._release(),
                changed=self._changed(), gone=self._gone(),
                update_ahead=self.frame.update_ahead(
                    d, self.by_keys, f"h.{quote(self.spec.key)} = d.{quote(self.spec.key)}", "true", (self.spec.key,)),
                settle_rejects="\n    ".join(
                    render("merge_rejects.sql", rejects_by_keys=self.rejected(p, p.keys_where), **_identity(self, p))
                    for p in self.parts),
            ), "text[]", "make the target what its sources say"),
            function(f"{self.fn}_ghosts", render(
                "ghosts.sql", **own, target=self.target.sql, searches="\n    ".join(self._ghosts(p) for p in self.parts),
            ), "bigint, bigint", "rows of the target whose source row is missing"),
            function(f"{self.fn}_carry", render("merge_carry.sql", **own, **self._carry()),
                     f"{self.target.sql}, {self.target.sql}, boolean", "keep a new-side row reversible"),
            function(f"{self.fn}_before", render("merge_before.sql", **own), "", "keep new-side rows reversible"),
            function(f"{self.fn}_reverse", render("merge_reverse.sql", **own, parts="\n    ".join(
                render("merge_reverse_part.sql", fn=p.fn, id=str(p.id), name=literal(p.name), residual=self.residual,
                       target_key=quote(self.spec.key)) for p in self.parts)), "", "the reverse mirror"),
        ]  # fmt: skip
        for part in self.parts:
            made += self._part_functions(part, {**common, "fn": part.fn}, frame)
        return made

    def _part_functions(self, p: MergePart, common: dict[str, str], frame: dict[str, str]) -> list[DbObject]:
        forward, reverse = literal(self.forward), literal(self.reverse)
        # All sources of a merge share one lock: a batch of either may bring a key back.
        lock = {"lock": f"{LOCK_CLASS}, {-self.id}"}
        reject = _identity(self, p)
        key, valid = p.spec.key, p.spec.valid
        keys_of_rows = f"SELECT coalesce({p.on(key, 'x')}, '') AS key FROM {p.table.sql} x"
        rows_of_pages = p.part.rows("x.ctid >= v_from AND x.ctid < v_to")
        choose = {"rows": p.part.rows("true"), "key_expression": key, "valid": valid, "order": p.order}
        locked = p.keys_where.replace("keys", "k.keys")
        target_key = quote(self.spec.key)
        columns = [c for c in p.table.columns if not c.generated]
        names = {c: p.part.raw_name(c) for c in columns}
        changed = {c: unlike(f"a.{n}", f"b.{n}") for c, n in names.items()}
        settable = [c for c in columns if c.identity != "a"]
        sources: list[tuple[str, str, str, str, dict[str, str]]] = [
            ("batch", "merge_batch.sql", "bigint, bigint", "one batch of pages", {
                **common, **lock, **reject, **frame, "forward": forward, "source": p.table.sql,
                "key_expression": key, "valid": valid, "rows_of_pages": rows_of_pages,
                "placeholder": f"g.{self.residual} = '{{}}'",
                "rejects_by_pages": self.rejected(p, "x.ctid >= v_from AND x.ctid < v_to"),
            }),
            ("sync", "merge_source_sync.sql", "text[]", "sync of the whole merge", {
                **common, "mapping_fn": self.fn,
            }),
            ("one", "one.sql", "text", "one key, whatever happens", {
                **common, **reject, "forward": forward, "remove_one": "NULL;",
                "rows_with_keys": f"SELECT coalesce({p.on(key, 'x')}, '') AS key, to_jsonb(x) AS \"row\" FROM {p.table.sql} x",
            }),
            ("isolate", "isolate.sql", "bigint, bigint", "pages key by key", {
                **common, **lock, "source": p.table.sql, "keys_of_rows": keys_of_rows,
            }),
            ("resync", "resync.sql", "bigint, bigint", "pages again, overwriting", {
                **common, **lock, "keys_of_rows": keys_of_rows,
            }),
            ("sweep", "sweep.sql", "integer", "settle rechecks", {
                **common, **lock, "id": str(p.id), "source_oid": str(p.table.oid), "forward": forward,
                "sweep_all": self._all_keys(p, "PERFORM"),
                "lock_rows": "\n            ".join(
                    f"PERFORM FROM {q.table.sql} x WHERE {q.keys_where.replace('keys', 'v_keys')} FOR NO KEY UPDATE;"
                    for q in self.parts),
            }),
            ("compare", "merge_compare.sql", "bigint, bigint", "compare the keys on pages", {
                **common, "id": str(p.id), "key_expression": key, "rows_of_pages": rows_of_pages, "target": self.target.sql,
                "by_keys": self.by_keys, "source": p.table.sql, "target_key": target_key, "all_keys": keys_of_rows,
                "same_key": f"g.{target_key} = d.{target_key}", "rejects_by_keys": self.rejected(p, p.keys_where),
                **self._differences(),
            }),
            ("count", "count.sql", "", "rows here, rows there, rejects", {
                **common, "id": str(p.id), "source": p.table.sql, "target": self.target.sql, "alive": "true",
                "own": f"g.{self.residual} ? {literal(p.name)}",
                "is_exempt": f"g.{quote(self.spec.exempt_column)} <> '{{}}'" if self.spec.exempt_column else "false",
            }),
            ("put", "merge_put.sql", f"{self.target.sql}, {self.target.sql}, boolean", "write the source row of a target row", {
                **common, **choose, "reverse": reverse, "target": self.target.sql, "target_key": target_key,
                "source": p.table.sql, "locked": locked,
                "legacy_values": comma(f"{self.legacy(p, c)} AS {names[c]}" for c in columns),
                "put_set": ", ".join(
                    f"{c.sql} = CASE WHEN p_whole OR {changed[c]} THEN b.{names[c]} ELSE x.{c.sql} END" for c in settable),
                "put_changed": "(" + " OR ".join(changed[c] for c in settable) + ")",
                "source_columns": ", ".join(c.sql for c in columns),
                "b_values": ", ".join(f"b.{names[c]}" for c in columns),
            }),
            ("erase", "merge_erase.sql", "text", "delete the first source row of a key", {
                **common, **choose, "reverse": reverse, "source": p.table.sql, "locked": locked,
            }),
            ("return", "return.sql", "text", "settle one reverse key", {
                **common, "id": str(p.id), "target": self.target.sql, "alive": "true",
                "own": f"g.{self.residual} ? {literal(p.name)}", "target_of_key": f"g.{target_key} = k.key",
            }),
            ("mirror", "mirror.sql", "", "the forward mirror", {
                **common, "id": str(p.id), "last_column": str(p.table.columns[-1].attnum),
                "keys_of_new": self._touched(p, "new_rows"), "keys_of_old": self._touched(p, "old_rows"),
            }),
            ("truncate", "truncate.sql", "", "the forward mirror of TRUNCATE", {
                **common, "id": str(p.id), "forward": forward, "truncate_all": self._all_keys(p, "PERFORM"),
            }),
        ]  # fmt: skip
        return [
            function(f"{p.fn}_{what}", render(template, **fragments), arguments, doc)
            for what, template, arguments, doc, fragments in sources
        ]

    def _touched(self, part: MergePart, rows: str) -> str:
        """The keys that changed rows concern: their own, and those that claim the same unique value."""
        changed = f"({part.part.rows('true', rows)}) s"
        queries = [f"SELECT coalesce({part.spec.key}, '') AS key FROM {changed}"]
        for value in self.spec.columns.values():
            bare = _BARE.match(rule(value).expression)
            if rule(value).unique and bare is not None and bare.group(1) == part.name:
                column = quote(bare.group(2))
                queries.append(
                    f"SELECT {part.spec.key} FROM (\n    {part.part.rows('true')}\n    ) s "
                    f"WHERE s.{column} IN (SELECT c.{column} FROM {changed[:-2]} c) AND ({part.spec.valid})"
                )
        return " UNION ALL ".join(queries)

    def _all_keys(self, part: MergePart, verb: str) -> str:
        return (
            f"{verb} changeover.{self.fn}_sync(array_agg(t.{quote(self.spec.key)}))\n"
            f"        FROM {self.target.sql} t WHERE t.{self.residual} ? {literal(part.name)};\n"
            f"        DELETE FROM changeover.reject r WHERE r.source_id = {part.id} AND NOT EXISTS (\n"
            f"            SELECT FROM (SELECT coalesce({part.on(part.spec.key, 'x')}, '') AS key FROM {part.table.sql} x) k "
            "WHERE k.key = r.key);"
        )

    def _release(self) -> str:
        unique = {k[0] for k in self.target.unique_keys if len(k) == 1} - {self.spec.key}
        statements = [
            f"UPDATE {self.target.sql} g SET {c.sql} = NULL\n"
            f"        WHERE g.{quote(self.spec.key)} = ANY (keys) AND g.{c.sql} IS NOT NULL AND NOT {self.frame.is_ahead('g')}\n"
            f"          AND NOT EXISTS (SELECT FROM (\n{self.by_keys}\n          ) d\n"
            f"              WHERE d.\"#key\" = g.{quote(self.spec.key)} AND d.{c.sql} = g.{c.sql});"
            for c in self.derivation.compared
            if c.name in unique and not c.not_null
        ]
        return "\n        ".join(statements)

    def _changed(self) -> str:
        columns = [c for c in self.derivation.compared if c.name != self.spec.key]
        left, right = ", ".join(f"g.{c.sql}" for c in columns), ", ".join(f"EXCLUDED.{c.sql}" for c in columns)
        return f"(({left}) IS DISTINCT FROM ({right}))"

    def _gone(self) -> str:
        key = quote(self.spec.key)
        where = (
            f"WHERE g.{key} = ANY (keys) AND g.{self.residual} <> '{{}}'\n      AND NOT EXISTS (SELECT FROM (\n"
            f'{self.by_keys}\n      ) d WHERE d."#key" = g.{key} AND d.reason IS NULL);'
        )
        if not self.spec.gone:
            return f"DELETE FROM {self.target.sql} g {where}"
        unique = {k[0] for k in self.target.unique_keys if len(k) == 1}
        free = [c.name for c in self.derivation.compared if c.name in unique and not c.not_null]
        sets = [f"{quote(c)} = {e}" for c, e in self.spec.gone.items()]
        sets += [f"{quote(c)} = NULL" for c in free if c not in self.spec.gone]
        return f"UPDATE {self.target.sql} g SET {', '.join(sets)}, {self.residual} = '{{}}' {where}"

    def _ghosts(self, part: MergePart) -> str:
        key = quote(self.spec.key)
        return (
            f"RETURN QUERY SELECT t.{key}, 'ghost'::text, ARRAY[{literal(part.table.label)}], NULL::jsonb, "
            f"jsonb_build_object({literal(self.spec.key)}, t.{key})\n    FROM {self.target.sql} t\n"
            f"    WHERE t.ctid >= v_from AND t.ctid < v_to AND t.{self.residual} ? {literal(part.name)}\n"
            f"      AND NOT EXISTS (SELECT FROM (\n    {part.part.rows('true')}\n    ) s "
            f"WHERE {part.spec.key} = t.{key} AND ({part.spec.valid}));"
        )

    def _differences(self) -> dict[str, str]:
        columns = [c for c in self.derivation.compared if c.name != self.spec.key]
        tests = {c.name: self.frame.differs(self.derivation, c) for c in columns}
        return {
            "differs": "\n                    OR ".join(tests.values()) or "false",
            "different_columns": ", ".join(f"CASE WHEN {t} THEN {literal(n)} END" for n, t in tests.items()),
        }

    def _carry(self) -> dict[str, str]:
        exempt = self.spec.exempt_column
        values = {
            p.name: (
                f"SELECT s.* FROM (\n    {p.part.rows('true', self._value_of(p))}\n    ) s "
                f"WHERE (n).{self.residual} ? {literal(p.name)}"
            )
            for p in self.parts
        }
        by_value = self.derivation.select(
            self.rows(f"SELECT (n).{quote(self.spec.key)}::text AS key", values), "k.key"
        )
        ahead = self.frame.ahead_columns(self.derivation, (self.spec.key,))
        return {
            "target": self.target.sql,
            "residual": self.residual,
            "parts": "\n    ".join(self._carry_part(p) for p in self.parts),
            "ahead_flags": ahead_flags(ahead),
            "derived_texts": derived_texts(ahead),
            "derived_exempt": f"d.{quote(exempt)}" if exempt else "NULL::text[]",
            "by_value": by_value,
            "store_exempt": (
                f"IF v_reason IS NULL THEN n.{quote(exempt)} := ARRAY(SELECT u.rule FROM unnest(v_exempt) "
                "WITH ORDINALITY AS u (rule, nth) "
                f"WHERE u.rule = ANY (coalesce(o.{quote(exempt)}, '{{}}')) ORDER BY u.nth); END IF;"
                if exempt
                else ""
            ),
        }

    def _value_of(self, part: MergePart) -> str:
        columns = comma(f"{self.legacy(part, c)} AS {c.sql}" for c in part.table.columns if not c.generated)
        return f"(SELECT {columns} FROM (SELECT (n).*) t)"

    def _carry_part(self, part: MergePart) -> str:
        columns = [c for c in part.table.columns if not c.generated]
        given = {c: self.wrap(b) for c in columns if (b := part.part.back_expression(c)) is not None}
        kept = []
        for column in columns:
            default = default_of(part.table, column)
            if column.not_null and default is not None:
                value = given.get(column, f"NULL::{column.sql_type}")
                kept.append(
                    f"CASE WHEN {value} IS NULL THEN jsonb_build_object({literal(column.name)}, ({default})::text) "
                    "ELSE '{}'::jsonb END"
                )
        return render(
            "merge_carry_part.sql",
            residual=self.residual,
            name=literal(part.name),
            when=part.spec.when,
            backs=", ".join(f"{e} AS {part.part.raw_name(c)}" for c, e in given.items()) or "1 AS one",
            kept_values=" || ".join(kept) or "'{}'::jsonb",
            dropped=", ".join(
                f"CASE WHEN v_part ? {literal(c.name)} AND {unlike(f'a.{n}', f'b.{n}')} THEN {literal(c.name)} END"
                for c, n in ((c, part.part.raw_name(c)) for c in given)
            ),
        )

    def triggers(self) -> list[DbObject]:
        """The forward mirror's triggers on every source."""
        return [
            t for p in self.parts for t in mirror_triggers(f"a{p.id:06d}", p.table.sql, p.fn, self.reverse)
        ]

    def target_triggers(self) -> list[DbObject]:
        """The reverse mirror's triggers."""
        return target_triggers(self.fn, self.target)

    def views(self) -> list[DbObject]:
        """The compatibility views of all sources."""
        return [o for p in self.parts for o in self._view(p)]

    def _view(self, part: MergePart) -> list[DbObject]:
        if part.table.primary_key:
            row = " AND ".join(f"x.{quote(c)} = OLD.{quote(c)}" for c in part.table.primary_key)
        else:
            mine = ", ".join(f"y.{c.sql}" for c in part.table.columns)
            old = ", ".join(f"OLD.{c.sql}" for c in part.table.columns)
            row = (
                f"x.ctid = (SELECT y.ctid FROM {part.table.sql} y WHERE {part.on(part.spec.key, 'y')} = "
                f"{part.on(part.spec.key, 'OLD')} AND NOT {unlike(mine, old)} LIMIT 1)"
            )
        columns = comma(f"{self.legacy(part, c)} AS {c.sql}" for c in part.table.columns)
        return view.objects(
            source_id=part.id,
            table=part.table,
            pins=self.pins,
            definition=f"SELECT {columns}\nFROM {self.target.sql} t\nWHERE t.{self.residual} ? {literal(part.name)}",
            row_of_old=row,
        )

    def indexes(self) -> list[DbObject]:
        """What the mirror needs on the sources to find the rows of a key quickly."""
        made = []
        for part in self.parts:
            wanted = {"key": f"({part.on(part.spec.key, '')})"}
            for value in self.spec.columns.values():
                bare = _BARE.match(rule(value).expression)
                if rule(value).unique and bare is not None and bare.group(1) == part.name:
                    column = part.table.by_name.get(bare.group(2))
                    if column is not None:
                        wanted[column.name] = f"({part.on(f's.{column.name}', '')})"
            for label, expression in wanted.items():
                name = bounded("changeover", str(part.id), label)
                made.append(source_index(name, part.table, expression, "rows of a key"))
        return made


def _identity(mapping: MergeMapping, part: MergePart) -> dict[str, str]:
    return {"id": str(part.id), "label": literal(part.table.label), "stage": literal(mapping.stage)}
