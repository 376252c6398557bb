"""`/metrics`, `/healthz` and `/readyz` of a process, from the standard library's server in a thread.

Loopback unless told otherwise: metrics name tables. `/healthz` says whether the process is of any use: it is not
once it has lost its lease and has not left for a minute. `/readyz` says whether it is at work: it holds the lease.
A job that waits for its lease, or for a server that restarts, is alive and not ready.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from orchestrator.kernel.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.kernel.events import Event

_LOST_S: Final = 60.0
_REQUEST_S: Final = 10.0  # each has a thread: nobody may hold one by saying nothing, or a letter now and then
_MOST_REQUESTS: Final = 64
_OK: Final = 200
_UNAVAILABLE: Final = 503
_NOT_FOUND: Final = 404


class PortError(UsageError):
    """The address for /metrics cannot be listened on."""


class Health:
    """What the events say about the process."""

    def __init__(self, *, ready: bool = False) -> None:
        """Alive; `ready` from the start where there is no lease to be had."""
        self._ready = ready
        self._lost: float | None = None
        self._why = "" if ready else "starting"

    def hear(self, event: Event) -> None:
        """Follow the lease and the connections."""
        match event.kind:
            case "lease.acquired":
                self._ready, self._lost, self._why = True, None, ""
            case "lease.waiting":
                self._why = "waiting for the lease"
            case "job.reconnecting":
                self._ready, self._why = False, "waiting for the server"
            case "lease.lost":
                self._ready, self._lost, self._why = False, time.monotonic(), "the lease is lost"
            case "job.ended" | "job.failed":
                self._ready, self._why = False, "ended"

    def alive(self) -> tuple[bool, str]:
        """For a liveness probe."""
        return self._lost is None or time.monotonic() - self._lost < _LOST_S, self._why

    def ready(self) -> tuple[bool, str]:
        """For a readiness probe."""
        return self._ready, self._why


class _Bounded(ThreadingHTTPServer):
    """So many requests at once and so long for each: who asks must not take threads or descriptors from the work."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._free = threading.BoundedSemaphore(_MOST_REQUESTS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own; one too many is closed."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Within its time, however slowly the request comes or the answer is taken."""
        clock = threading.Timer(_REQUEST_S, _cut, (request,))
        clock.daemon = True
        clock.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            clock.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is no news, and no traceback in a log of JSON lines."""
        if not isinstance(sys.exc_info()[1], OSError | ValueError):  # ValueError: what was cut is read on
            super().handle_error(request, client_address)


class Server:
    """The HTTP server of a process."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, health: Health) -> None:
        """Bind; port 0 takes a free one."""

        class Handler(BaseHTTPRequestHandler):
            """Answers three paths."""

            timeout = _REQUEST_S

            def do_GET(self) -> None:
                """Answer."""
                status, kind, body = _answer(self.path.partition("?")[0], registry, health)
                # Whoever asked may have given up waiting.
                with suppress(ConnectionError):
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing: a scrape every few seconds is no news."""

        try:
            self._server = _Bounded((host, port), Handler)
        except OSError as exc:
            raise PortError(
                f"Nothing can listen on {host}:{port}: {exc.strerror or exc}.",
                kept="Nothing was changed.",
                todo="Choose another --metrics-port; 0 takes a free one.",
            ) from exc
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="changeover-http", daemon=True)

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _cut(request: socket.socket) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


def _answer(path: str, registry: CollectorRegistry, health: Health) -> tuple[int, str, bytes]:
    match path:
        case "/metrics":
            return _OK, CONTENT_TYPE_LATEST, generate_latest(registry)
        case "/healthz":
            return _said(*health.alive())
        case "/readyz":
            return _said(*health.ready())
        case _:
            return _NOT_FOUND, "text/plain; charset=utf-8", b"/metrics, /healthz, /readyz\n"


def _said(good: bool, why: str) -> tuple[int, str, bytes]:  # noqa: FBT001 - the two of a pair
    body = json.dumps({"ok": good, "why": why}).encode() + b"\n"
    return _OK if good else _UNAVAILABLE, "application/json", body
