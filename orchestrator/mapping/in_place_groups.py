"""The columns of a table changed in place that are computed together.

A group is old columns with the new ones that their ways back read; a new column that no way back reads is a group of its
own. Groups do not disturb each other: a new value of one leaves the spelling of another alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.kernel import sqlfiles
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import columns_of, mentions, tokens, with_columns
from orchestrator.mapping import types
from orchestrator.mapping.frame import uses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    import psycopg

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.kinds.in_place import InPlace


@dataclass(frozen=True)
class Check:
    """A CHECK constraint of the table."""

    name: str
    columns: Sequence[str]
    condition: str


@dataclass(frozen=True)
class Group:
    """Columns that are computed together. ``number`` counts from 1; ``old`` is empty where there is no way back."""

    number: int
    new: tuple[Column, ...]
    old: tuple[Column, ...]
    read: tuple[Column, ...]
    """The columns that the new ones are computed from."""
    where: str | None = None
    """The condition over ``s`` under which the columns are filled; None where they are mirrored."""
    reads: str | None = None
    """An expression over ``s``: the column is computed again where it changes, and not because it is NULL."""

    def reads_other(self, left: str, right: str) -> str:
        """Whether two rows differ in what the new columns are computed from."""
        if self.reads is None:
            return unlike(self.read, left, right)
        one = with_columns(self.reads, "s", lambda c: f"{left}.{quote(c)}")
        other = with_columns(self.reads, "s", lambda c: f"{right}.{quote(c)}")
        return f"(({one}) IS DISTINCT FROM ({other}))"

    def open(self, row: str) -> str:
        """Whether the new columns of a row are as they were added, or are to be filled."""
        if self.where is not None:
            return f"coalesce(({with_columns(self.where, 's', lambda c: f'{row}.{quote(c)}')}), false)"
        return "(" + " AND ".join(_is_initial(c, f"{row}.{c.sql}") for c in self.new) + ")"


def groups(spec: InPlace, table: Table) -> list[Group]:
    """The groups of a mapping, numbered."""
    rules = spec.rules
    if spec.where is not None:
        read = _columns(table, columns_of(spec.where, "s"))
        return [Group(1, _columns(table, rules), (), read, spec.where)]
    together: list[tuple[set[str], set[str]]] = []
    for name, back in spec.reverse.items():
        old, new = {name}, named(spec, back, "t", join=True) & rules.keys()
        for group in [g for g in together if g[1] & new]:
            together.remove(group)
            old, new = old | group[0], new | group[1]
        together.append((old, new))
    pairs = [*together, *((set[str](), {n}) for n in rules if not any(n in new for _, new in together))]
    return [
        Group(
            number=number,
            new=_columns(table, new),
            old=_columns(table, old),
            read=_columns(table, _read(spec, table, new)),
            reads=None if old else rules[next(iter(new))].reads,
        )
        for number, (old, new) in enumerate(pairs, 1)
    ]


def _columns(table: Table, names: Iterable[str]) -> tuple[Column, ...]:
    wanted = set(names)
    return tuple(c for c in table.columns if c.name in wanted)


def _read(spec: InPlace, table: Table, new: set[str]) -> set[str]:
    """The columns that some new ones are computed from; all of them where that cannot be told."""
    found: set[str] = set()
    for name in new:
        text = spec.rules[name].expression
        read = named(spec, text, "s", join=False)
        whole = mentions(text, "s", "*") or not read
        found |= {c.name for c in table.columns} - spec.columns.keys() if whole else read
    return found


def named(spec: InPlace, expression: str, row: str, *, join: bool) -> set[str]:
    """The columns of a row that an expression names, itself or by its lookups."""
    found = columns_of(expression, row)
    for name, lookup in spec.lookups.items():
        if uses(expression, name):
            found |= columns_of(lookup.join if join else lookup.match, row)
    return found


def initial(column: Column) -> str:
    """What a new column has in a row that nobody has computed."""
    return f"({column.default or 'NULL'})::{column.sql_type}"


def _is_initial(column: Column, value: str) -> str:
    """Whether a new column has what it was added with.

    Short where it can be: a trigger's condition is read from the catalog and prepared again for each statement, which costs
    about a microsecond for each name in it. A NULL of a composite type is another thing than a row of NULLs.
    """
    if column.default is None and column.kind != "c" and not column.domain:
        return f"{value} IS NULL"
    return f"NOT {types.unlike(column, value, initial(column))}"


def checks(
    conn: psycopg.Connection[Any], table: Table, told: Mapping[str, str | None]
) -> tuple[tuple[Check, ...], bool]:
    """The CHECK constraints of a table, and whether triggers of the application may change a row that is updated.

    Those that the plan itself adds or replaces are taken from the plan, in every phase: the mirror is made before they
    come, and must be the same afterwards.
    """
    found = conn.execute(sqlfiles.load(__package__, "catalog_checks.sql"), {"oid": table.oid}).fetchall()
    restless = conn.execute(sqlfiles.load(__package__, "catalog_row_triggers.sql"), {"oid": table.oid}).fetchone()
    there = [Check(name, tuple(names), condition) for name, names, condition in found if name not in told]
    to_come = [Check(n, tuple(_names(table, text)), text) for n, text in sorted(told.items()) if text is not None]
    return (*there, *to_come), restless == (True,)


def _names(table: Table, condition: str) -> list[str]:
    return list(dict.fromkeys(each.text for each in tokens(condition) if each.is_name and each.text in table.by_name))


def unlike(columns: Iterable[Column], left: str, right: str) -> str:
    """Whether two rows differ in one of the columns."""
    tests = [types.unlike(c, f"{left}.{c.sql}", f"{right}.{c.sql}") for c in columns]
    return "(" + " OR ".join(tests or ["false"]) + ")"
