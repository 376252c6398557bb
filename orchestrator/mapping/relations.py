"""New rows by reference: the derivation of a source is written once, as SQL functions, and everything else calls them.

The functions are LANGUAGE sql, STABLE, one SELECT without settings of its own and not strict, so PostgreSQL puts their
text into the statement that calls them: the plan is that of the pasted text, and the text exists once. A function
takes the rows by keys or by places, or as a value; both have the same columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestrator.mapping.objects import DbObject, function
from orchestrator.mapping.sqltext import comma, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.mapping.catalog import Column, Table
    from orchestrator.mapping.derivation import Derivation


@dataclass(frozen=True)
class NewRows:
    """One function: how it takes the rows (``name``), its parameters with their types, the SELECT."""

    name: str
    parameters: str
    types: str
    select: str


def by_keys_or_places(derive: Callable[[str], str], of_keys: str) -> NewRows:
    """Of the rows with some keys, or at some places; the other is NULL, which the planner takes out of the condition."""
    parameters = '"#keys" text[], "#places" tid[] DEFAULT NULL'
    of_places = '"#places" IS NOT NULL AND x.ctid = ANY ("#places")'
    return NewRows(
        "new_rows", parameters, "text[], tid[]", derive(f'("#keys" IS NOT NULL AND {of_keys} OR {of_places})')
    )


def new_rows(fn: str, derivation: Derivation, ways: Sequence[NewRows]) -> list[DbObject]:
    """The functions ``fn_new_rows…`` of a source or of a whole mapping."""
    return [
        function(
            f"{fn}_{way.name}",
            render(
                "new_rows.sql",
                fn=f"{fn}_{way.name}",
                arguments=way.parameters,
                signature=derivation.signature,
                derived=way.select,
            ),
            way.types,
            "what the old rows say",
        )
        for way in ways
    ]


def old_row(fn: str, target: Table, values: Mapping[Column, str]) -> DbObject:
    """The function ``fn_old_row``; ``values`` are the legacy values over ``t``, in columns ``#1``, ``#2``, … by their place."""
    columns = [(f'"#{c.attnum}"', c.handled_as, value) for c, value in values.items()]
    text = render(
        "old_row.sql",
        fn=fn,
        target=target.sql,
        signature=", ".join(f"{name} {kind}" for name, kind, _ in columns),
        values=comma(f"({value})::{kind} AS {name}" for name, kind, value in columns),
    )
    made = function(f"{fn}_old_row", text, target.sql, "the old row of a new one")
    # Its columns are those of the source: with another one it is another function, which nothing replaces.
    return replace(made, create=f"{made.drop};\n{made.create}")


def call(fn: str, name: str, arguments: str) -> str:
    """The same rows, asked of the function of that name."""
    return f"SELECT r.* FROM changeover.{fn}_{name}({arguments}) r"
