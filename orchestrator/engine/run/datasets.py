"""Lists that a library keeps, as INSERT statements into a table of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import iso3166

from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.kernel.sqltokens import table_name
from orchestrator.mapping.sqltext import literal

if TYPE_CHECKING:
    from orchestrator.plan.model import Dataset


def insert(dataset: Dataset) -> str:
    """One INSERT with every row of the data set; what is there already stays."""
    if dataset.dataset != "iso3166":
        raise UsageError(
            f"There is no data set {dataset.dataset!r}.", kept="Nothing was changed.", todo="Data sets: iso3166."
        )
    fields = {"alpha2", "alpha3", "name", "numeric"}
    if unknown := sorted(set(dataset.columns.values()) - fields):
        raise UsageError(
            f"iso3166 has no field {', '.join(unknown)}.",
            kept="Nothing was changed.",
            todo=f"Its fields: {', '.join(sorted(fields))}.",
        )
    rows = [
        "(" + ", ".join(literal(str(getattr(country, field))) for field in dataset.columns.values()) + ")"
        for country in iso3166.countries
    ]
    names = ", ".join(quote(c) for c in dataset.columns)
    table = qualified(*table_name(dataset.table))
    return f"INSERT INTO {table} ({names}) VALUES\n" + ",\n".join(rows) + "\nON CONFLICT DO NOTHING"
