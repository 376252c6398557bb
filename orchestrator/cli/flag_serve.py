"""`flag serve`: the flags over HTTP (OFREP), on this machine only unless a token is wanted."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer
import uvicorn

from flags.client import AsyncFlagClient
from flags.server import make_app
from orchestrator.cli import output
from orchestrator.cli.desk import open_desk
from orchestrator.cli.options import Dsn
from orchestrator.kernel.connections import connect_rows
from orchestrator.kernel.errors import UsageError


def serve(
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
    dsn: Dsn = None,
) -> None:
    """Serve the flags to OpenFeature's OFREP clients in any language.

    Example: changeover flag serve --port 8016
    """
    where = open_desk(dsn).dsn
    if not token and not _loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines, and no token is asked for.",
            kept="Nothing was started.",
            todo="Give --token (or CHANGEOVER_FLAG_TOKENS), or listen on 127.0.0.1.",
        )
    client = AsyncFlagClient(lambda: connect_rows(where, "flags"), poll=poll, listen=listen)
    app = make_app(client, tokens=token or (), origins=origin or ())
    config = uvicorn.Config(app, host, port, ws="none", access_log=False, server_header=False, log_level="warning")
    output.tell(f"Flags are served on http://{host}:{port}/ofrep/v1 (Ctrl-C ends it).")
    uvicorn.Server(config).run()


def register(app: typer.Typer) -> None:
    """Add this command to `flag`."""
    app.command()(serve)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
