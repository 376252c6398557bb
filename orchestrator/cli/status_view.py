"""What `status` shows of a plan, as things that can be printed one after the other or kept on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.cli import output
from orchestrator.kernel.words import compared_or_checked, counted, duration, in_a_line, measured, moment
from orchestrator.ledger.check_results import ORPHANS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from orchestrator.engine.results import PlanStatus, StageStatus, Status

_BAR: Final = 30
_DONE: Final = 100.0
_STYLES: Final = {
    **dict.fromkeys(("running", "finished"), "green"),
    **dict.fromkeys(("paused", "throttled", "gate", "rolled_back"), "yellow"),
    **dict.fromkeys(("failed", "interrupted"), "red"),
}


def view(found: Status, plan: str | None = None) -> Iterator[RenderableType]:
    """All of it; `plan` is the one that was asked for."""
    if not found.installed:
        yield output.line("Changeover is not installed in this database; `changeover init` installs it.")
    elif not found.plans and plan is not None:
        yield output.line(f"Plan {plan} was not run here yet; `changeover start` runs it.")
    elif not found.plans:
        yield output.line("No plan was run here yet; `changeover start PLAN` runs one.")
    for each in found.plans:
        yield from _plan(each)


def _plan(plan: PlanStatus) -> Iterator[RenderableType]:
    yield output.line(
        f"{plan.plan}: {plan.state}, a {plan.kind} (run {plan.run_id}), "
        f"begun by {plan.operator} {moment(plan.started_at)}"
    )
    if plan.waiting is not None:
        state = plan.waiting.state
        yield output.line(f"  {state.replace('_', ' ')}: {plan.waiting.words}", _STYLES.get(state, ""))
        if plan.waiting.todo:
            yield output.line(f"    {plan.waiting.todo}")
    if plan.lease is not None:
        lease = plan.lease
        yield output.line(f"  lease: {lease.get('owner')}, {lease.get('state')}, epoch {lease.get('epoch')}")
    yield from _progress(plan.job)
    for stage in plan.stages:
        yield from _stage(stage)
        yield from _expected(stage, plan.expected)
    if plan.warnings:
        yield output.line("\n  warnings")
        words = (f"    {each.get('subject')}: {each.get('detail')} [{each.get('code')}]" for each in plan.warnings)
        for each in dict.fromkeys(words):  # two mappings may have found the same
            yield output.line(each)


def _progress(job: dict[str, Any] | None) -> Iterator[RenderableType]:
    if job is None:
        return
    progress = job.get("progress")
    if progress:
        eta = progress["eta_seconds"]
        left = "time left not known" if eta is None else "" if progress["percent"] >= _DONE else f"{duration(eta)} left"
        said = [
            f"{progress['percent']:.1f} %",
            counted(progress["rows_seen"], "row"),
            f"{progress['rows_per_second']:,.0f} rows/s",
            *([left] if left else []),
        ]
        yield _bar(f"  {job.get('stage', '')}: {progress['doing']}", progress["percent"], ", ".join(said))
    found = job.get("probes") or {}
    probes = [" ".join(measured(name, each["value"], each["limit"])) for name, each in found.items()]
    if probes:
        yield output.line(f"  probes: {', '.join(probes)}")


def _stage(stage: StageStatus) -> Iterator[RenderableType]:
    yield output.line(f"\n  stage {stage.stage}")
    phases = ", ".join(f"{name} {_phase(phase)}" for name, phase in stage.phases.items())
    yield output.line(f"    {phases}")
    if stage.sources:
        if stage.percent < _DONE:
            yield _bar("    copied", stage.percent, f"{stage.percent:.1f} %")
        numbers = ("%", "seen", "copied", "there already", "rejected", "rejects now", "queue")
        rows = [
            (
                *(s.name, s.mapping, s.state, s.percent),
                *(s.rows_seen, s.rows_copied, s.rows_there, s.rows_rejected, s.rejects, s.queue),
            )
            for s in stage.sources
        ]
        yield output.made_table(("table", "mapping", "state", *numbers), rows, right=numbers, indent=4)
    if stage.verification is not None:
        found = stage.verification
        at = f" at {moment(found['ended_at'])}" if found.get("ended_at") else ""
        yield output.line(f"    verification: {found['state']}, {compared_or_checked(found)}{at}")
    for check in stage.checks:
        state = "good" if check["ok"] else "not met" if check["binding"] else "warning"
        if not check["ok"] or not check["check_name"].startswith(ORPHANS):
            yield output.line(f"    check {check['check_name']} ({check['moment']}): {state}: {check['words']}")
        for row in check["sample"]:
            yield output.line(f"      {in_a_line(row)}")
    if stage.flag is not None:
        hold = f", held: {stage.flag['hold']}" if stage.flag.get("hold") else ""
        yield output.line(f"    flag {stage.flag['flag']}: {stage.flag['stage']}, {stage.flag['rollout']} %{hold}")
    for gate in stage.gates:
        aside = "" if gate.critical or gate.met else " (not critical)"
        yield output.line(f"    gate {gate.gate}: {'met' if gate.met else 'not met'}{aside}: {gate.words}")
        if gate.todo:
            yield output.line(f"      {gate.todo}")


def _expected(stage: StageStatus, expected: list[dict[str, Any]]) -> Iterator[RenderableType]:
    """What the rehearsal says, beside what it was."""
    told = []
    for each in expected:
        if each["stage"] == stage.stage:
            took = (stage.phases.get(each["phase"]) or {}).get("seconds")
            real = "" if took is None else f" (it took {duration(took)})"
            told.append(f"{each['phase']} {duration(each['seconds'])}{real}")
    if told:
        yield output.line(f"    expected by the rehearsal: {', '.join(told)}")


def _bar(name: str, percent: float, words: str) -> RenderableType:
    """Name, bar and numbers in a line."""
    made = Table.grid(padding=(0, 1, 0, 0))
    made.add_row(output.line(name), ProgressBar(total=_DONE, completed=percent, width=_BAR), Text(words))
    return made


def _phase(phase: dict[str, Any]) -> str:
    seconds = phase.get("seconds")
    return f"{phase['state']}" + (f" ({duration(seconds)})" if seconds else "")
