"""New rows by reference: the derivation of a source is written once, as SQL functions, and everything else calls them.

The functions are LANGUAGE sql, STABLE, one SELECT without settings of its own and not strict, so PostgreSQL puts their
text into the statement that calls them: the plan is that of the pasted text, and the text exists once. Each function
takes the rows in another way (by keys, by pages, by places, as a value); all have the same columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.mapping.objects import DbObject, function
from orchestrator.mapping.sqltext import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.mapping.derivation import Derivation


@dataclass(frozen=True)
class NewRows:
    """One function: how it takes the rows (``name``), its parameters with their types, the SELECT."""

    name: str
    parameters: str
    types: str
    select: str


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


def call(fn: str, name: str, arguments: str) -> str:
    """The same rows, asked of the function of that name."""
    return f"SELECT r.* FROM changeover.{fn}_{name}({arguments}) r"
