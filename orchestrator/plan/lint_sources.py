"""Old tables that two mappings want, and parents that nobody moves.

A mapping that archives its sources moves each row to one place: the mirrors of a second one would not see what the
first one writes back, and the view of the old name can be one only. A split whose parent is a new table finds the old
row behind a parent by the unify that has made it; where no unify does, nothing could be written back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.sqltokens import table_label

if TYPE_CHECKING:
    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.loader import LoadedPlan


def twice(table: str, first: str, second: str) -> str:
    """What is said of a table that two mappings move."""
    return (
        f"{table} is moved by mapping {first} and by mapping {second}, and a table moves once. Columns that become "
        "rows of another table are a `split`, rows that are only computed from it a `derive`"
    )


def lint_sources(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """Both complaints, over all stages: a later stage finds the mirrors of an earlier one."""
    mappings = [
        (("stages", number, "mappings", index), mapping)
        for number, stage in enumerate(plan.model.stages)
        for index, mapping in enumerate(stage.mappings)
    ]
    first: dict[str, str] = {}
    for path, mapping in mappings:
        for table, place in mapping.source_tables if mapping.archives else ():
            if first.setdefault(table_label(table), mapping.label) != mapping.label:
                diagnostics.error("source", twice(table, first[table_label(table)], mapping.label), *path, *place)
    moved = {table_label(mapping.target) for _, mapping in mappings if mapping.common_key is not None}
    for path, mapping in mappings:
        if mapping.parent_table is not None and table_label(mapping.parent_table) not in moved:
            diagnostics.error(
                "parent",
                f"no unify of this plan moves rows to {mapping.parent_table}, so what is written to {mapping.target} "
                "would not come back. Where the old table stays, leave `parent` out: its own key is the parent",
                *path,
                "parent",
            )
