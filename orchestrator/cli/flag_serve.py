"""`flag serve`: the flags over HTTP (OFREP), on this machine only unless a token is wanted."""

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
from orchestrator.kernel.errors import UsageError
from orchestrator.web.app import flags_only
from orchestrator.web.bounds import Bounds, listen, server
from orchestrator.web.guard import OnThisMachine

_PORT: Final = 8016


def serve(  # noqa: PLR0917 - options; typer passes them by name
    host: Host = HOST,
    port: Port = _PORT,
    token: Annotated[
        list[str] | None,
        typer.Option("--token", envvar="CHANGEOVER_FLAG_TOKENS", help="Who has it may ask.", show_default=False),
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="Web pages that may ask.", show_default=False)
    ] = None,
    poll: Poll = POLL_S,
    notified: Listen = True,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="A file of tokens, one a line.", show_default=False)
    ] = None,
    stale_after: StaleAfter = STALE_S,
    connections: Connections = MOST_CONNECTIONS,
    dsn: Dsn = None,
) -> None:
    """Serve the flags to OpenFeature's OFREP clients in any language.

    A request that is broken, late or without a token is a line of the log.

    Example: changeover flag serve --port 8016 --token-file /run/secrets/flag_tokens
    """
    context = open_context(dsn)
    tokens = [*(token or ()), *(lines_of(token_file) if token_file else ())]
    if not tokens and not loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines, and no token is asked for.",
            kept="Nothing was started.",
            todo="Give --token-file (or CHANGEOVER_FLAG_TOKENS), or listen on 127.0.0.1.",
        )
    refusals = serve_options.refusals(context)
    client = serve_options.client(context.dsn, poll=poll, listen=notified, stale_after=stale_after)
    app = flags_only(client, tokens=tokens, origins=origin or (), stale_s=stale_after, refusals=refusals)
    with listen(host, port) as sock:
        output.tell(f"Flags are served on http://{host}:{sock.getsockname()[1]}/ofrep/v1 (Ctrl-C ends it).")
        guarded = OnThisMachine(app, origins=origin or ()) if loopback(host) and not tokens else app
        server(guarded, Bounds(connections), refusals).run(sockets=[sock])


def register(app: typer.Typer) -> None:
    """Add this command to `flag`."""
    app.command()(serve)
