"""What depends on looked-up rows: how a change of them is noted, and what the drain is told to find the dependents.

A derived row depends on the row that its lookup found, and so does the way back: the e-mail of an employee is the e-mail of
all their audits. When a looked-up row comes, goes or changes, a trigger notes it (`changeover.lookup_changed`) and reads
nothing else. The drain finds who depends on it (`changeover.drain_lookup`). What it is told of a source for that is made here;
`orchestrator/ledger/sql/lookups.sql` says what each name means.

Columns that are always kept beside the row (`keep_original`) depend on nothing on the way back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import bare_column, columns_of, mentions
from orchestrator.mapping.frame import uses, wrapped
from orchestrator.mapping.model import rule
from orchestrator.mapping.objects import DbObject, trigger
from orchestrator.mapping.sqltext import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orchestrator.mapping import part as mapping_part
    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.derivation import Derivation
    from orchestrator.mapping.fragments import Fragment
    from orchestrator.mapping.kinds.base import Kind
    from orchestrator.mapping.model import Lookup

_EVENTS = (
    ("ins", "INSERT", "REFERENCING NEW TABLE AS new_rows "),
    ("upd", "UPDATE", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows "),
    ("del", "DELETE", "REFERENCING OLD TABLE AS old_rows "),
    ("trunc", "TRUNCATE", ""),
)


def triggers(spec: Kind, mapping_id: int, tables: Mapping[str, Table], forward: str) -> list[DbObject]:
    """Those on the looked-up tables. A view, or a table of another database, cannot have them.

    Only its owner may take a trigger off again. Where another role owns the table, what only goes forward is not followed;
    what the way back reads has to be (`plan check` says so).
    """
    made = []
    for number, (name, lookup) in enumerate(spec.lookups.items()):
        table, read = tables[name], _read(spec, name, tables[name])
        back = _read_back(spec, name, table)
        if not table.plain or not read or not (back or table.owned):
            continue
        arguments = ", ".join(
            literal(text)
            for text in (
                str(mapping_id), name, lookup.key, forward, _array(back),
                _array({lookup.key, *read}),
            )
        )  # fmt: skip
        for word, event, rows in _EVENTS:
            made.append(
                trigger(
                    f"changeover_x{mapping_id}_lookup{number}_{word}",
                    table.stored_sql,
                    f"AFTER {event}",
                    f"{rows}FOR EACH STATEMENT EXECUTE FUNCTION changeover.lookup_changed({arguments})",
                    "what depends on its rows",
                )
            )
    return made


def _array(names: set[str]) -> str:
    quoted = ('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in sorted(names))
    return "{" + ",".join(quoted) + "}"


def _read(spec: Kind, name: str, table: Table) -> set[str]:
    """The columns of a lookup that anything reads which is computed again."""
    texts = [each.text for each in spec.expressions() if not each.once]
    return {c for text in texts for c in columns_of(text, name)} & table.by_name.keys()


def _read_back(spec: Kind, name: str, table: Table) -> set[str]:
    """Those that the way back reads; none where nothing leads from a target row to the lookup."""
    if not spec.lookups[name].join:
        return set()
    texts = [each.text for each in spec.expressions() if "reverse" in each.path]
    return {c for text in texts for c in columns_of(text, name)} & table.by_name.keys()


def leads(derivation: Derivation, name: str, lookup: Lookup) -> str:
    """The condition that a target row ``t`` leads to the looked-up row; empty where a derived row does not tell."""
    written = {column.name for column in derivation.written}
    if lookup.join and columns_of(lookup.join, "t") <= written:
        return lookup.join
    for column in derivation.compared:
        if bare_column(rule(derivation.columns.get(column.name, "")).expression) == (name, lookup.key):
            return f"{quote(name)}.{quote(lookup.key)} = t.{column.sql}"
    return ""


@dataclass(frozen=True)
class Dependents:
    """One source, as far as this matters. Expressions are over the target row ``t``, and ``"#k".key``, a key as text."""

    derivation: Derivation
    match: Callable[[str], str]
    """The match of a lookup over a row ``"#s"``; ``true`` where that does not tell it, nothing where no row leads there."""
    rows: str = ""
    """FROM items of the source's rows, where it is not ``"#s"``, and in ``row_key`` their key."""
    row_key: str = ""
    table: Table | None = None
    part: mapping_part.Part | None = None
    keep_original: Sequence[str] = ()
    mine: str = ""
    """The condition that a target row is of this source; none: no target row tells of which it is."""
    key: str = ""
    of_key: str = ""
    place: str = ""
    kept: str = ""

    def fragments(self) -> dict[str, Fragment]:
        """What the fixed functions are told of the source, and of each lookup."""
        found = {name: {n: v for n, v in self._of(name) if v or n == "alone"} for name in self.derivation.lookups}
        names = ("rows", "row_key", "mine", "key", "of_key", "place", "kept")
        of_source: dict[str, Fragment] = {name: str(getattr(self, name)) for name in names}
        return {"lookups": found, "dependents": of_source} if found else {}

    def _of(self, name: str) -> Iterator[tuple[str, Fragment]]:
        lookup = self.derivation.lookups[name]
        join = leads(self.derivation, name, lookup) if self.mine else ""
        yield "table", self.derivation.lookup_tables[name].sql
        yield "key", lookup.key
        yield "match", self.match(name)
        yield "join", join
        yield "by", sorted(columns_of(join, "t"))
        if join and lookup.join:
            back = {column.name: self._said(name, column) for column in self._hanging(name)}
            yield "back", back
            yield "alone", [column for column, said in back.items() if not mentions(said, "t")]

    def _hanging(self, name: str) -> list[Column]:
        """The source columns whose way back reads the lookup."""
        if self.part is None or self.table is None:
            return []
        return [
            column
            for column in self.table.columns
            if column.name not in self.keep_original and uses(self.part.reverse.get(column.name, ""), name)
        ]

    def _said(self, name: str, column: Column) -> str:
        """What the way back gives for a column, over ``t`` and the looked-up row."""
        assert self.part is not None  # noqa: S101 - a column hangs on something
        others = {n: lookup for n, lookup in self.derivation.lookups.items() if n != name}
        return wrapped(self.part.back_expression(column) or "NULL", others, self.derivation.lookup_tables)
