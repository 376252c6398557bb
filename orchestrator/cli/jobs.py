"""`run`, `pause`, `resume`, `cancel`, `metrics`: a phase as a process, and what one does to it from elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context, working
from orchestrator.cli.failure import InterruptError
from orchestrator.cli.moves import KindOption, kind_of, show_phases
from orchestrator.cli.options import Dsn, Json, PhaseArgument, PlanArgument, PlanOption, Stage, Verbose, Wait, Workers
from orchestrator.engine import commands
from orchestrator.jobs import watch
from orchestrator.jobs.job import Job
from orchestrator.jobs.requests import Answered, ask, known_plan
from orchestrator.kernel.errors import ChangeoverError

if TYPE_CHECKING:
    from orchestrator.cli.context import Context
    from orchestrator.ledger.control import Request

_HEARD_S: Final = 3.0

MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port", min=0, max=65_535, help="Serve /metrics, /healthz and /readyz here; 0 takes a free port."
    ),
]
MetricsHost = Annotated[
    str | None, typer.Option("--metrics-host", help="The address for it; loopback unless given.", show_default=False)
]
Grace = Annotated[
    float | None,
    typer.Option("--grace", min=0.1, metavar="SECONDS", help="After SIGTERM: how long the work in hand may take."),
]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept with your name.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("cancel")(cancel)
    app.command("metrics")(metrics)


def run(  # noqa: PLR0917 - options; typer passes them by name
    phase: PhaseArgument,
    plan: PlanOption,
    stage: Stage,
    workers: Workers = None,
    kind: KindOption = None,
    wait: Wait = None,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = None,
    grace: Grace = None,
    dsn: Dsn = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Carry out one phase of one stage in this process: what a Kubernetes Job or a systemd unit starts.

    On a terminal it shows bars, elsewhere it logs JSON to standard error. SIGTERM ends it after the batch in hand; a
    restart of the server is waited for. It takes requests from another terminal: pause, resume, cancel, throttle.

    For example:

    changeover run backfill --plan cqms --stage audits --workers 4

    changeover run verify --plan cqms --stage audits --wait 600 --metrics-port 9187
    """
    loaded = commands.check_names(open_context(dsn).dsn, plan, stage, phase)
    person = sys.stderr.isatty() and not verbose
    with working(dsn, quiet=as_json or not person) as context:
        context.wait(wait)
        _set(context, grace=grace, port=metrics_port, host=metrics_host, verbose=verbose)
        doing = {"stage": stage, "phase": phase}
        with watch.watched(context.settings, context.bus, context.ids, log=not person, plan=loaded.name, **doing):
            try:
                job = Job(context.dsn, loaded, context.settings, context.bus, asked=context.stop, doing=doing)
                result = job.run(
                    lambda stop, terms: commands.run_phase(
                        *(context.dsn, loaded, stage, phase),
                        workers=context.workers(workers),
                        kind=kind_of(kind),
                        bus=context.bus,
                        stop=stop,
                        operator=context.operator,
                        terms=terms,
                    )
                )
            except BaseException as exc:
                context.bus.emit("job.failed", **_failure(exc, stopped=context.stop.is_set()))
                raise
            code = InterruptError.exit_code if context.stop.is_set() else 0
            context.bus.emit("job.ended", state=result.state, seconds=result.seconds, exit_code=code)
    if as_json:
        output.print_json(result)
    else:
        show_phases([result])


def pause(plan: PlanArgument, reason: Why = "", dsn: Dsn = None, as_json: Json = False) -> None:
    """Hold the plan's job after the batch in hand. The mirrors go on; so does the pause, until somebody resumes.

    Example: changeover pause cqms --reason "month-end closing"
    """
    _ask(plan, "pause", reason, dsn, as_json=as_json)


def resume(plan: PlanArgument, reason: Why = "", dsn: Dsn = None, as_json: Json = False) -> None:
    """Let a job that was paused go on.

    Example: changeover resume cqms
    """
    _ask(plan, "run", reason, dsn, as_json=as_json)


def cancel(plan: PlanArgument, reason: Why = "", dsn: Dsn = None, as_json: Json = False) -> None:
    """End the plan's job after the batch in hand; it leaves with code 5. Nothing is taken back.

    Example: changeover cancel cqms --reason "wrong night"
    """
    _ask(plan, "cancel", reason, dsn, as_json=as_json)


def metrics(
    serve: Annotated[bool, typer.Option("--serve", help="Serve them until Ctrl-C, instead of printing them.")] = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = None,
    dsn: Dsn = None,
) -> None:
    """Print what the ledger says as Prometheus metrics, or serve it: also between jobs, when no job is there to ask.

    Example: changeover metrics --serve --metrics-port 9187
    """
    from orchestrator.jobs import exporter  # noqa: PLC0415 - most jobs export nothing, and begin sooner without it

    if not serve:
        context = open_context(dsn)
        output.write(exporter.once(context.settings.model_copy(update={"dsn": context.settings.dsn})))
        return
    with working(dsn) as context:
        _set(context, port=metrics_port or 0, host=metrics_host)
        with exporter.exported(context.settings, context.bus) as port:
            output.tell(f"Serving http://{context.settings.metrics.host}:{port}/metrics")
            while not context.stop.wait(1):
                pass
            context.stop.clear()  # being told to end is how it ends


def _failure(exc: BaseException, *, stopped: bool) -> dict[str, Any]:
    """What a log says of a job that did not come to its end, with the code that the process leaves with."""
    if isinstance(exc, KeyboardInterrupt) or (stopped and getattr(exc, "exit_code", 1) == 1):
        exc = InterruptError()
    if isinstance(exc, ChangeoverError):
        return {"error": exc.what, "kept": exc.kept, "todo": exc.todo, "exit_code": exc.exit_code}
    return {"error": f"{type(exc).__name__}: {exc}", "exit_code": 1}


def _set(
    context: Context,
    *,
    grace: float | None = None,
    port: int | None = None,
    host: str | None = None,
    verbose: bool = False,
) -> None:
    """What the command line says goes before what the environment says."""
    given = context.settings
    job = {} if grace is None else {"grace_s": grace}
    shown = {name: value for name, value in (("port", port), ("host", host)) if value is not None}
    log = {"level": "debug"} if verbose else {}
    context.settings = given.model_copy(
        update={
            "job": given.job.model_copy(update=job),
            "metrics": given.metrics.model_copy(update=shown),
            "log": given.log.model_copy(update=log),
        }
    )


def _ask(plan: str, wanted: Request, reason: str, dsn: str | None, *, as_json: bool) -> None:
    context = open_context(dsn)
    name = known_plan(context.dsn, plan)
    answer = ask(context.dsn, name, wanted, reason=reason, operator=context.operator, patience=_HEARD_S)
    if as_json:
        output.print_json(answer)
    else:
        output.say(_words(name, wanted, answer))


def _words(plan: str, wanted: Request, answer: Answered) -> str:
    if answer.job is None:
        later = {"pause": " The next one will begin paused.", "run": "", "cancel": ""}[wanted]
        return f"No job of {plan} is running.{later}"
    who = f"The job on {answer.job.get('host')} (pid {answer.job.get('pid')}, {answer.job.get('phase', 'start')})"
    if not answer.heard:
        return f"{who} has not answered yet; it will as soon as it can."
    done = {"pause": "is paused", "run": "goes on", "cancel": "ends"}[wanted]
    return f"{who} {done}. It answered after {answer.seconds:.1f} s."
