"""`notify`: tell the receivers what is new, without a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context, working
from orchestrator.cli.options import Dsn, Json
from orchestrator.jobs.delivery import DeliveryError, deliver
from orchestrator.jobs.notifier import Notifier, a_test, sinks_of
from orchestrator.kernel.errors import RetryableError, UsageError
from orchestrator.kernel.words import counted
from orchestrator.plan.loader import load

if TYPE_CHECKING:
    from orchestrator.settings import NotifySettings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("notify")(notify)


def notify(
    every: Annotated[
        float | None,
        typer.Option("--every", min=0.5, metavar="SECONDS", help="Again and again, until Ctrl-C or SIGTERM."),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Send every receiver a test, and say how it went.")] = False,
    plan: Annotated[
        list[str] | None,
        typer.Option("--plan", metavar="FOLDER", help="The folder of a plan that is not shipped.", show_default=False),
    ] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Tell webhooks and commands what is new: gates that wait, phases that ended, rejects that grow, drift.

    The receivers are settings: CHANGEOVER_NOTIFY__URLS, CHANGEOVER_NOTIFY__SECRET, CHANGEOVER_NOTIFY__COMMAND. A job
    and `changeover serve` tell them as well; each notice is told once. A new receiver is told what comes from now on.

    Example: changeover notify --every 10
    """
    settings = open_context(dsn).settings.notify
    if not sinks_of(settings):
        raise UsageError(
            "Nobody is to be told.",
            kept="Nothing was sent.",
            todo="Set CHANGEOVER_NOTIFY__URLS (addresses with blanks between them) or CHANGEOVER_NOTIFY__COMMAND.",
        )
    if test:
        _test(settings, as_json=as_json)
        return
    folders = {load(each).name: each for each in plan or ()}
    with working(dsn, quiet=as_json) as context:
        notifier = Notifier(context.dsn, settings, context.bus, folders=folders)
        if every is None:
            sent = notifier.look(attempts=settings.attempts)
            if as_json:
                output.print_json({"sent": sent})
            else:
                output.say(f"{counted(sent, 'notice')} sent.")
            return
        while not context.stop.is_set():
            notifier.look(attempts=settings.attempts)
            context.stop.wait(every)
        context.stop.clear()  # being told to end is how it ends


def _test(settings: NotifySettings, *, as_json: bool) -> None:
    notice, results = a_test(), []
    for sink in sinks_of(settings):
        try:
            deliver(sink, notice, attempts=1)
            why = None
        except DeliveryError as exc:
            why = str(exc)
        results.append({"receiver": sink.id, "taken": why is None, "why": why})
    if as_json:
        output.print_json(results)
    else:
        output.table(("receiver", "taken", "why"), [tuple(each.values()) for each in results])
    failed = [each for each in results if not each["taken"]]
    if failed:
        raise RetryableError(
            f"{counted(len(failed), 'receiver')} did not take the test.",
            kept="Nothing else was sent.",
            todo="Look at the receiver's log; the settings are CHANGEOVER_NOTIFY__*.",
        )
