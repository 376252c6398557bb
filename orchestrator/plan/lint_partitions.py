"""`partition:` of a stage: the table is the stage's own, and no mapping finds its rows by a key that it cannot keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.sqltokens import table_label, tokens
from orchestrator.mapping.needs import plain_only
from orchestrator.plan.created import created

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.loader import LoadedPlan


def lint_partitions(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """Over all stages: a later one may fill the table."""
    partitioned: set[str] = set()
    for number, stage in enumerate(plan.model.stages):
        statements = [text for _, text in plan.statements(stage.expand)]
        partitioned |= _made(statements, ["partition", "by"])
        ranged = _made(statements, ["partition", "by", "range"])
        for index, each in enumerate(stage.partition):
            if table_label(each.table) not in ranged:
                message = f"no expand file of this stage makes {each.table} with PARTITION BY RANGE"
                diagnostics.error("partition", message, "stages", number, "partition", index, "table")
    for number, stage in enumerate(plan.model.stages):
        for index, mapping in enumerate(stage.mappings):
            if table_label(mapping.target) in partitioned and (refused := plain_only(mapping)) is not None:
                diagnostics.error("partition", refused, "stages", number, "mappings", index, mapping.kind)


def _made(statements: Iterable[str], how: list[str]) -> set[str]:
    """The tables that are made with these words."""
    found = set()
    for text in statements:
        words = [t.text.lower() for t in tokens(text) if t.is_name and t.depth == 0]
        if how in [words[i : i + len(how)] for i in range(len(words))]:
            found |= set(created([text]))
    return found
