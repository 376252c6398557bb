"""One phase of one stage: what must have come before, its actions and steps, what is recorded of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flags import store as flag_store
from flags.stages import Stage as FlagStage
from orchestrator.engine.contract import required
from orchestrator.engine.copy import copying
from orchestrator.engine.drain import drain
from orchestrator.engine.drift import standing
from orchestrator.engine.errors import DifferencesError, OrderError, StoppedError
from orchestrator.engine.gates import gates, judging
from orchestrator.engine.names import check_phase
from orchestrator.engine.results import PhaseResult
from orchestrator.engine.run import early_rows, runner
from orchestrator.kernel import advisory_locks, failpoints
from orchestrator.kernel.errors import ChangeoverError, GateUnmetError
from orchestrator.ledger import actions as ledger_actions
from orchestrator.ledger import check_results, verifications
from orchestrator.ledger import phases as ledger_phases
from orchestrator.ledger import sources as ledger_sources
from orchestrator.ledger.store import About
from phases.actions import Action, Step
from phases.registry import PHASES

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.engine.session import Session
    from orchestrator.plan.model import Stage

_RELYING = ("backfill", "verify", "contract")
_DONE = failpoints.declare("engine.phase.done", "a phase is recorded as done")


def run_phase(session: Session, stage: Stage, name: str) -> PhaseResult:
    """Carry out one phase; running a phase that is done finds everything done and says so."""
    check_phase(name)
    standing.check_old_side(session)
    _check_way_back(session, stage)
    _check_order(session, stage, name)
    begun, before = time.monotonic(), _worked(session, stage, name)
    ledger_phases.begin(session.ledger, session.run, stage.stage, name, epoch=session.epoch)
    session.bus.emit("phase.started", stage=stage.stage, phase=name)
    try:
        if name in _RELYING:
            _take_stock(session, stage, name)
        detail = _carry_out(session, stage, name)
        if name == "backfill":
            standing.check(session, stage)
        if name == "dual-write":
            # Before it is done: whoever goes on after a kill leaves out what is.
            _both_are_written(session, stage)
    except BaseException as exc:
        if isinstance(exc, ChangeoverError):
            advisory_locks.blamed(session.conn, exc)
        _note_failure(session, stage, name, exc, round(before + time.monotonic() - begun, 3))
        raise
    seconds = round(time.monotonic() - begun, 3)
    worked = {**detail, "seconds": round(before + seconds, 3)}
    ledger_phases.finish(session.ledger, session.run, stage.stage, name, epoch=session.epoch, detail=worked)
    session.bus.emit("phase.done", stage=stage.stage, phase=name, seconds=seconds)
    failpoints.failpoint(_DONE)
    return PhaseResult(stage.stage, name, "done", seconds, detail)


def _worked(session: Session, stage: Stage, name: str) -> float:
    """The seconds that a phase has been worked at before, without the time in which it lay."""
    found = ledger_phases.get(session.ledger, session.run, stage.stage, name)
    return 0.0 if found is None else float(found.detail.get("seconds", 0.0))


def _both_are_written(session: Session, stage: Stage) -> None:
    """The flag's first step is a fact and no decision: from here on both sides are written."""
    if stage.flag is None:
        return
    flag = flag_store.get(session.conn, stage.flag)
    if flag.stage == FlagStage.OFF:
        by = flag_store.By(session.ledger.actor, "the mirrors are on")
        flag_store.set_flag(session.conn, stage.flag, flag_store.Change(stage=FlagStage.DUALWRITE), by)


def _take_stock(session: Session, stage: Stage, name: str) -> None:
    """Before a phase relies on the mirrors: take in what is new, and see that they stand."""
    if name != "contract":
        copying.catch_up(session, copying.lineage(session, stage))
        copying.refresh(session, stage)
        standing.check(session, stage)
        return
    # Other stages read the same tables: what came since the verification is copied and compared before one is put away.
    stages = [s for s in session.plan.model.stages if is_done(session, s.stage, "verify")]
    copying.catch_up(session, stages)
    standing.check(session, stage)
    for each in stages:
        if verifications.latest(session.ledger, session.plan.name, each.stage) is None:
            _compare(session, each, Step("compare", "compare"), {})


def is_done(session: Session, stage: str, name: str) -> bool:
    """Whether a phase of this run is done."""
    found = ledger_phases.get(session.ledger, session.run, stage, name)
    return found is not None and found.state == "done"


def _carry_out(session: Session, stage: Stage, name: str) -> dict[str, Any]:
    detail: dict[str, Any] = {"actions": 0, "executed": 0}
    work = session.compiler.work(stage)
    for item in PHASES[name].actions(work):
        session.terms.runtime.wait(session.stop)
        if session.stop.is_set():
            raise StoppedError(f"Phase {name} of stage {stage.stage}")
        if isinstance(item, Action):
            detail["actions"] += 1
            detail["executed"] += runner.carry_out(session, stage.stage, name, item)
        else:
            _step(session, stage, item, detail)
    return detail


def _step(session: Session, stage: Stage, step: Step, detail: dict[str, Any]) -> None:
    _STEPS[step.kind](session, stage, step, detail)


def _mirrored(session: Session, stage: Stage, step: Step, _detail: dict[str, Any]) -> None:
    """From here on the sources of a mapping are mirrored: their triggers are committed."""
    about = About(session.plan.name, stage.stage, "dual-write")
    for source in ledger_sources.every(session.ledger, session.plan.name, stage.stage):
        if source.mapping_id == step.subject and source.state == "found":
            early_rows.tell(session.conn, source.id)
            ledger_sources.move(session.ledger, source, "mirrored", about)


def _copy(session: Session, stage: Stage, step: Step, detail: dict[str, Any]) -> None:
    detail[step.id] = copying.copy(session, stage, step.subject)


def _drain(session: Session, _stage: Stage, _step: Step, _detail: dict[str, Any]) -> None:
    """What the mirrors of any stage have left behind: the rows of one stage refer to those of another."""
    drain.empty_queue(session, ledger_sources.every(session.ledger, session.plan.name))


def _fill(session: Session, stage: Stage, step: Step, detail: dict[str, Any]) -> None:
    """Nobody can read a materialized view that was never computed, and readers move once the stage is verified."""
    from orchestrator.engine.run import refreshing  # noqa: PLC0415 - most stages have no view

    about = About(session.plan.name, stage.stage, "backfill")
    refreshing.refresh_one(session.ledger, about, stage.refresh[step.subject], if_due=False, bus=session.bus)
    detail["executed"] += 1


def _compare(session: Session, stage: Stage, _step: Step, detail: dict[str, Any]) -> None:
    from orchestrator.engine.verify import verifying  # noqa: PLC0415 - a process is one phase, mostly another one

    result = verifying.verify(session, stage)
    detail.update(rows=result.rows, differences=result.differences, counts=result.counts)
    if not result.clean:
        raise DifferencesError([result], session.plan.argument)


def _gates(session: Session, stage: Stage, _step: Step, _detail: dict[str, Any]) -> None:
    """Measured when nothing waits: a key in the queue may become a reject. Asked again under each table's lock."""
    drain.empty_queue(session, ledger_sources.every(session.ledger, session.plan.name))
    answers = judging.judge(session.dsn, session.plan, stage, "contract")
    check_results.record(session.ledger, session.run, stage.stage, answers)
    kept = "Nothing was changed; the mirrors stay on, both sides are current."
    gates.require(session.ledger, session.plan, session.run, stage, kept=kept)
    required.require_values(session, stage, kept=kept)


def _archive(session: Session, stage: Stage, step: Step, detail: dict[str, Any]) -> None:
    from orchestrator.engine.contract import archiving  # noqa: PLC0415 - as above

    detail["executed"] += archiving.archive(session, stage.stage, step.subject)


_STEPS: dict[str, Callable[[Session, Stage, Step, dict[str, Any]], None]] = {
    "mirrored": _mirrored,
    "copy": _copy,
    "drain": _drain,
    "fill": _fill,
    "compare": _compare,
    "gates": _gates,
    "archive": _archive,
}


def _check_order(session: Session, stage: Stage, name: str) -> None:
    order = list(PHASES)
    for earlier in order[: order.index(name)]:
        if not is_done(session, stage.stage, earlier):
            raise OrderError(
                f"Phase {name} of stage {stage.stage} comes after {earlier}, which is not done.",
                kept="Nothing was changed.",
                todo=f"Run `changeover run {earlier} --plan {session.plan.argument} --stage {stage.stage}` first, "
                "or `changeover start`.",
            )
    if stage.after is not None and not is_done(session, stage.after, "verify"):
        raise OrderError(
            f"Stage {stage.stage} comes after stage {stage.after}, which is not verified.",
            kept="Nothing was changed.",
            todo=f"Run `changeover start {session.plan.argument} --stage {stage.after}` first.",
        )


def _check_way_back(session: Session, stage: Stage) -> None:
    """Half a mirror is not gone on with: what was written since it went is on one side only."""
    found = ledger_phases.get(session.ledger, session.run, stage.stage, "dual-write")
    if found is None or not found.going_back:
        return
    recorded = ledger_actions.every(session.ledger, session.run, stage.stage, "dual-write")
    if any(action.state == "undone" for action in recorded):
        raise OrderError(
            f"Phase dual-write of stage {stage.stage} is being taken back; some of its mirrors are gone.",
            kept="Nothing was changed; the old tables are complete.",
            todo=f"Finish it: `changeover rollback --plan {session.plan.argument} --stage {stage.stage} --to expand`. "
            "Then start again.",
        )


def _untouched(session: Session, stage: Stage, name: str) -> bool:
    """Whether nothing of a phase has been done yet: no action, and no table archived."""
    recorded = ledger_actions.every(session.ledger, session.run, stage.stage, name)
    sources = ledger_sources.every(session.ledger, session.plan.name, stage.stage)
    return not any(a.state != "undone" for a in recorded) and not any(s.state == "archived" for s in sources)


def _note_failure(session: Session, stage: Stage, name: str, exc: BaseException, worked: float) -> None:
    if isinstance(exc, GateUnmetError) and _untouched(session, stage, name):
        session.bus.emit("phase.waiting", stage=stage.stage, phase=name, gate=exc.what)
        gate = {"gate": exc.what}
        ledger_phases.wait(session.ledger, session.run, stage.stage, name, epoch=session.epoch, detail=gate)
        return
    stopped = isinstance(exc, StoppedError | KeyboardInterrupt)
    what = str(getattr(exc, "what", exc))
    about = {"error_type": type(exc).__name__, "sqlstate": getattr(exc, "sqlstate", None)}
    if stopped:
        session.bus.emit("phase.stopped", stage=stage.stage, phase=name)
    else:
        session.bus.emit("phase.failed", stage=stage.stage, phase=name, error=what, **about)
    if session.conn.closed or session.conn.broken:
        return
    try:
        if stopped:
            detail: dict[str, Any] = {"seconds": worked}
            ledger_phases.stop(session.ledger, session.run, stage.stage, name, epoch=session.epoch, detail=detail)
        else:
            detail = {"error": what, "seconds": worked}
            ledger_phases.fail(session.ledger, session.run, stage.stage, name, epoch=session.epoch, detail=detail)
    except Exception as second:  # noqa: BLE001 - the first error is the one to report
        session.bus.emit("phase.not_recorded", stage=stage.stage, phase=name, error=str(second))
