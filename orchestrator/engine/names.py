"""The names that a command is given: judged before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engine import plans
from orchestrator.engine.errors import UnknownPhaseError
from orchestrator.kernel.words import meant
from phases.registry import PHASES

if TYPE_CHECKING:
    from orchestrator.plan.loader import LoadedPlan


def check_names(dsn: str, plan: str | LoadedPlan, stage: str | None, phase: str | None) -> LoadedPlan:
    """The plan. Raise UsageError where there is no such plan, stage or phase: before anything is written."""
    loaded = plans.find(dsn, plan)
    if stage is not None:
        loaded.stage(stage)
    check_phase(phase)
    return loaded


def check_phase(name: str | None) -> None:
    """Raise UnknownPhaseError where there is no such phase."""
    if name is not None and name not in PHASES:
        raise UnknownPhaseError(
            f"There is no phase {name!r}{meant(name, PHASES, '.')}",
            kept="Nothing was changed.",
            todo=f"Phases: {', '.join(PHASES)}.",
        )
