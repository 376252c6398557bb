"""Serving within bounds: how many connections there are, and how long each may take for what.

uvicorn bounds the pause between two requests. It waits without end for a head that comes letter by letter, and for a
client that asks and does not read the answer; with httptools it does not bound the size of a head either. Here a
connection is closed when the head is late or too large and when the whole request is late. One connection more than
the limit takes the place of the one that has asked nothing for the longest time, so that connections that only wait
keep nobody out; where all are being answered, it is closed at once. A refusal is an event, one line each and a few in a
second at most, so that nobody fills the disk with them.

The clock is one timer a connection, which looks at a deadline when it fires: a fast request moves the deadline and
touches no timer. httptools and uvloop are used where they are installed.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final

import uvicorn

from orchestrator.web.errors import ServeError

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
except ImportError:  # no httptools for this platform
    from uvicorn.protocols.http.h11_impl import H11Protocol as Base  # type: ignore[assignment]  # the same methods

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from orchestrator.kernel.events import Bus

_LINES: Final = 10
_HEAD_BYTES: Final = 65_536
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


class Bounded(Base):
    """A connection with a clock."""

    bounds: ClassVar[Bounds] = Bounds()
    refusals: ClassVar[Refusals] = Refusals(None)
    _clock: asyncio.TimerHandle | None = None
    _deadline = 0.0
    _busy = False
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One too many takes the place of one that waits, or is closed at once."""
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections:
            gone = self._longest_idle() or self
            self.refusals.note(gone.client, f"there are {self.bounds.connections} connections already")
            gone.transport.abort()
            if gone is self:
                return
        self._give(self.bounds.head_s)
        self._clock = self.loop.call_at(self._deadline, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A head may be complete now."""
        if not self._busy:
            self._head += len(data)
        super().data_received(data)
        self._follow()
        if not self._busy and self._head > _HEAD_BYTES:
            self.refusals.note(self.client, "the head of the request is too large")
            self.transport.abort()

    def on_response_complete(self) -> None:
        """The next request has its own time."""
        self._busy, self._head = False, 0
        self._give(self.bounds.head_s)
        super().on_response_complete()  # may begin the next request, if that is here already
        self._follow()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is said as well."""
        self.refusals.note(self.client, "it is no HTTP request")
        super().send_400_response(msg)

    @property
    def idle_until(self) -> float | None:
        """When the next request must be here; None while one is being answered, or nothing more can come."""
        return None if self._busy or self.transport.is_closing() else self._deadline

    def _longest_idle(self) -> Bounded | None:
        """The connection that has asked nothing for the longest time."""
        others = (each for each in self.connections if isinstance(each, Bounded) and each is not self)
        idle = [(until, each) for each in others if (until := each.idle_until) is not None]
        return min(idle, key=itemgetter(0))[1] if idle else None

    def _follow(self) -> None:
        busy = not getattr(self.cycle, "response_complete", True)  # no cycle before the first request
        if busy != self._busy:
            self._busy = busy
            self._head = 0
            self._give(self.bounds.request_s if busy else self.bounds.head_s)

    def _give(self, seconds: float) -> None:
        """From now on, so many seconds. An earlier deadline than the timer's moves the timer."""
        self._deadline = self.loop.time() + seconds
        if self._clock is not None and self._clock.when() > self._deadline:
            self._clock.cancel()
            self._clock = self.loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._clock = None
        if self.transport.is_closing():
            return
        if self.loop.time() < self._deadline:
            self._clock = self.loop.call_at(self._deadline, self._look)
            return
        self.refusals.note(self.client, "the request took too long" if self._busy else "no request came in time")
        self.transport.abort()


def server(app: Callable[..., Any], bounds: Bounds, refusals: Refusals) -> uvicorn.Server:
    """A server that is run with a socket of `listen`."""
    protocol = type("BoundedHere", (Bounded,), {"bounds": bounds, "refusals": refusals})
    # What goes wrong is said by `refusals` and by the application's own handler, in a line each.
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            log_level="critical",
            timeout_graceful_shutdown=2,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket on an address; port 0 takes a free one. Raises ServeError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as exc:
        raise ServeError(host, port, exc.strerror or str(exc)) from exc
