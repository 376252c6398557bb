"""What is dropped or renamed at retire is read by no mirror that stays: its next write would fail.

A function's text is no dependency that the server knows, so a mirror that outlives a column would be found out by the
application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.sqltokens import table_label, tokens
from phases.alter_spec import column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.loader import LoadedPlan


def lint_ends(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """Columns that go, by `drop` of a mapping or of `alter`, and new names of columns."""
    gone: dict[str, set[str]] = {}
    for stage in plan.model.stages:
        for alter in stage.alter:
            gone.setdefault(table_label(alter.table), set()).update(map(column, alter.drop))
        for mapping in stage.mappings:
            gone.setdefault(table_label(mapping.target), set()).update(mapping.old_columns or (), mapping.renamed)
    for number, stage in enumerate(plan.model.stages):
        for index, mapping in enumerate(stage.mappings):
            path = ("stages", number, "mappings", index)
            if mapping.old_columns is not None and stage.contract is None:
                message = "old columns go at `retire`, which comes after contract: give the stage a `contract`"
                diagnostics.error("contract", message, *path, "drop")
            goes = mapping.old_columns is not None or not (
                mapping.sources_live_on or stage.contract is None or stage.contract.archive == "none"
            )
            if not goes:
                for table, names in _read(mapping, gone):
                    message = (
                        f"{', '.join(names)} of {table} go, or get other names, at `retire`, and the mirror of this "
                        "mapping reads them and stays: give it `drop`, with the old columns that go with it "
                        "(`drop: []` for none), or drop them in a plan that comes later"
                    )
                    diagnostics.error("drop", message, *path)


def _read(mapping: Mapping, gone: dict[str, set[str]]) -> Iterator[tuple[str, list[str]]]:
    """The columns that go of each table that a mapping reads."""
    named = {*mapping.columns, *mapping.read_columns}
    named |= {t.text for each in mapping.expressions() for t in tokens(each.text) if t.is_name}
    # Where rows are copied, columns that the mapping does not name are kept or packed.
    whole = set() if mapping.sources_live_on else {table_label(text) for text, _ in mapping.source_tables}
    for table in dict.fromkeys(table_label(text) for text, _ in mapping.tables):
        found = gone.get(table, set())
        if names := sorted(found if table in whole else found & named):
            yield table, names
