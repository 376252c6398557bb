"""Serving the flags within bounds: how many connections there are, and how long each may take for what.

uvicorn bounds the size of a request's head and the pause between two requests. It waits without end for a head that
comes letter by letter, and for somebody who asks and does not read the answer. Here a connection is closed when the
head is late and when the whole request is; one more than there may be is closed at once. What was refused is an event,
one line each and at most some in a second, so that nobody fills the disk with it.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from flags.errors import ServeError

if TYPE_CHECKING:
    import asyncio

    from starlette.applications import Starlette

    from orchestrator.kernel.events import Bus

_LINES: Final = 10


MOST_CONNECTIONS: Final = 256


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connection may take; seconds."""

    connections: int = MOST_CONNECTIONS
    head_s: float = 10.0
    """From its opening, or the end of the last answer, to the end of a request's head."""
    request_s: float = 30.0
    """From there to the end of the answer."""


class Refusals:
    """Says what was refused, sparingly."""

    def __init__(self, bus: Bus | None) -> None:
        """Without a bus nobody is told."""
        self._bus = bus
        self._second, self._said, self._unsaid = 0.0, 0, 0

    def note(self, client: tuple[str, int] | None, why: str, **fields: Any) -> None:
        """One request or connection that was refused; `unsaid` counts those of which nothing was said."""
        if self._bus is None:
            return
        if (now := time.monotonic()) >= self._second + 1:
            self._second, self._said = now, 0
        if self._said >= _LINES:
            self._unsaid += 1
            return
        self._said += 1
        who = "unknown" if client is None else client[0]
        more = {"unsaid": self._unsaid} if self._unsaid else {}
        self._unsaid = 0
        self._bus.emit("flag.request_refused", client=who, why=why, **fields, **more)


class Bounded(H11Protocol):
    """A connection with a clock."""

    bounds: ClassVar[Bounds] = Bounds()
    refusals: ClassVar[Refusals] = Refusals(None)
    _clock: asyncio.TimerHandle | None = None
    _busy = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One too many is closed at once."""
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections:
            self.refusals.note(self.client, f"there are {self.bounds.connections} connections already")
            transport.abort()
        else:
            self._start(self.bounds.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A head may be complete now."""
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        """The next request has its own time."""
        self._busy = False
        self._start(self.bounds.head_s)
        super().on_response_complete()  # may begin the next request, if that is here already
        self._follow()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is said as well."""
        self.refusals.note(self.client, "it is no HTTP request")
        super().send_400_response(msg)

    def _follow(self) -> None:
        busy = not getattr(self.cycle, "response_complete", True)  # no cycle before the first request
        if busy != self._busy:
            self._busy = busy
            self._start(self.bounds.request_s if busy else self.bounds.head_s)

    def _start(self, seconds: float) -> None:
        self._stop()
        if not self.transport.is_closing():
            self._clock = self.loop.call_later(seconds, self._late)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _late(self) -> None:
        self.refusals.note(self.client, "the request took too long" if self._busy else "no request came in time")
        self.transport.abort()


def server(app: Starlette, bounds: Bounds, refusals: Refusals) -> uvicorn.Server:
    """A server that is run with a socket of `listen`."""
    protocol = type("BoundedHere", (Bounded,), {"bounds": bounds, "refusals": refusals})
    # What goes wrong is said by `refusals` and by the application's own handler, in a line each.
    return uvicorn.Server(
        uvicorn.Config(app, http=protocol, ws="none", access_log=False, server_header=False, log_level="critical")
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket on an address; port 0 takes a free one. Raises ServeError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as exc:
        raise ServeError(host, port, exc.strerror or str(exc)) from exc
