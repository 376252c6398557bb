"""The statements of an expand file: each adds something, and each can be taken back.

An inverse that is right for a table of the plan is not for one of the application: a column that is dropped again takes
along what has been written to it. So what a statement is about is held against what the plan has made before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqltokens import at
from phases.statements import ddl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.kernel.sqltokens import Token
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from phases.actions import Action

_DESTRUCTIVE: Final = ("drop", "truncate", "delete")
_ROWS: Final = ("insert", "update", "merge", "copy")


@dataclass
class ExpandRule:
    """Judges the statements of a stage in their order."""

    before: frozenset[str]
    """What earlier stages make."""
    here: set[str] = field(default_factory=set)
    """What this stage has made so far."""
    perhaps: set[str] = field(default_factory=set)
    """What this stage makes only where it is not there."""

    @classmethod
    def of(cls, plan: LoadedPlan, stage: Stage) -> ExpandRule:
        """The rule for a stage of a plan."""
        earlier = plan.model.stages[: plan.model.stages.index(stage)]
        made = (ddl(*each) for stage in earlier for each in plan.statements(stage.all_expand))
        return cls(frozenset(each.makes for each in made if each.makes and not each.unless_there))

    def __call__(self, found: list[Token], statement: str) -> Iterator[str]:
        """What is wrong with a statement."""
        first = at(found, 0)
        if first.says(*_DESTRUCTIVE):
            yield f"{first.text.upper()} in an expand file: expand only adds, so that it can be taken back"
        elif first.says(*_ROWS):
            yield f"{first.text.upper()} in an expand file: rows belong to `seed`"
        elif first.says("alter") and any(t.says("drop") and t.depth == 0 for t in found):
            yield "ALTER … DROP in an expand file: expand only adds, so that it can be taken back"
        else:
            yield from self._way_back(" ".join(t.text for t in found[:2]).upper(), ddl("", statement))

    def _way_back(self, opening: str, action: Action) -> Iterator[str]:
        kind, _, name = action.makes.partition(" ")
        if name and "." not in name and kind != "schema":
            yield f"{opening}: {name} is named without its schema"
        if not action.has_way_back:
            yield f"{opening}: the engine knows no way back from this statement"
        ours = self.here if action.goes_with else self.here | self.before
        foreign = [each.partition(" ")[2] for each in action.own if each not in ours]
        if foreign and opening.startswith("CREATE") and action.inverse.startswith("DROP INDEX"):
            yield f"{opening} holds up who writes to {foreign[0]}: an index belongs to `indexes`"
        elif foreign:
            whose = "this stage makes" if action.goes_with else "the plan makes"
            yield (
                f"{opening}: the engine knows no way back from this statement, except for what {whose} before it, "
                f"and that is not {', '.join(foreign)}{self._unless_there(action)}"
            )
        if action.makes:
            (self.perhaps if action.unless_there else self.here).add(action.makes)

    def _unless_there(self, action: Action) -> str:
        doubtful = [each.partition(" ")[2] for each in action.own if each in self.perhaps]
        if not doubtful:
            return ""
        return f": with IF NOT EXISTS {doubtful[0]} may be there already, and then this would stay after a way back"
