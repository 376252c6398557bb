"""`serve`: the page, the flags over HTTP (OFREP), metrics and health, from one process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from orchestrator.cli import output, serve_options
from orchestrator.cli.context import open_context
from orchestrator.cli.options import Dsn
from orchestrator.cli.secret_files import lines_of
from orchestrator.cli.serve_options import (
    HOST,
    MOST_CONNECTIONS,
    POLL_S,
    STALE_S,
    Connections,
    Host,
    Listen,
    Poll,
    Port,
    StaleAfter,
    loopback,
)
from orchestrator.jobs import exporter
from orchestrator.jobs.notifier import Notifier
from orchestrator.kernel.errors import UsageError
from orchestrator.plan.loader import load
from orchestrator.web import serving
from orchestrator.web.bounds import Bounds, listen, server
from orchestrator.web.guard import OnThisMachine
from orchestrator.web.people import people_of

_PORT: Final = 8017


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(  # noqa: PLR0917 - options; typer passes them by name
    host: Host = HOST,
    port: Port = _PORT,
    page: Annotated[bool, typer.Option("--page/--no-page", help="The page.")] = True,
    flags: Annotated[bool, typer.Option("--flags/--no-flags", help="The flags over HTTP (OFREP).")] = True,
    metrics: Annotated[bool, typer.Option("--metrics/--no-metrics", help="/metrics for Prometheus.")] = True,
    health: Annotated[bool, typer.Option("--health/--no-health", help="/healthz and /readyz.")] = True,
    people_file: Annotated[
        Path | None,
        typer.Option("--people-file", help="Who may act from the page: a line `NAME TOKEN` each.", show_default=False),
    ] = None,
    open_reading: Annotated[
        bool,
        typer.Option("--open-reading", help="Others on the network may look without a token; they see rejected rows."),
    ] = False,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", help="A name by which browsers know the page.", show_default=False),
    ] = None,
    jobs: Annotated[
        bool, typer.Option("--jobs/--no-jobs", help="People may start plans and roll them back from the page.")
    ] = True,
    https: Annotated[bool, typer.Option("--https", help="A proxy before it speaks HTTPS: Secure cookies.")] = False,
    plan: Annotated[
        list[str] | None,
        typer.Option("--plan", metavar="FOLDER", help="The folder of a plan that is not shipped.", show_default=False),
    ] = None,
    flag_token_file: Annotated[
        Path | None,
        typer.Option("--flag-token-file", help="Tokens for the flags, one a line.", show_default=False),
    ] = None,
    flag_origin: Annotated[
        list[str] | None, typer.Option("--flag-origin", help="Web pages that may ask for flags.", show_default=False)
    ] = None,
    poll: Poll = POLL_S,
    notified: Listen = True,
    stale_after: StaleAfter = STALE_S,
    connections: Connections = MOST_CONNECTIONS,
    dsn: Dsn = None,
) -> None:
    """Serve the page: plans, gates, flags, rejects and locks as they are, and what one may do about them.

    It is read only until somebody signs in with a token of --people-file; what they do is done in their name and with
    the guards of the command line. On an address that others can reach, reading wants a token as well.

    For example:

    changeover serve

    changeover serve --host 10.0.0.5 --allowed-host changeover.example --https --people-file /run/secrets/people
    """
    context = open_context(dsn)
    where = context.dsn
    parts = serving.Wanted(page=page, flags=flags, metrics=metrics, health=health)
    people = people_of(lines_of(people_file)) if people_file else {}
    tokens = lines_of(flag_token_file) if flag_token_file else []
    _refuse_open(host, parts, people=bool(people), open_reading=open_reading, tokens=bool(tokens))
    folders = {load(each).name: each for each in plan or ()}
    refusals = serve_options.refusals(context)
    client = serve_options.client(where, poll=poll, listen=notified, stale_after=stale_after)
    with listen(host, port) as sock, exporter.registered(context.settings) as registry:
        app = serving.application(
            *(parts, context.settings, refusals, registry),
            client=client,
            stale_s=stale_after,
            tokens=tokens,
            origins=flag_origin or (),
            people=people,
            folders=folders,
            hosts=allowed_host or (),
            open_reading=open_reading or loopback(host),
            https=https,
            jobs=jobs,
            streams=connections // 2,
        )
        output.tell(f"Served on http://{host}:{sock.getsockname()[1]}/ (Ctrl-C ends it).")
        notifier = Notifier(where, context.settings.notify, context.bus, folders=folders)
        notifier.begin()
        guarded = OnThisMachine(app, allowed_host or (), flag_origin or ()) if loopback(host) else app
        server(guarded, Bounds(connections), refusals).run(sockets=[sock])
        notifier.end()


def _refuse_open(host: str, parts: serving.Wanted, *, people: bool, open_reading: bool, tokens: bool) -> None:
    if loopback(host):
        return
    if parts.page and not people and not open_reading:
        raise UsageError(
            f"{host} can be reached from other machines, and nobody could sign in to the page.",
            kept="Nothing was started.",
            todo="Give --people-file, or --open-reading, or --no-page, or listen on 127.0.0.1.",
        )
    if parts.flags and not tokens:
        raise UsageError(
            f"{host} can be reached from other machines, and no token is asked for the flags.",
            kept="Nothing was started.",
            todo="Give --flag-token-file, or --no-flags, or listen on 127.0.0.1.",
        )
