"""`refresh`: the new schema's materialized views, by the plan's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context, working
from orchestrator.cli.options import AnyStage, Dsn, Json, PlanArgument
from orchestrator.engine import commands
from orchestrator.kernel.errors import RetryableError

if TYPE_CHECKING:
    from orchestrator.engine.run.refreshing import Refreshed

_SAYS = {"made": "made", "refreshed": "refreshed", "young": "not due", "absent": "not there yet"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("refresh")(refresh)


def refresh(
    plan: PlanArgument,
    stage: AnyStage = None,
    if_due: Annotated[bool, typer.Option("--if-due", help="Only what is due by the plan: for a scheduler.")] = False,
    every: Annotated[
        float | None,
        typer.Option(
            "--every", min=1, metavar="SECONDS", help="Look again and again for what is due, until Ctrl-C or SIGTERM."
        ),
    ] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Refresh the materialized views that the plan's stages name, beside their readers, and make partitions in time.

    For example, for a scheduler and as a service:

    changeover refresh ./my-plan --if-due

    changeover refresh ./my-plan --every 30
    """
    loaded = commands.open_plan(plan, open_context(dsn).dsn)
    with working(dsn, quiet=as_json) as context:

        def look(*, if_due: bool) -> list[Refreshed]:
            return commands.refresh(
                *(context.dsn, loaded),
                stage=stage,
                if_due=if_due,
                bus=context.bus,
                stop=context.stop,
                operator=context.operator,
            )

        if every is None:
            _show(look(if_due=if_due), as_json=as_json)
            return
        while not context.stop.is_set():
            try:
                found = [each for each in look(if_due=True) if each.state in {"made", "refreshed"}]
            except RetryableError as exc:
                output.tell(f"{exc.what} Trying again in {every:g} s.", "yellow")
            else:
                if found:
                    _show(found, as_json=as_json)
            context.stop.wait(every)
        context.stop.clear()  # being told to end is how it ends


def _show(found: list[Refreshed], *, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    if not found:
        output.say("There is nothing to refresh, and no partition to make.")
        return
    rows = [
        (each.view, _SAYS[each.state], _seconds(each.age), "" if each.seconds is None else f"{each.seconds:.1f}")
        for each in found
    ]
    output.table(("view", "state", "age before, s", "took, s"), rows, right=("age before, s", "took, s"))


def _seconds(age: float | None) -> str:
    return "never" if age is None else f"{age:,.0f}"
