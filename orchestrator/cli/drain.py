"""`drain`: what the mirrors could not finish, finished between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context, plan_name, working
from orchestrator.cli.options import AnyPlan, Dsn, Json
from orchestrator.engine import commands
from orchestrator.kernel.errors import RetryableError
from orchestrator.kernel.words import counted

if TYPE_CHECKING:
    from orchestrator.engine.drain.tending import Drained


class StillWaitingError(RetryableError):
    """Keys that could not be drained now."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("drain")(drain)


def drain(
    plan: AnyPlan = None,
    every: Annotated[
        float | None,
        typer.Option("--every", min=0.1, metavar="SECONDS", help="Again and again, until Ctrl-C or SIGTERM."),
    ] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Finish what the mirrors could not finish in the application's own transaction.

    Writers in REPEATABLE READ or SERIALIZABLE leave such keys. A running job drains them by itself; between jobs, and
    after contract, this does: once, or as a service with --every. It may run beside a job.

    Example: changeover drain --every 5
    """
    name = plan_name(open_context(dsn).dsn, plan)
    if every is None:
        with working(dsn, quiet=as_json) as context:
            result = commands.drain(
                context.dsn, plan=name, operator=context.operator, bus=context.bus, stop=context.stop
            )
        _show(result, as_json=as_json)
        if result.waiting:
            first = result.waiting[0]
            raise StillWaitingError(
                f"{counted(sum(w.keys for w in result.waiting), 'key')} cannot be drained now, "
                f"the first of {first.source} ({first.mapping})"
                + (f": {first.last_error}" if first.last_error else "."),
                kept="They wait in changeover.queue, with what hinders them.",
                todo=result.todo,
            )
        return
    with working(dsn, quiet=as_json) as context:
        while not context.stop.is_set():
            try:
                result = commands.drain(
                    context.dsn, plan=name, operator=context.operator, bus=context.bus, stop=context.stop
                )
            except RetryableError as exc:
                output.tell(f"{exc.what} Trying again in {every:g} s.", "yellow")
            else:
                if result.drained or result.waiting:
                    _show(result, as_json=as_json)
            context.stop.wait(every)
        context.stop.clear()  # being told to end is how it ends


def _show(result: Drained, *, as_json: bool) -> None:
    if as_json:
        output.print_json(result)
        return
    output.say(f"{counted(result.drained, 'key')} drained, {sum(w.keys for w in result.waiting):,} waiting.")
    for each in result.waiting:
        output.say(
            f"  {each.source} ({each.mapping}): {each.keys:,} since {each.since:%Y-%m-%d %H:%M:%S}"
            f"  {each.last_error or ''}".rstrip()
        )
