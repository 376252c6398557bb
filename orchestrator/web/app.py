"""One ASGI application of parts that can be switched on and off: flags (OFREP), page, metrics, health.

The parts are told apart by the path before anything else happens, so that a flag's evaluation passes through nothing
that belongs to the page. What a part needs while it serves (the flags' client, the sampling of the charts) is a context
that begins with the server and ends with it.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from orchestrator.web import health, ofrep

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp, Receive, Scope, Send

    from flags.client import AsyncFlagClient
    from orchestrator.web.bounds import Refusals
    from orchestrator.web.ofrep import Count

_PROMETHEUS: Final = "/metrics"
_METRICS: Final = "text/plain; version=1.0.0; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Parts:
    """What is served; None is not."""

    flags: ASGIApp | None = None
    page: ASGIApp | None = None
    metrics: Callable[[], str] | None = None
    health: health.Health | None = None
    contexts: Sequence[AbstractAsyncContextManager[Any]] = field(default_factory=tuple)
    """Entered when the server begins, in their order."""


class Application:
    """Hands each request to its part."""

    def __init__(self, parts: Parts) -> None:
        """Serve these."""
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        parts, path = self._parts, scope["path"]
        if (path in health.PATHS or path == _PROMETHEUS) and scope["method"] not in {"GET", "HEAD"}:
            await _say(send, 405, b"Only GET.\n", _TEXT)
            return
        if path.startswith(ofrep.PREFIX):
            if parts.flags is not None:
                await parts.flags(scope, receive, send)
                return
        elif path in health.PATHS:
            if parts.health is not None:
                status, body = parts.health.answer(path)
                await _say(send, status, body, "application/json")
                return
        elif path == _PROMETHEUS:
            if parts.metrics is not None:
                await _say(send, 200, (await run_in_threadpool(parts.metrics)).encode(), _METRICS)
                return
        elif parts.page is not None:
            await parts.page(scope, receive, send)
            return
        await _say(send, 404, b"There is nothing here.\n", _TEXT)

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                for context in self._parts.contexts:
                    await stack.enter_async_context(context)
            except Exception as exc:
                await send({"type": "lifespan.startup.failed", "message": f"{type(exc).__name__}: {exc}"})
                raise
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def flags_part(
    client: AsyncFlagClient,
    *,
    tokens: Collection[str] = (),
    origins: Sequence[str] = (),
    body_s: float = ofrep.BODY_S,
    refusals: Refusals | None = None,
    count: Count | None = None,
) -> ASGIApp:
    """The flags; `origins` are the web pages that may ask."""
    served = ofrep.Ofrep(client, tokens, body_s=body_s, refusals=refusals, count=count)
    if not origins:
        return served
    return CORSMiddleware(
        served, allow_origins=origins, allow_methods=["POST"], allow_headers=["*"], expose_headers=["ETag"]
    )


def flags_only(client: AsyncFlagClient, *, stale_s: float = health.STALE_S, **options: Any) -> Application:
    """The flags and their health; `options` are those of `flags_part`."""
    served = flags_part(client, **options)
    return Application(Parts(flags=served, health=health.Health(client, stale_s=stale_s), contexts=(client,)))


async def _say(send: Send, status: int, body: bytes, kind: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
