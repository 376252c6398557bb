"""Rules of a table changed in place that bind new rows only (`exempt`): which of them a row breaks stands in a column of it.

The row is one, and so is the CHECK: it lets a row through that carries the rule's name. Rows that are there, and rows that
the old version writes, get the names of all rules that they break. Who gives new columns is the new version: it gets the
names that the row had before, and the CHECK refuses the rest. Before the CHECK is there nothing refuses, so the names stay
complete, and the CHECK can be validated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import columns_of, with_columns
from orchestrator.mapping import types
from orchestrator.mapping.sqltext import literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.mapping.catalog import Column
    from orchestrator.mapping.in_place import InPlaceTable


def named(m: InPlaceTable) -> list[Column]:
    """The column for the names; none where the mapping has no such rules."""
    return [] if m.spec.exempt_column is None else [m.table.by_name[m.spec.exempt_column]]


def read(m: InPlaceTable) -> list[Column]:
    """The columns that the rules are about, and the one for their names."""
    conditions = m.spec.exempt.values()
    names = {name for text in conditions for row in ("s", "t") for name in columns_of(text, row)}
    return [c for c in m.table.columns if c in named(m) or c.name in names]


def has_names(m: InPlaceTable, row: str) -> str:
    """Whether a row is let through by some rule."""
    return " OR ".join(f"{row}.{c.sql} <> '{{}}'" for c in named(m)) or "false"


def _broken(m: InPlaceTable, value: Callable[[str], str]) -> str:
    """The names of the rules that a row breaks, as an array; ``value`` gives a column of it."""
    rules = {n: with_columns(with_columns(c, "s", value), "t", value) for n, c in m.spec.exempt.items()}
    cases = ", ".join(f"CASE WHEN ({text}) THEN {literal(name)} END" for name, text in rules.items())
    return f"array_remove(ARRAY[{cases}]::text[], NULL)"


# -- in the derived rows: `s` as it is, `w` its new columns as they are to be -----------------------


def lateral(m: InPlaceTable) -> str:
    """The names, as a row `e` behind the others."""
    new = {c.name for c in m.written}
    names = _broken(m, lambda name: f"{'w' if name in new else 's'}.{quote(name)}")
    return "".join(f"\nCROSS JOIN LATERAL (\n    SELECT {names} AS {c.sql}\n    OFFSET 0\n) e" for c in named(m))


def unnamed(m: InPlaceTable) -> str:
    """`OR` the names are not those that the row has."""
    return "".join(f" OR {types.unlike(c, f'e.{c.sql}', f's.{c.sql}')}" for c in named(m))


def output(m: InPlaceTable) -> list[str]:
    """The names, and whether the row has others."""
    return [part for c in named(m) for part in (f"e.{c.sql}", f'(false{unnamed(m)}) AS "#unnamed"')]


def signature(m: InPlaceTable) -> list[str]:
    """Their types."""
    return [part for c in named(m) for part in (f"{c.sql} {c.sql_type}", '"#unnamed" boolean')]


# -- in the trigger ----------------------------------------------------------------------------------


def names_of_new(m: InPlaceTable) -> str:
    """The statement that gives the row its names before it is stored."""
    for column in named(m):
        return (
            "BEGIN\n"
            f"        v_broken := {_broken(m, lambda name: f'NEW.{quote(name)}')};\n"
            "        IF v_broken <> '{}' AND true = ANY (v_given) THEN\n"
            "            v_broken := ARRAY(\n"
            "                SELECT b.name FROM unnest(v_broken) AS b (name)\n"
            f"                WHERE NOT v_inserts AND b.name = ANY (OLD.{column.sql})\n"
            "                   OR NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c\n"
            "                                  WHERE c.conrelid = TG_RELID AND c.conname = b.name AND c.contype = 'c'));\n"
            "        END IF;\n"
            f"        NEW.{column.sql} := v_broken;\n"
            "    EXCEPTION WHEN OTHERS THEN\n"
            "        v_said := v_said || jsonb_build_object('forward', SQLSTATE);\n"
            "    END;"
        )
    return "-- (no rule lets a row through)"
