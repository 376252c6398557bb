"""The way from a target row back to its source row, as fragments of the functions that write it.

`put` writes it, `erase` deletes it, `image` is its text. What waits is settled by fixed functions
(`orchestrator/ledger/sql/writing_back.sql`), which are told the fragments. Unify and merge differ in how a key finds its row: `Finding` is that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from orchestrator.mapping import types
from orchestrator.mapping.objects import DbObject, function, oids
from orchestrator.mapping.sqltext import comma, literal, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.fragments import Fragment
    from orchestrator.mapping.part import Part


@dataclass(frozen=True)
class Finding:
    """How the row of a key is found, in functions that have ``v_key``, ``v_row`` and ``v_found``."""

    choose: str  # sets v_found, and v_row where the row goes by its place
    row: str  # the predicate over x for the row that was chosen
    place: str  # where the row of the key $1 stands
    row_now: str  # the row of v_new_key as it stands, with its columns under their raw names
    key_of_row: str
    key_of_new: str
    is_meant: str = "true"
    erased: str = ""  # the predicate over x for the row that a deletion takes, where that is not the one chosen
    afterwards: str = "NULL;"
    remember_key: str = ""
    waits_under: str = "ARRAY[v_key]"  # the keys of what waits for a row
    not_ours: str = ""  # raises where the key of a whole row is another row's
    several: str = ""  # the predicate over x for all rows of v_key, where these are one thing told several times
    wrap: Callable[[str], str] = str  # a way back over t alone


@dataclass(frozen=True)
class Writeback:
    """One source's way back."""

    id: int
    fn: str
    part: Part
    target: Table
    pins: str
    reverse: str
    key: Column | None  # a column that an update never changes
    legacy: Callable[[Column], str]
    finding: Finding

    @cached_property
    def columns(self) -> list[Column]:
        """The source's columns that can be written."""
        return [c for c in self.part.table.columns if not c.generated]

    @cached_property
    def names(self) -> Mapping[Column, str]:
        """What they are called in the rows ``a`` (before) and ``b`` (after)."""
        return {c: self.part.raw_name(c) for c in self.columns}

    @cached_property
    def settable(self) -> list[Column]:
        """Those that an UPDATE may set."""
        return [c for c in self.columns if c.identity != "a" and c != self.key]

    def changed(self, columns: Sequence[Column]) -> list[str]:
        """One test a column: a and b differ."""
        return [types.unlike(c, f"a.{self.names[c]}", f"b.{self.names[c]}") for c in columns]

    def fragments(self, *, dropped: str) -> dict[str, Fragment]:
        """What settles a key that waits; ``dropped`` is the SET that takes away what was kept of the columns that $2 names."""
        said: dict[str, Fragment] = {
            "returns": True,
            "place": self.finding.place,
            "dropped": dropped,
            "settable": [c.name for c in self.settable],
        }
        return said | ({"shared": [c.name for c in self._shared()]} if self.finding.several else {})

    def functions(self) -> list[DbObject]:
        """Everything but ``carry`` and ``key``."""
        table, source = self.target.sql, self.part.table.sql
        here = {"fn": self.fn, "pins": self.pins}
        origin = {"reverse": literal(self.reverse)}
        found = {"choose": self.finding.choose}
        source_oid = oids([self.part.table])
        sets = ", ".join(
            f"{c.sql} = CASE WHEN p_whole OR {test} THEN b.{self.names[c]} ELSE x.{c.sql} END"
            for c, test in zip(self.settable, self.changed(self.settable), strict=True)
        )
        shared = self._shared()
        backs = comma(f"{self.finding.wrap(back)} AS {self.names[c]}" for c, back in shared.items())
        first = self.columns[0].sql
        texts = {
            "put": render(
                "put.sql",
                **here,
                **origin,
                **found,
                source_oid=source_oid,
                id=str(self.id),
                target=table,
                source=source,
                key_of_row=self.finding.key_of_row,
                key_of_new=self.finding.key_of_new,
                row=self.finding.row,
                row_now=self.finding.row_now,
                now=", ".join(f"r.{n}::{c.handled_as} AS {n}" for c, n in self.names.items()),
                remember_key=self.finding.remember_key,
                not_ours=self.finding.not_ours,
                waits_under=self.finding.waits_under,
                put_set=sets or f"{first} = x.{first}",
                others_too=self._others(
                    "NOT p_whole AND ",
                    ", ".join(
                        f"{c.sql} = CASE WHEN {test} THEN b.{self.names[c]} ELSE x.{c.sql} END"
                        for c, test in zip(shared, self.changed([*shared]), strict=True)
                    ),
                    " OR ".join(self.changed([*shared])),
                    f'FROM (SELECT {backs} FROM (SELECT ("#old").*) t) a, (SELECT {backs} FROM (SELECT ("#new").*) t) b',
                ),
                source_columns=", ".join(c.sql for c in self.columns),
                b_values=", ".join(f"b.{n}" for n in self.names.values()),
            ),
            "image": render("image.sql", **here, target=table, texts=self._texts()),
            "erase": render(
                "erase.sql", **here, **origin, **found, id=str(self.id), source=source, source_oid=source_oid,
                row_of_key=self.finding.erased or self.finding.row,
                is_meant=self.finding.is_meant, afterwards=self.finding.afterwards,
            ),
        }  # fmt: skip
        return [
            function(
                f"{self.fn}_put", texts["put"], f"{table}, {table}, boolean", "write the source row of a target row"
            ),
            function(f"{self.fn}_image", texts["image"], table, "the source row of a target row, as text"),
            function(f"{self.fn}_erase", texts["erase"], "text, jsonb", "delete the source row of a key"),
        ]

    def _shared(self) -> Mapping[Column, str]:
        """The columns in which all rows of a key may say the same, with their way back."""
        unique = {name for key in self.part.table.unique_keys for name in key}
        backs = {c: self.part.back_expression(c) for c in self.settable if c.name not in unique}
        return {c: back for c, back in backs.items() if back is not None}

    def _others(self, when: str, sets: str, changed: str, origin: str) -> str:
        """After a row of the key was written: those that speak for the key then."""
        if not (self.finding.several and sets):
            return ""
        return render(
            "put_others.sql",
            when=when,
            source=self.part.table.sql,
            same_key=self.finding.several,
            choose=self.finding.choose,
            others_set=sets,
            others_changed=f"({changed})",
            others_from=origin,
        )

    def _texts(self) -> str:
        return "".join(
            f"\n        || jsonb_build_object({literal(c.name)}, a.{n}::text)" for c, n in self.names.items()
        )


def lost(fn: str, said: str, stands: str) -> str:
    """Entries for the originals of source ``fn``: what of its old row the standing row does not give back; both are rows."""
    return f"changeover.lost(changeover.{fn}_image({said}), changeover.{fn}_image({stands}))"


def default_of(table: Table, column: Column) -> str | None:
    """What the table itself would put in a column that an INSERT leaves out.

    The sequence of an identity is asked for by the column: it moves with its table. Others stay where they are.
    """
    if column.identity:
        return f"nextval(pg_get_serial_sequence({literal(table.sql)}, {literal(column.name)}))"
    return column.default


def stand_in(table: Table, column: Column) -> str | None:
    """What a required column gets in an old row that was born on the new side, where nothing says it.

    The table's own default, or else the emptiest value of its type: a row that waits for ever for somebody to say what the
    new schema has no word for would hold up contract and the way back. None where there is no such value.
    """
    if (given := default_of(table, column)) is not None:
        return given
    if any(column.name in key for key in table.unique_keys):
        return None  # the second such row would meet the first
    if column.kind == "e":
        return f"enum_first(NULL::{column.below or column.sql_type})"
    return types.emptiest(column.type)


def required(table: Table, given: Mapping[Column, str], columns: Iterable[Column], document: str) -> str:
    """The statement that puts into a originals what stands in for required columns of which a new row says nothing.

    ``given`` are the ways back over ``t``, ``document`` is the variable. A row that has had a value and has none any more
    is no other case than one that was born without.
    """
    entries = []
    for column in columns:
        value = stand_in(table, column)
        if not column.not_null or value is None:
            continue
        name, back = literal(column.name), given.get(column)
        there = "NULL" if back is None else f"({back})::text"
        missing = f"(CASE WHEN {document} ? {name} THEN {document} ->> {name} ELSE {there} END) IS NULL"
        if column.domain:
            missing += f" AND changeover.castable(({value})::text, {literal(column.sql_type)}::regtype)"
        entry = f"jsonb_build_object({name}, ({value})::text)"
        entries.append(f"CASE WHEN {missing} THEN {entry} ELSE '{{}}'::jsonb END")
    if not entries:
        return ""
    return f'SELECT {document} || {" || ".join(entries)} INTO {document} FROM (SELECT ("#new").*) t;'


def store_exempt(column: str | None) -> str:
    """After a write of the new side: of the rules that the row was exempt from, those that it still breaks."""
    if column is None:
        return ""
    return (
        f'IF v_reason IS NULL THEN "#new".{column} := ARRAY(SELECT u.rule FROM unnest(v_exempt) WITH ORDINALITY '
        f"AS u (rule, nth) WHERE u.rule = ANY (coalesce(\"#old\".{column}, '{{}}')) ORDER BY u.nth); END IF;"
    )
