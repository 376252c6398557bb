"""`status` and `history`: where everything stands, and how it came to that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli import output
from orchestrator.cli.desk import open_desk, plan_name
from orchestrator.cli.failure import InterruptError
from orchestrator.cli.options import AnyPlan, Dsn, Json
from orchestrator.engine import commands
from orchestrator.kernel.words import counted, duration

if TYPE_CHECKING:
    from orchestrator.engine.results import PlanStatus, StageStatus, Status


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status")(status)
    app.command("history")(history)


def status(
    plan: AnyPlan = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again and again, until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option("--interval", min=0.2, help="Seconds between two looks.")] = 2.0,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show every plan that was run here: phases, tables, rejects, flags, gates.

    It is read from the ledger, so it is the same from any machine and after any crash. With --watch --json each look
    is one line.

    Example: changeover status --watch
    """
    desk = open_desk(dsn)
    name = plan_name(plan)
    if not watch:
        _show(commands.status(desk.dsn, name, folders=_folders(name, plan)), as_json=as_json, watching=False)
        return
    try:
        while True:
            _look(desk.dsn, name, plan, as_json=as_json)
            time.sleep(interval)
    except KeyboardInterrupt:
        # The way to end a look that never ends: no error, and nothing to say.
        raise typer.Exit(InterruptError.exit_code) from None


def history(
    plan: AnyPlan = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The last so many.")] = 50,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show who did what, when and why, the last at the bottom.

    Example: changeover history --limit 20
    """
    events = commands.history(open_desk(dsn).dsn, plan=plan_name(plan), limit=limit)
    if as_json:
        output.print_json(events)
        return
    columns = ("at", "actor", "plan", "stage", "phase", "kind")
    rows = [(*(event.get(column) for column in columns), _words(event)) for event in events]
    output.table((*columns, "detail"), rows)


def _folders(name: str | None, given: str | None) -> dict[str, str]:
    """Where a plan is that may be given by its folder."""
    return {} if name is None or given is None else {name: given}


def _look(dsn: str, plan: str | None, folder: str | None, *, as_json: bool) -> None:
    """One look of many: the answer first, so that the screen is empty for no longer than a moment."""
    found = commands.status(dsn, plan, folders=_folders(plan, folder))
    screen = output.out()
    if screen.is_terminal and not as_json:
        screen.clear()
    _show(found, as_json=as_json, watching=True)


def _show(found: Status, *, as_json: bool, watching: bool) -> None:
    if as_json:
        if watching:
            output.write(output.as_json(found, indent=None) + "\n")
        else:
            output.print_json(found)
        return
    if not found.installed:
        output.say("Changeover is not installed in this database; `changeover init` installs it.")
    elif not found.plans:
        output.say("No plan was run here yet; `changeover start PLAN` runs one.")
    for plan in found.plans:
        _plan(plan)


def _plan(plan: PlanStatus) -> None:
    output.say(
        f"{plan.plan}: {plan.state}, a {plan.kind} (run {plan.run_id}), begun by {plan.operator} {plan.started_at}"
    )
    if plan.lease is not None:
        output.say(f"  lease: {plan.lease.get('owner')}, {plan.lease.get('state')}, epoch {plan.lease.get('epoch')}")
    for stage in plan.stages:
        _stage(stage)
    if plan.warnings:
        output.say("\n  warnings")
        for warning in plan.warnings:
            output.say(f"    {warning.get('subject')}: {warning.get('detail')} [{warning.get('code')}]")


def _stage(stage: StageStatus) -> None:
    output.say(f"\n  stage {stage.stage}")
    phases = ", ".join(f"{name} {_phase(phase)}" for name, phase in stage.phases.items())
    output.say(f"    {phases}")
    if stage.sources:
        numbers = ("%", "seen", "copied", "rejects", "queue")
        rows = [
            (f"    {s.name}", s.mapping, s.state, s.percent, s.rows_seen, s.rows_copied, s.rejects, s.queue)
            for s in stage.sources
        ]
        output.table(("    table", "mapping", "state", *numbers), rows, right=numbers)
    if stage.verification is not None:
        found = stage.verification
        at = f" at {found['ended_at']}" if found.get("ended_at") else ""
        compared = f"{counted(found['rows'], 'row')}, {counted(found['differences'], 'difference')}"
        output.say(f"    verification: {found['state']}, {compared}{at}")
    for check in stage.checks:
        state = "good" if check["ok"] else "not met" if check["binding"] else "warning"
        if not check["ok"] or not check["check_name"].startswith("orphans of "):
            output.say(f"    check {check['check_name']} ({check['moment']}): {state}: {check['words']}")
        for row in check["sample"]:
            output.say(f"      {_row(row)}")
    if stage.flag is not None:
        output.say(f"    flag {stage.flag['flag']}: {stage.flag['stage']}, {stage.flag['rollout']} %")
    for gate in stage.gates:
        aside = "" if gate.critical or gate.met else " (not critical)"
        output.say(f"    gate {gate.gate}: {'met' if gate.met else 'not met'}{aside}: {gate.words}")
        if gate.todo:
            output.say(f"      {gate.todo}")


def _row(row: Any) -> str:
    return ", ".join(f"{k}={v}" for k, v in row.items()) if isinstance(row, dict) else str(row)


def _phase(phase: dict[str, Any]) -> str:
    seconds = phase.get("seconds")
    return f"{phase['state']}" + (f" ({duration(seconds)})" if seconds else "")


def _words(event: dict[str, Any]) -> str:
    """The detail without what stands in the other columns, and without what is too long for a line."""
    known = {"plan", "stage", "phase", "run_id", "epoch", "checksum", "id"}
    detail = event.get("detail") or {}
    return ", ".join(
        f"{name}={value}"
        for name, value in detail.items()
        if name not in known and value not in (None, "") and not isinstance(value, dict | list)
    )
