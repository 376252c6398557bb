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
    """Columns and names that go, against the mappings whose mirrors stay."""
    gone = _gone(plan)
    old_names = {table_label(each.table) for stage in plan.model.stages for each in stage.rename if each.to is not None}
    for number, stage in enumerate(plan.model.stages):
        for index, mapping in enumerate(stage.mappings):
            path = ("stages", number, "mappings", index)
            if mapping.old_columns is not None and stage.contract is None:
                message = "old columns go at `retire`, which comes after contract: give the stage a `contract`"
                diagnostics.error("drop", message, *path, "drop")
            goes = mapping.old_columns is not None or not (
                mapping.sources_live_on or stage.contract is None or stage.contract.archive == "none"
            )
            if not goes:
                for key, message in (*_columns(mapping, gone), *_names(mapping, old_names)):
                    diagnostics.error(key, message, *path)


def _gone(plan: LoadedPlan) -> dict[str, set[str]]:
    """The columns of each table that go at retire, or get other names."""
    gone: dict[str, set[str]] = {}
    for stage in plan.model.stages:
        for rename in stage.rename:
            if rename.to is None:
                gone.setdefault(table_label(rename.table), set()).update(rename.renamed)
        for alter in stage.alter:
            gone.setdefault(table_label(alter.table), set()).update(map(column, alter.drop))
        for mapping in stage.mappings:
            gone.setdefault(table_label(mapping.target), set()).update(mapping.old_columns or (), mapping.renamed)
    return gone


def _columns(mapping: Mapping, gone: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    for table, names in _read(mapping, gone):
        message = (
            f"{', '.join(names)} of {table} go, or get other names, at `retire`, and the mirror of this "
            "mapping reads them and stays: give it `drop`, with the old columns that go with it "
            "(`drop: []` for none), or drop them in a plan that comes later"
        )
        yield "drop", message


def _names(mapping: Mapping, old_names: set[str]) -> Iterator[tuple[str, str]]:
    for table in sorted(old_names & {table_label(text) for text, _ in mapping.tables}):
        message = (
            f"the name {table} goes at `retire`, and the mirror of this mapping reads the table by it and stays: "
            "give it `drop`, with the old columns that go with it (`drop: []` for none), or rename the table in "
            "a plan of its own, before this one or after its `retire`"
        )
        yield "rename", message


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
