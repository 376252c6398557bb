"""`throttle show` and `throttle set`: how considerate the plan's job is, while it runs."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context
from orchestrator.cli.options import Dsn, Json, PlanArgument
from orchestrator.jobs import requests
from orchestrator.kernel.errors import UsageError

_HEARD_S: Final = 3.0

app = typer.Typer(help="How considerate the plan's job is, while it runs.", no_args_is_help=True)

Changes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME=VALUE...",
        help="target_ms, rest, give_way, ceiling_pages, longest_pause_s, limit.PROBE. A limit of `off`: not measured.",
        show_default=False,
    ),
]


@app.command("show")
def show(plan: PlanArgument, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show what was set, what the job works with, and why it stands still if it does.

    Example: changeover throttle show cqms
    """
    context = open_context(dsn)
    found = requests.look(context.dsn, requests.known_plan(context.dsn, plan), context.settings)
    if as_json:
        output.print_json(found)
        return
    _show(found)


@app.command("set")
def change(  # noqa: PLR0917 - options; typer passes them by name
    plan: PlanArgument,
    changes: Changes = None,
    sql_probe: Annotated[
        list[str] | None, typer.Option("--sql-probe", metavar="NAME=SQL", help="Measure the number a query gives.")
    ] = None,
    canary: Annotated[
        list[str] | None, typer.Option("--canary", metavar="NAME=SQL", help="Measure the milliseconds a query takes.")
    ] = None,
    http_probe: Annotated[
        list[str] | None, typer.Option("--http-probe", metavar="NAME=URL", help="Measure the number a page gives.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Back to the job's own settings first.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with your name.")] = "",
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Change it; a running job follows within a second. A new probe needs its limit in the same command.

    For example:

    changeover throttle set cqms rest=3 limit.replica_lag_seconds=5

    changeover throttle set cqms target_ms=20 rest=4 give_way=0

    changeover throttle set cqms --canary login="SELECT count(*) FROM users" limit.login=20
    """
    probes = {
        **_probes(sql_probe, "sql"),
        **_probes(canary, "sql", latency=True),
        **_probes(http_probe, "url"),
    }
    if not (changes or probes or reset):
        raise UsageError("There is nothing to set.", kept="Nothing was changed.", todo="See --help.")
    context = open_context(dsn)
    name = requests.known_plan(context.dsn, plan)
    answer = requests.throttle(
        *(context.dsn, name, changes or [], probes),
        reset=reset,
        reason=reason,
        operator=context.operator,
        patience=_HEARD_S,
    )
    found = requests.look(context.dsn, name, context.settings)
    if as_json:
        output.print_json({**found, "heard": answer.heard, "seconds": answer.seconds})
        return
    _show(found)
    if answer.job is not None:
        said = f"after {answer.seconds:.1f} s" if answer.heard else "not yet"
        output.say(f"The job has taken it in: {said}.")


def _probes(given: list[str] | None, kind: str, *, latency: bool = False) -> dict[str, dict[str, Any]]:
    made = {}
    for text in given or ():
        name, equals, question = text.partition("=")
        if not equals:
            raise UsageError(f"{text!r} is not of the form NAME=QUESTION.", kept="Nothing was changed.")
        made[name] = {kind: question, **({"latency": True} if latency else {})}
    return made


def _show(found: dict[str, Any]) -> None:
    job = found["job"]
    where = "no job is running" if job is None else f"{job['state']} on {job['host']}, pid {job['pid']}"
    why = f": {job['reason']}" if job and job.get("reason") else ""
    output.say(f"{found['plan']}: {found['request']}; {where}{why}")
    settings = dict(found["settings"])
    limits, probes = settings.pop("limits"), settings.pop("probes")
    rows = [(name, "off" if value is None else value) for name, value in settings.items()]
    rows += [(f"limit.{name}", value) for name, value in limits.items()]
    rows += [
        (f"limit.{name}", f"{probe['limit']:g} {probe['unit']} of {probe['asks']}") for name, probe in probes.items()
    ]
    output.table(("setting", "value"), rows)
