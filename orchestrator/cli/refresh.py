"""`refresh`: the new schema's materialized views, by the plan's clock."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.desk import working
from orchestrator.cli.options import AnyStage, Dsn, Json, PlanArgument
from orchestrator.engine import commands

_SAYS = {"refreshed": "refreshed", "young": "young enough", "absent": "not there yet"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("refresh")(refresh)


def refresh(
    plan: PlanArgument,
    stage: AnyStage = None,
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Only what is older than the plan wants: for a scheduler.")
    ] = False,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Refresh the materialized views that the plan's stages name, beside their readers.

    For example:

    changeover refresh ./my-plan --if-due
    """
    with working(dsn, quiet=as_json) as desk:
        found = commands.refresh(
            *(desk.dsn, plan), stage=stage, if_due=if_due, bus=desk.bus, stop=desk.stop, operator=desk.operator
        )
    if as_json:
        output.print_json(found)
        return
    if not found:
        output.say("The plan names no materialized view: there is nothing to refresh.")
        return
    rows = [
        (each.view, _SAYS[each.state], _seconds(each.age), "" if each.seconds is None else f"{each.seconds:.1f}")
        for each in found
    ]
    output.table(("view", "state", "age before, s", "took, s"), rows, right=("age before, s", "took, s"))


def _seconds(age: float | None) -> str:
    return "never" if age is None else f"{age:,.0f}"
