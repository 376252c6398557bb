"""A table whose rows a mapping reads or writes keeps its name and its columns' names while mirrors work.

A trigger is of the table and not of the view that has the old name, and a function's text is no dependency that the
server knows: after a rename the next write would fail, or nothing would be mirrored. What only looks a row up, and puts
no trigger there, reads it through that view until `retire`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.sqltokens import columns_of, table_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.loader import LoadedPlan
    from phases.rename_spec import Rename

_WHEN = "rename it in a plan of its own, before this one or after its `retire`"


def lint_renames(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """`rename` with `to`, of whatever stage, against the mappings of all stages."""
    mappings = [mapping for stage in plan.model.stages for mapping in stage.mappings]
    for number, stage in enumerate(plan.model.stages):
        for index, rename in enumerate(stage.rename):
            if rename.to is None:
                continue
            for mapping in mappings:
                if (message := _in_the_way(rename, mapping)) is not None:
                    diagnostics.error("rename", message, "stages", number, "rename", index)


def _in_the_way(rename: Rename, mapping: Mapping) -> str | None:
    label = table_label(rename.table)
    tables = (mapping.target, mapping.parent_table, *(name for name, _ in mapping.source_tables))
    if label in {table_label(each) for each in tables if each is not None}:
        return f"mapping {mapping.label} reads or writes the rows of {rename.table} by this name: {_WHEN}"
    if names := sorted({name for name in _watched(mapping, label) if name in rename.renamed}):
        return (
            f"mapping {mapping.label} watches {', '.join(names)} of {rename.table}, which it looks up: give the table "
            f"its new name here and leave its columns, or {_WHEN}"
        )
    return None


def _watched(mapping: Mapping, label: str) -> Iterator[str]:
    """The columns of a table that a mapping looks up and has a trigger on."""
    texts = [each.text for each in mapping.expressions()]
    for name, lookup in mapping.lookups.items():
        if table_label(lookup.table) == label and (lookup.follow or lookup.join or not mapping.follows):
            yield lookup.key
            for text in texts:
                yield from columns_of(text, name)
