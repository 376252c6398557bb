"""A key that is derived from an old number (`changeover.uuid_of`) is that of a copied row, and of no other.

A row that the new application makes has the key that the application gives it, and the old table gives it a number
afterwards. Who refers to it by a derived key finds nothing, one way and the other: the new table must be asked, which
keeps the old number among the originals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqltokens import at, dotted, table_label, tokens
from orchestrator.mapping.model import Unify
from orchestrator.plan.scopes import Scope, expressions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.plan.complaints import Desk
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.scopes import Expression

_DERIVES: Final = ("changeover", "uuid_of")


def lint_new_keys(plan: LoadedPlan, desk: Desk) -> None:
    """Columns and joins that refer to a table of the plan by a derived key alone."""
    mappings = [
        (("stages", number, "mappings", index), mapping)
        for number, stage in enumerate(plan.model.stages)
        for index, mapping in enumerate(stage.mappings)
    ]
    unified = {
        table_label(source): mapping
        for _, mapping in mappings
        if isinstance(mapping, Unify)
        for source in mapping.sources or []
    }
    for path, mapping in mappings:
        for each in expressions(mapping):
            for label in _derived(each, unified):
                other = unified[label]
                new = other.key.target
                originals = "originals" if other.originals is None else other.originals
                desk.error(
                    "reference",
                    f"a key derived from {label} is not that of a row which the new application makes: look it up in "
                    f"{other.target} (match: \"({originals} ->> '{other.key.column}')::… = s.…\", indexed; "
                    f'join: "….{new} = t.…") and fall back on it: coalesce(….{new}, uuid_of(…))',
                    *path,
                    *each.path,
                )


def _derived(expression: Expression, unified: Mapping[str, Unify]) -> Iterator[str]:
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
