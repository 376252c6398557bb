"""A merged row goes with the last of its old rows, unless the plan says what becomes of it (`on_source_delete`).

Where rows of the new schema may refer to it by then, that deletion cannot be carried out: the key holds it up, and it
waits until somebody decides. Which of the two the plan's author wants is better asked before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.sqltokens import at, dotted, table_label, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.kernel.sqltokens import Token
    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage


def lint_deletions(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """Merges without `on_source_delete` whose target a foreign key of the plan holds fast."""
    held = {
        table: file
        for stage in plan.model.stages
        for file, statement in plan.statements(_files(stage))
        for table in _holds(tokens(statement))
    }
    for number, stage in enumerate(plan.model.stages):
        for index, mapping in enumerate(stage.mappings):
            target = table_label(mapping.target)
            if mapping.deletes_merged and target in held:
                words = (
                    f"a row of {target} is deleted with the last of its old rows, and a foreign key in {held[target]} "
                    "forbids that while rows refer to it: give the mapping `on_source_delete`, or the key an ON DELETE"
                )
                diagnostics.warning("on_source_delete", words, "stages", number, "mappings", index, mapping.kind)


def _files(stage: Stage) -> list[str]:
    return [*stage.expand, *stage.keys, *([] if stage.contract is None else stage.contract.keys)]


def _holds(found: list[Token]) -> Iterator[str]:
    """Tables that a foreign key refers to without saying what a deletion does."""
    for index, token in enumerate(found):
        if not token.says("references"):
            continue
        name, end = dotted(found, index + 1)
        clause = []
        while (
            (each := at(found, end)).text
            and each.depth >= token.depth
            and not (each.says(",") and each.depth == token.depth)
        ):
            clause.append(each.text)
            end += 1
        words = " ".join(clause)
        if "on delete cascade" not in words and "on delete set" not in words:
            yield ".".join(name)
