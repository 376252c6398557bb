"""`partition:` of a stage: the table is the stage's own, and no mapping finds its rows by a key that it cannot keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.sqltokens import table_label, tokens
from orchestrator.plan.created import created

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.loader import LoadedPlan


def lint_partitions(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """Over all stages: a later one may fill the table."""
    keyed = {
        table_label(m.target): m
        for stage in plan.model.stages
        for m in stage.mappings
        if m.conflict and not m.keeps_unique
    }
    for number, stage in enumerate(plan.model.stages):
        ranged = _ranged(text for _, text in plan.statements(stage.expand))
        for index, each in enumerate(stage.partition):
            place = ("stages", number, "partition", index, "table")
            label = table_label(each.table)
            if label not in ranged:
                diagnostics.error(
                    "partition", f"no expand file of this stage makes {each.table} with PARTITION BY RANGE", *place
                )
            if (mapping := keyed.get(label)) is not None:
                diagnostics.error(
                    "partition",
                    f"mapping {mapping.label} is a {mapping.kind} and finds rows of {each.table} by "
                    f"({', '.join(mapping.conflict)}), by which a partitioned table is unique only together with "
                    "its date. A derive may fill one",
                    *place,
                )


def _ranged(statements: Iterable[str]) -> set[str]:
    """The tables that are made with PARTITION BY RANGE."""
    found = set()
    for text in statements:
        words = [t.text.lower() for t in tokens(text) if t.is_name and t.depth == 0]
        if ["partition", "by", "range"] in [words[i : i + 3] for i in range(len(words))]:
            found |= set(created([text]))
    return found
