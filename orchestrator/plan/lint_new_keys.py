"""A key that is derived from an old number (`changeover.uuid_of`) is that of a copied row, and of no other.

A row that the new application makes has the key that the application gives it, and the old table gives it a number
afterwards. Who refers to it by a derived key finds nothing, one way and the other: the new table must be asked, which
keeps the old number among the originals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqltokens import at, dotted, table_label, tokens
from orchestrator.mapping.expressions import Scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchestrator.mapping.expressions import Expression
    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.loader import LoadedPlan

_DERIVES: Final = ("changeover", "uuid_of")


def lint_new_keys(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """Columns and joins that refer to a table of the plan by a derived key alone."""
    mappings = [
        (("stages", number, "mappings", index), mapping)
        for number, stage in enumerate(plan.model.stages)
        for index, mapping in enumerate(stage.mappings)
    ]
    unified = {
        table_label(source): (mapping, mapping.common_key)
        for _, mapping in mappings
        if mapping.common_key is not None
        for source, _ in mapping.source_tables
    }
    for path, mapping in mappings:
        for each in mapping.expressions():
            for label in _derived(each, unified):
                other, key = unified[label]
                new = key.target
                originals = "originals" if other.originals is None else other.originals
                diagnostics.error(
                    "reference",
                    f"a key derived from {label} is not that of a row which the new application makes: look it up in "
                    f"{other.target} (match: \"({originals} ->> '{key.column}')::… = s.…\", indexed; "
                    f'join: "….{new} = t.…") and fall back on it: coalesce(….{new}, uuid_of(…))',
                    *path,
                    *each.path,
                )


def _derived(expression: Expression, unified: Collection[str]) -> Iterator[str]:
    """The tables whose derived keys the expression takes for the only ones."""
    found = tokens(expression.text)
    for index in range(len(found)):
        name, end = dotted(found, index)
        if name != _DERIVES or not at(found, end).says("("):
            continue
        argument = at(found, end + 1)
        alone = expression.scope is Scope.JOIN or (expression.path[0] == "columns" and index == 0)
        if alone and argument.kind == "string" and (label := argument.text.strip("'")) in unified:
            yield label
