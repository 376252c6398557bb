"""`flag serve`: the flags over HTTP (OFREP), on this machine only unless a token is wanted."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

import typer

from flags.client import AsyncFlagClient
from orchestrator.cli import output
from orchestrator.cli.desk import open_desk
from orchestrator.cli.options import Dsn
from orchestrator.cli.secret_files import lines_of
from orchestrator.kernel.connections import connect_rows
from orchestrator.kernel.errors import UsageError
from orchestrator.observability.logs import LogListener, make_logger
from orchestrator.web.app import flags_only
from orchestrator.web.bounds import MOST_CONNECTIONS, Bounds, Refusals, server
from orchestrator.web.bounds import listen as socket_on
from orchestrator.web.health import STALE_S


def serve(  # noqa: PLR0917 - options; typer passes them by name
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0 takes a free one.")] = 8016,
    token: Annotated[
        list[str] | None,
        typer.Option("--token", envvar="CHANGEOVER_FLAG_TOKENS", help="Who has it may ask.", show_default=False),
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="Web pages that may ask.", show_default=False)
    ] = None,
    poll: Annotated[float, typer.Option("--poll", min=0.1, help="Seconds between two looks.")] = 5.0,
    listen: Annotated[
        bool, typer.Option("--listen/--poll-only", help="Poll only, behind a transaction pooler.")
    ] = True,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="A file of tokens, one a line.", show_default=False)
    ] = None,
    stale_after: Annotated[
        float, typer.Option("--stale-after", min=0.1, help="Seconds after which /healthz fails for want of an answer.")
    ] = STALE_S,
    connections: Annotated[
        int, typer.Option("--max-connections", min=1, help="One more is closed at once.")
    ] = MOST_CONNECTIONS,
    dsn: Dsn = None,
) -> None:
    """Serve the flags to OpenFeature's OFREP clients in any language.

    A request that is broken, late or without a token is a line of the log.

    Example: changeover flag serve --port 8016 --token-file /run/secrets/flag_tokens
    """
    desk = open_desk(dsn)
    where = desk.dsn
    tokens = [*(token or ()), *(lines_of(token_file) if token_file else ())]
    if not tokens and not loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines, and no token is asked for.",
            kept="Nothing was started.",
            todo="Give --token-file (or CHANGEOVER_FLAG_TOKENS), or listen on 127.0.0.1.",
        )
    if stale_after <= poll:
        raise UsageError(
            f"Answers are up to {poll:g} s old between two looks: --stale-after {stale_after:g} would always fail.",
            kept="Nothing was started.",
            todo="Give a longer --stale-after, or a shorter --poll.",
        )
    desk.bus.subscribe(LogListener(make_logger(desk.settings.log.format, desk.settings.log.level)))
    refusals = Refusals(desk.bus)
    client = AsyncFlagClient(lambda: connect_rows(where, "flags"), poll=poll, listen=listen)
    app = flags_only(client, tokens=tokens, origins=origin or (), stale_s=stale_after, refusals=refusals)
    with socket_on(host, port) as sock:
        output.tell(f"Flags are served on http://{host}:{sock.getsockname()[1]}/ofrep/v1 (Ctrl-C ends it).")
        server(app, Bounds(connections), refusals).run(sockets=[sock])


def register(app: typer.Typer) -> None:
    """Add this command to `flag`."""
    app.command()(serve)


def loopback(host: str) -> bool:
    """Can only this machine reach the address?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
