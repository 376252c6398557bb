"""The Python interface of the program: one function per command. The command line parses, calls, renders."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

import psycopg

from flags import store as flag_store
from orchestrator.engine import plans
from orchestrator.engine.check import preflight
from orchestrator.engine.errors import DifferencesError, OrderError
from orchestrator.engine.names import check_names, check_phase
from orchestrator.engine.results import PhaseResult, ReplayResult, StartResult, VerifyResult
from orchestrator.engine.run import phases_run
from orchestrator.engine.session import open_ledger, open_session
from orchestrator.kernel import advisory_locks, failpoints
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import GateUnmetError, LockTimeoutError, UsageError, translate
from orchestrator.ledger import events, rejects, runs, schema
from phases.registry import PHASES as _REGISTRY

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from orchestrator.engine.check.outline import outline
    from orchestrator.engine.contract.retiring import Retirement
    from orchestrator.engine.drain.tending import drain
    from orchestrator.engine.drain.upkeep import prune
    from orchestrator.engine.gates.answering import (
        rejects_reason_is_known,
        rejects_revoke,
        rejects_waive,
        rejects_waivers,
    )
    from orchestrator.engine.gates.gatekeeping import gate_approve, gate_explain, gate_list, gate_revoke
    from orchestrator.engine.report.rejected import rejects_list, rejects_show, rejects_summary
    from orchestrator.engine.report.status import status
    from orchestrator.engine.rollback.going_back import rollback, rollback_outline
    from orchestrator.engine.run.refreshing import refresh
    from orchestrator.engine.session import Session, Terms
    from orchestrator.kernel.events import Bus
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage

__all__ = [
    "PHASES",
    "check_names",
    "drain",
    "gate_approve",
    "gate_explain",
    "gate_list",
    "gate_revoke",
    "history",
    "init",
    "open_plan",
    "outline",
    "prune",
    "refresh",
    "rejects_list",
    "rejects_reason_is_known",
    "rejects_replay",
    "rejects_revoke",
    "rejects_show",
    "rejects_summary",
    "rejects_waive",
    "rejects_waivers",
    "retire",
    "rollback",
    "rollback_outline",
    "run_phase",
    "start",
    "status",
    "uninstall",
    "verify",
]

PHASES = tuple(_REGISTRY)
_ELSEWHERE: Final = {
    "gates.answering": ("rejects_reason_is_known", "rejects_revoke", "rejects_waive", "rejects_waivers"),
    "gates.gatekeeping": ("gate_approve", "gate_explain", "gate_list", "gate_revoke"),
    "rollback.going_back": ("rollback", "rollback_outline"),
    "check.outline": ("outline",),
    "run.refreshing": ("refresh",),
    "report.status": ("status",),
    "report.rejected": ("rejects_list", "rejects_show", "rejects_summary"),
    "drain.tending": ("drain",),
    "drain.upkeep": ("prune",),
}
"""Commands that are modules of their own, imported when they are asked for: a phase as a process needs none of them."""
_ALL_DONE = "every phase of every stage is done"


def __getattr__(name: str) -> Any:
    """A command of `_ELSEWHERE`."""
    for module, names in _ELSEWHERE.items():
        if name in names:
            return getattr(importlib.import_module(f"orchestrator.engine.{module}"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def init(dsn: str) -> bool:
    """Install the ledger; False if it stands already in this version."""
    try:
        with connect(dsn) as conn:
            try:
                return schema.install(conn)
            except psycopg.Error as exc:
                raise advisory_locks.blamed(conn, translate(exc)) from exc
    except psycopg.Error as exc:
        raise translate(exc) from exc


def uninstall(dsn: str, *, force: bool = False) -> bool:
    """Remove the ledger and all that is in it; False if there was none."""
    try:
        with connect(dsn) as conn:
            try:
                return schema.uninstall(conn, force=force)
            except LockTimeoutError as exc:
                raise advisory_locks.blamed(conn, exc) from exc.__cause__
    except psycopg.Error as exc:
        raise translate(exc) from exc


def open_plan(name: str, dsn: str | None = None) -> LoadedPlan:
    """A shipped plan by name, any plan by its folder, or one that was begun in a database by its name."""
    return plans.find(dsn, name)


def start(  # noqa: PLR0913 - the options of the command
    dsn: str,
    plan_name: str | LoadedPlan,
    *,
    until: str | None = None,
    stage: str | None = None,
    workers: int = 2,
    kind: runs.Kind | None = None,
    bus: Bus,
    stop: threading.Event | None = None,
    operator: str,
    terms: Terms | None = None,
) -> StartResult:
    """Go through the stages and phases in order, from where the last run stopped, up to the first unmet gate.

    Every stage is verified before any is contracted: readers have to move in between. Raises GateUnmetError
    (its `phases` attribute has what was done until there).
    """
    plan = plans.find(dsn, plan_name)
    check_phase(until)
    wanted = [plan.stage(stage)] if stage else list(plan.model.stages)
    last = len(PHASES) if until is None else PHASES.index(until) + 1
    done: list[PhaseResult] = []
    waiting: list[Stage] = []
    known = preflight.before_a_run(dsn, plan, wanted, operator=operator, bus=bus)
    with open_session(
        dsn, plan, operator=operator, bus=bus, workers=workers, kind=kind, stop=stop, terms=terms
    ) as session:
        preflight.require(session, wanted, known)
        for each in wanted:
            _ensure_flag(session, each)
            if _waits(session, each, until):
                waiting.append(each)
                continue
            ahead = [n for n in PHASES[: min(last, len(PHASES) - 1)] if not phases_run.is_done(session, each.stage, n)]
            done.extend(phases_run.run_phase(session, each, name) for name in ahead)
        if last == len(PHASES):
            # Later stages first: their archive may refer to tables of the earlier ones.
            for each in reversed(wanted):
                if each.contract is not None and not phases_run.is_done(session, each.stage, PHASES[-1]):
                    try:
                        done.append(phases_run.run_phase(session, each, PHASES[-1]))
                    except GateUnmetError as exc:
                        exc.phases = done  # type: ignore[attr-defined]  # told to the caller along with the error
                        raise
            _finish(session)
    return StartResult(done, reason=_why_no_further(done, waiting, wanted, until))


def run_phase(  # noqa: PLR0913 - the options of the command
    dsn: str,
    plan_name: str | LoadedPlan,
    stage: str,
    phase: str,
    *,
    workers: int = 2,
    kind: runs.Kind | None = None,
    bus: Bus,
    stop: threading.Event | None = None,
    operator: str,
    terms: Terms | None = None,
) -> PhaseResult:
    """Carry out one phase of one stage. Only the first phase begins a run."""
    plan = plans.find(dsn, plan_name)
    check_names(dsn, plan, stage, phase)
    chosen, begins = plan.stage(stage), phase == PHASES[0]
    known = preflight.before_a_run(dsn, plan, [chosen], operator=operator, bus=bus) if begins else {}
    with open_session(
        dsn, plan, operator=operator, bus=bus, workers=workers, kind=kind, stop=stop, terms=terms, begins=begins
    ) as session:
        preflight.require(session, [chosen] if begins else [], known)
        _ensure_flag(session, chosen)
        result = phases_run.run_phase(session, chosen, phase)
        _finish(session)
        return result


def verify(  # noqa: PLR0913 - the options of the command
    dsn: str,
    plan_name: str | LoadedPlan,
    *,
    stage: str | None = None,
    repair: bool = False,
    workers: int = 2,
    bus: Bus,
    stop: threading.Event | None = None,
    operator: str,
    terms: Terms | None = None,
) -> list[VerifyResult]:
    """Compare all stages whose rows are copied; raises DifferencesError (a MismatchError) with the results.

    Without `repair` nothing is changed, but that what waits in the queue is drained. It begins no run.
    """
    from orchestrator.engine.drift import standing  # noqa: PLC0415 - `phases_run` imports it for its phase
    from orchestrator.engine.verify import verifying  # noqa: PLC0415 - `phases_run` imports it for its phase

    plan = plans.find(dsn, plan_name)
    wanted = [plan.stage(stage)] if stage else list(plan.model.stages)
    results: list[VerifyResult] = []
    with open_session(
        dsn, plan, operator=operator, bus=bus, workers=workers, stop=stop, terms=terms, begins=False
    ) as session:
        standing.check_old_side(session)
        for each in wanted:
            if not phases_run.is_done(session, each.stage, "backfill"):
                continue
            results.append(verifying.verify(session, each, repair=repair, take_in=repair))
        if not all(result.clean for result in results):
            raise DifferencesError(results, session.plan.argument)
    if not results:
        which, option = ("No stage", "") if stage is None else (f"Stage {stage}", f" --stage {stage}")
        raise OrderError(
            f"Nothing was compared. {which} of plan {plan.name} is {'' if stage is None else 'not '}copied yet.",
            kept="Nothing was changed.",
            todo=f"Run `changeover start {plan.argument}{option} --until backfill` first.",
        )
    return results


def retire(
    dsn: str,
    plan_name: str | LoadedPlan,
    *,
    dry_run: bool = False,
    compared: bool = False,
    bus: Bus,
    stop: threading.Event | None = None,
    operator: str,
    terms: Terms | None = None,
) -> Retirement:
    """Drop the archived tables with their views and mirrors, or only tell what there is to drop (`compared`: for sure).

    Raises GateUnmetError (3) while they are still needed, MismatchError (4) where the comparison that it makes finds
    differences, RefusedError (5) where something else depends on them.
    """
    from orchestrator.engine.contract import retiring  # noqa: PLC0415 - no phase needs it

    plan = plans.find(dsn, plan_name)
    with open_ledger(dsn, operator) as ledger:
        last = runs.latest(ledger, plan.name)
    if last is None or last.state not in {"active", "finished"}:
        raise UsageError(
            f"Plan {plan.name} has no run whose old tables are archived.",
            kept="Nothing was changed.",
            todo="`changeover status` shows what there is.",
        )
    with open_session(dsn, plan, operator=operator, bus=bus, stop=stop, terms=terms, begins=False) as session:
        if dry_run:
            return retiring.look(session, compared=compared)
        retired = retiring.retire(session)
        _finish(session)
        return retired


def history(dsn: str, *, plan: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """The last events of the ledger, oldest first."""
    with open_ledger(dsn, "history") as ledger:
        return [e.as_json() for e in events.history(ledger, events.Which(plan=plan), limit=limit)]


def rejects_replay(
    dsn: str, *, ids: Sequence[int] | None = None, plan: str | None = None, source: str | None = None, operator: str
) -> ReplayResult:
    """Derive the rows of these rejects again; those that can be migrated now are settled by that."""
    from orchestrator.engine.drain import rejecting  # noqa: PLC0415 - no phase needs it

    with open_ledger(dsn, operator) as ledger:
        return rejecting.replay(ledger, rejects.Which(plan=plan, source=source, ids=ids))


def _finish(session: Session) -> None:
    """The run is finished with the last phase of the last stage, whichever command has carried that out."""
    if session.run.state != "active":
        return
    for stage in session.plan.model.stages:
        last = PHASES[-1] if stage.contract is not None else PHASES[-2]
        if not phases_run.is_done(session, stage.stage, last):
            return
    runs.move(session.ledger, session.run, "finished", reason=_ALL_DONE)
    failpoints.failpoint(runs.ENDED)


def _waits(session: Session, stage: Stage, until: str | None) -> bool:
    """Whether a stage cannot begin because the one before it was told to stop before it is verified."""
    if stage.after is None or until is None or PHASES.index(until) >= PHASES.index("verify"):
        return False
    return not phases_run.is_done(session, stage.after, "verify")


def _why_no_further(
    done: Sequence[PhaseResult], waiting: Sequence[Stage], wanted: Sequence[Stage], until: str | None
) -> str | None:
    """What a person should know when everything that could be done is done."""
    words = [f"Stage {stage.stage} begins when stage {stage.after} is verified." for stage in waiting]
    kept = [stage for stage in wanted if stage.contract is None] if until in {None, PHASES[-1]} else []
    for moves, then in (
        (True, "its old tables stay in use"),
        (False, "what it has changed stays, and can be taken back"),
    ):
        named = [stage.stage for stage in kept if bool(stage.mappings) is moves]
        if named:
            words.append(f"Stage {', '.join(named)} has no contract in the plan: {then}.")
    if not done:
        words.insert(0, "Nothing was left to do.")
    return " ".join(words) or None


def _ensure_flag(session: Session, stage: Stage) -> None:
    if stage.flag is not None:
        by = flag_store.By(session.ledger.actor, "the stage begins")
        soak = stage.contract.gates.soak_hours if stage.contract and session.run.kind == "cutover" else 0
        flag_store.ensure(session.conn, stage.flag, session.plan.name, stage.stage, by, soak_hours=soak)
