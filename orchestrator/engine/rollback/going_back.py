"""The commands of the way back: what it would do, and doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engine import plans
from orchestrator.engine.errors import RunEndedError
from orchestrator.engine.names import check_names, check_phase
from orchestrator.engine.rollback import rollback as way_back
from orchestrator.engine.session import looking, open_ledger, open_session
from orchestrator.kernel.errors import UsageError
from orchestrator.ledger import runs

if TYPE_CHECKING:
    import threading

    from orchestrator.engine.results import PhaseResult
    from orchestrator.engine.session import Terms
    from orchestrator.kernel.events import Bus
    from orchestrator.ledger.runs import Run
    from orchestrator.ledger.store import Ledger
    from orchestrator.plan.loader import LoadedPlan


def rollback_outline(
    dsn: str, plan_name: str | LoadedPlan, *, stage: str | None = None, to: str | None = None
) -> way_back.Outline:
    """What a rollback would do; nothing is changed. It refuses what `rollback` does, but for a lease."""
    plan = plans.find(dsn, plan_name)
    check_names(dsn, plan, stage, to)
    with open_ledger(dsn, "rollback") as ledger:
        run = _run(ledger, plan)
        if run is None:
            return way_back.Outline("rehearsal", [], [])
        return way_back.outline(looking(dsn, ledger, plan, run), stage=stage, to=to)


def rollback(  # noqa: PLR0913 - the options of the command
    dsn: str,
    plan_name: str | LoadedPlan,
    *,
    stage: str | None = None,
    to: str | None = None,
    reason: str = "",
    bus: Bus,
    stop: threading.Event | None = None,
    operator: str,
    terms: Terms | None = None,
) -> list[PhaseResult]:
    """Take stages back until `to` is the last phase done; everything when it is None.

    Nothing is left to do, and no error, where the run was taken back whole: whoever gives the command again does not
    know that the one that was killed had just finished.
    """
    plan = plans.find(dsn, plan_name)
    check_phase(to)
    if stage is not None:
        plan.stage(stage)
    with open_ledger(dsn, operator) as ledger:
        if _run(ledger, plan) is None:
            return []
    try:
        with open_session(dsn, plan, operator=operator, bus=bus, stop=stop, terms=terms, begins=False) as session:
            return way_back.roll_back(session, stage=stage, to=to, reason=reason)
    except RunEndedError as exc:
        if exc.state == "rolled_back":
            return []
        raise


def _run(ledger: Ledger, plan: LoadedPlan) -> Run | None:
    """The run to take back; None where that is done already."""
    last = runs.latest(ledger, plan.name)
    if last is not None and last.state == "rolled_back":
        return None
    if last is None or last.state == "abandoned":
        raise UsageError(
            f"Plan {plan.name} has no run that could be taken back.",
            kept="Nothing was changed.",
            todo="`changeover status` shows what there is.",
        )
    return last
