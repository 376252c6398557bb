"""`gate …`: what contract waits for, in words and numbers, and people's answers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context
from orchestrator.cli.options import AnyStage, Dsn, Json, PlanArgument, PlanOption, Stage
from orchestrator.engine import commands

app = typer.Typer(help="Gates: what contract waits for, and who has said yes.", no_args_is_help=True)

ControlArgument = Annotated[str, typer.Argument(metavar="CONTROL", help="The control.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with your name.")]
As = Annotated[
    str | None, typer.Option("--as", metavar="ROLE", help="The role in which you answer.", show_default=False)
]


def register(root: typer.Typer) -> None:
    """Add the short form of `gate approve` for the gate that the plan's `approvals` asks for."""
    root.command("approve", hidden=True)(short)


@app.command("list")
def every(plan: PlanArgument, stage: AnyStage = None, dsn: Dsn = None, as_json: Json = False) -> None:
    """List the gates of contract, each with its answer.

    Example: changeover gate list cqms
    """
    found = commands.gate_list(open_context(dsn).dsn, plan, stage)
    if as_json:
        output.print_json(found)
        return
    columns = ("stage", "gate", "state", "")
    output.table(columns, [(each["stage"], each["gate"], _state(each), each["words"]) for each in found])
    if not found:
        output.say("No stage of this plan has a contract, so nothing waits.")


@app.command()
def explain(
    plan: PlanArgument,
    gate: Annotated[str, typer.Argument(metavar="GATE", help="The gate.")],
    stage: AnyStage = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Say what a gate asks for, what holds of it, who has said what, and what to do.

    Example: changeover gate explain cqms backup
    """
    found = commands.gate_explain(open_context(dsn).dsn, plan, gate, stage)
    if as_json:
        output.print_json(found)
        return
    for each in found:
        title = (each["asks"] or {}).get("title")
        output.say(f"{each['stage']}, gate {gate}{f' ({title})' if title else ''}: {_state(each)}: {each['words']}")
        if each["todo"]:
            output.say(f"  To do: {each['todo']}")
        for event in each["history"]:
            detail = event["detail"]
            who = f"{detail.get('by', event['actor'])}{_as(detail.get('role'))}"
            output.say(
                f"  {event['at']} {event['kind'].removeprefix('gate.')} {who}: {detail.get('reason', '')}".rstrip(": ")
            )


@app.command()
def approve(
    plan: PlanArgument,
    control: ControlArgument,
    reason: Reason,
    role: As = None,
    stage: AnyStage = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Say yes to a control by name (CHANGEOVER_ACTOR, or the user and host), in a role where it asks for one.

    One person answers in one role of a stage. An approval belongs to the run and to the plan's checksum.

    Example: changeover gate approve cqms compared --as qa --reason "reports compared"
    """
    _approve(plan, control, stage, role, reason, dsn, as_json=as_json)


@app.command()
def revoke(
    plan: PlanArgument,
    control: ControlArgument,
    reason: Reason,
    of: Annotated[
        str | None, typer.Option("--of", metavar="NAME", help="Whose approval; your own otherwise.", show_default=False)
    ] = None,
    stage: AnyStage = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Take an approval back.

    Example: changeover gate revoke cqms compared --reason "two reports differ after all"
    """
    context = open_context(dsn)
    whose = of or context.operator
    gone = commands.gate_revoke(
        context.dsn, plan, control, stage=stage, of=whose, operator=context.operator, reason=reason
    )
    if as_json:
        output.print_json({"stage": stage, "gate": control, "of": whose, "revoked": gone, "reason": reason})
    else:
        done = "is taken back" if gone else "cannot be taken back: there is none"
        output.say(f"The approval of {whose} for control {control} {done}.")


def short(plan: PlanOption, stage: Stage, reason: Reason, dsn: Dsn = None, as_json: Json = False) -> None:
    """Approve the control `approval`: `gate approve PLAN approval --stage STAGE`.

    Example: changeover approve --plan cqms --stage audits --reason "looked at it"
    """
    _approve(plan, "approval", stage, None, reason, dsn, as_json=as_json)


def _approve(
    plan: str, control: str, stage: str | None, role: str | None, reason: str, dsn: str | None, *, as_json: bool
) -> None:
    context = open_context(dsn)
    given = commands.gate_approve(
        context.dsn, plan, control, stage=stage, role=role, operator=context.operator, reason=reason
    )
    if as_json:
        output.print_json(given)
    else:
        said = f"Control {control} of stage {given['stage']} is approved by {context.operator}{_as(given['role'])}."
        output.say(said)


def _state(gate: dict[str, Any]) -> str:
    if gate["met"]:
        return "met"
    return "unmet" if gate["critical"] else "unmet, not critical"


def _as(role: str | None) -> str:
    return f" as {role}" if role else ""
