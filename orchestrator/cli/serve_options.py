"""The options of what serves: `serve` and `flag serve` have them in common."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flags.client import AsyncFlagClient
from orchestrator.kernel.connections import connect_rows
from orchestrator.kernel.errors import UsageError
from orchestrator.observability.logs import LogListener, make_logger
from orchestrator.web.bounds import MOST_CONNECTIONS, Refusals
from orchestrator.web.health import STALE_S

if TYPE_CHECKING:
    from orchestrator.cli.context import Context

HOST: Final = "127.0.0.1"
POLL_S: Final = 5.0

Host = Annotated[str, typer.Option("--host", help="Where to listen.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65_535, help="0 takes a free one.")]
Poll = Annotated[float, typer.Option("--poll", min=0.1, help="Seconds between two looks at the flags.")]
Listen = Annotated[bool, typer.Option("--listen/--poll-only", help="Poll only, behind a transaction pooler.")]
StaleAfter = Annotated[
    float, typer.Option("--stale-after", min=0.1, help="Seconds after which old flags fail /healthz.")
]
Connections = Annotated[
    int, typer.Option("--max-connections", min=1, help="One more takes the place of one that waits.")
]

__all__ = [
    "HOST",
    "MOST_CONNECTIONS",
    "POLL_S",
    "STALE_S",
    "Connections",
    "Host",
    "Listen",
    "Poll",
    "Port",
    "StaleAfter",
    "client",
    "loopback",
    "refusals",
]


def loopback(host: str) -> bool:
    """Can only this machine reach the address?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def client(dsn: str, *, poll: float, listen: bool, stale_after: float) -> AsyncFlagClient:
    """What follows the flags; refuses a bound that it could never keep."""
    if stale_after <= poll:
        raise UsageError(
            f"Answers are up to {poll:g} s old between two looks: --stale-after {stale_after:g} would always fail.",
            kept="Nothing was started.",
            todo="Give a longer --stale-after, or a shorter --poll.",
        )
    return AsyncFlagClient(lambda: connect_rows(dsn, "flags"), poll=poll, listen=listen)


def refusals(context: Context) -> Refusals:
    """What tells of refused requests, in the log of this process."""
    context.bus.subscribe(LogListener(make_logger(context.settings.log.format, context.settings.log.level)))
    return Refusals(context.bus)
