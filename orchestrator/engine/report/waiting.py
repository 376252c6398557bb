"""Why a plan does not move, in words: a pure function of what the ledger says.

The first thing that holds it up is the answer: a run that has ended, an operator's pause, a probe over its limit, a
phase that failed, a gate that is not met; at last, that nobody is at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.engine.results import Waiting
from phases.registry import PHASES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.engine.results import StageStatus

_BEFORE_CONTRACT = tuple(PHASES)[:-1]


def waiting(
    plan: str,
    run_state: str,
    stages: Sequence[StageStatus],
    job: Mapping[str, Any] | None,
    control: Mapping[str, Any] | None,
    *,
    argument: str | None = None,
) -> Waiting:
    """What a plan does or waits for; `argument` is what a command has to be given to find its files."""
    files = argument or plan
    if run_state != "active":
        return _ended(files, run_state)
    paused = control is not None and control["request"] == "pause"
    if job is not None:
        return _at_work(plan, job, control if paused else None)
    unfinished = next((found for stage in stages if (found := _unfinished(files, stage)) is not None), None)
    if unfinished is not None:
        return unfinished
    if paused and control is not None:
        words = f"paused by {_who(control)}; the next job will begin paused"
        return Waiting("paused", words, by=control["by"], todo=f"`changeover resume {plan}`")
    return _gate(stages) or Waiting("idle", "nobody is at work", todo=f"`changeover start {files}` goes on.")


def _unfinished(plan: str, stage: StageStatus) -> Waiting | None:
    """A phase that failed or was stopped, or whose process is gone."""
    for phase, found in stage.phases.items():
        if found["state"] == "failed":
            return _failed(plan, stage.stage, phase, found["detail"])
        if found["state"] == "stopped":
            words = f"{stage.stage}, {phase}: was stopped; what was committed is kept"
            return Waiting("interrupted", words, todo=f"`changeover start {plan}` goes on from the last commit.")
        if found["state"] == "going_back":
            words = f"{stage.stage}, {phase}: it is being taken back, and that is not finished"
            return Waiting("interrupted", words, todo=f"Run `changeover rollback --plan {plan}` again.")
        if found["state"] == "running":
            words = f"{stage.stage}, {phase}: the process that worked on it is gone"
            return Waiting("interrupted", words, todo=f"`changeover start {plan}` goes on from the last commit.")
    return None


def _ended(plan: str, state: str) -> Waiting:
    match state:
        case "finished":
            return Waiting("finished", "every phase of every stage is done")
        case "rolled_back":
            return Waiting("rolled_back", "everything was taken back", todo=f"`changeover start {plan}` begins anew.")
        case _:
            return Waiting(state, "the run was given up")


def _at_work(plan: str, job: Mapping[str, Any], control: Mapping[str, Any] | None) -> Waiting:
    if control is not None:
        now = "paused" if job.get("state") == "paused" else "will pause after the batch in hand: told so"
        return Waiting("paused", f"{now} by {_who(control)}", by=control["by"], todo=f"`changeover resume {plan}`")
    if job.get("state") == "throttled":
        names = ", ".join(job.get("throttled_by") or ())
        words = f"throttled by {names or 'a probe'}: {job.get('reason') or 'over its limit'}"
        todo = f"It goes on by itself; see `changeover throttle show {plan}`."
        return Waiting("throttled", words, by=names, todo=todo)
    return Waiting("running", f"at work on {job.get('host', '?')}, pid {job.get('pid', '?')}")


def _failed(plan: str, stage: str, phase: str, detail: Mapping[str, Any]) -> Waiting:
    error = str(detail.get("error", "")) or "no reason was recorded"
    words = f"{stage}, {phase} failed: {error}"
    return Waiting("failed", words, todo=f"Mend what it says, then `changeover start {plan}` goes on.")


def _gate(stages: Sequence[StageStatus]) -> Waiting | None:
    for stage in stages:
        if any(stage.phases[phase]["state"] != "done" for phase in _BEFORE_CONTRACT):
            return None
    for stage in stages:
        for gate in stage.gates:
            if gate.critical and not gate.met and stage.phases["contract"]["state"] != "done":
                words = f"{stage.stage}: gate {gate.gate} is not met: {gate.words}"
                return Waiting("gate", words, by=gate.gate, todo=gate.todo)
    return None


def _who(control: Mapping[str, Any]) -> str:
    return f"{control['by']}: {control['reason']}" if control["reason"] else str(control["by"])
