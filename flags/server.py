"""The OFREP server: flags over HTTP, for applications in any language (openfeature.dev's remote evaluation protocol).

    POST /ofrep/v1/evaluate/flags/{name}    one flag:  {"context": {"targetingKey": "user-7", "tenant": "acme"}}
    POST /ofrep/v1/evaluate/flags           all flags, with an ETag; If-None-Match is answered 304
    GET  /healthz                           200 while the flags are known and not older than a limit, else 503

It answers from an `AsyncFlagClient`'s memory, so it goes on answering while the database is away; `/healthz` says then
that what it answers is old. A body has a size and a time; `flags.serving` bounds the connections. The clients that
exist are stricter than the protocol: every answer has `value`, `variant` and one of the standard reasons, a float is
never written as an integer, and there is no 429, which makes some of them go silent.

A server that others can reach wants a token (`Authorization: Bearer` or `X-API-Key`); what a flag says is little, but
who asks about whom is the application's affair.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from flags.serving import Refusals
from flags.values import STAGE, value_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from starlette.requests import Request

    from flags.client import AsyncFlagClient
    from flags.rules import Context

MOST_BYTES: Final = 65_536
BODY_S: Final = 5.0
STALE_S: Final = 60.0
_PATH: Final = "/ofrep/v1/evaluate/flags"


class _RefusedError(Exception):
    """A request that cannot be answered, with what OFREP calls it."""

    def __init__(self, status: int, code: str, details: str, *, unread: bool = False) -> None:
        """With `unread` the rest of the body is not waited for: the connection ends."""
        super().__init__(details)
        self.status, self.code, self.details, self.unread = status, code, details, unread


class FlagServer:
    """The endpoints, over one client."""

    def __init__(
        self,
        client: AsyncFlagClient,
        tokens: Collection[str] = (),
        *,
        stale_s: float = STALE_S,
        body_s: float = BODY_S,
        refusals: Refusals | None = None,
    ) -> None:
        """Without tokens everybody may ask; flags older than `stale_s` seconds are no longer healthy."""
        self._client = client
        self._tokens = [token.encode() for token in tokens]
        self._stale_s = stale_s
        self._body_s = body_s
        self._refusals = refusals or Refusals(None)

    async def one(self, request: Request) -> Response:
        """One flag."""
        name = request.path_params["name"]
        try:
            key, context = await self._asked(request)
        except _RefusedError as exc:
            return self._refuse(request, exc, name)
        found = self._evaluate(name, key, context)
        if found is None:
            return _refusal(_RefusedError(404, "FLAG_NOT_FOUND", f"There is no flag {name}."), name)
        return _json(found)

    async def all(self, request: Request) -> Response:
        """Every flag, and its stage; nothing if the asker has it already."""
        try:
            key, context = await self._asked(request)
        except _RefusedError as exc:
            return self._refuse(request, exc, None)
        names = [name for flag in self._client.cache.flags() for name in (flag, flag + STAGE)]
        answer = _json({"flags": [self._evaluate(name, key, context) for name in names]})
        tag = f'"{hashlib.sha256(bytes(answer.body)).hexdigest()[:32]}"'
        known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
        if tag in known or "*" in known:
            return Response(status_code=304, headers={"ETag": tag})
        answer.headers["ETag"] = tag
        return answer

    async def health(self, _request: Request) -> Response:
        """Are the flags known, and how old is what is known?"""
        age = self._client.age
        good = age is not None and age <= self._stale_s
        return _json({"age_s": age, "flags": len(self._client.cache.flags())}, 200 if good else 503)

    async def failed(self, request: Request, exc: Exception) -> Response:
        """What is a fault of ours: a line, and no traceback for whoever asked."""
        self._refusals.note(_asker(request), f"a fault: {type(exc).__name__}: {exc}", path=request.url.path, status=500)
        return _json({"errorCode": "GENERAL", "errorDetails": "The server has failed."}, 500)

    def _refuse(self, request: Request, exc: _RefusedError, name: str | None) -> Response:
        self._refusals.note(_asker(request), exc.details, path=request.url.path, status=exc.status)
        return _refusal(exc, name)

    def _evaluate(self, name: str, key: str | None, context: Context) -> dict[str, Any] | None:
        found = value_of(self._client.cache, name, key, context)
        if found is None:
            return None
        answer = found.answer
        return {
            "key": name,
            "value": found.value,
            "variant": found.variant,
            "reason": answer.reason.value,
            "metadata": answer.metadata(),
        }

    async def _asked(self, request: Request) -> tuple[str | None, Context]:
        """Who is asked about; raises _RefusedError."""
        if self._tokens and not self._allowed(request):
            raise _RefusedError(401, "GENERAL", "A token is needed.")
        if self._client.age is None:
            raise _RefusedError(503, "PROVIDER_NOT_READY", "The flags are not known yet.")
        body = await self._body(request)
        try:
            said = json.loads(body) if body.strip() else {}
        except (ValueError, RecursionError) as exc:
            raise _RefusedError(400, "PARSE_ERROR", "The body is no JSON.") from exc
        context = said.get("context", {}) if isinstance(said, dict) else None
        if context is None and isinstance(said, dict):
            context = {}
        if not isinstance(context, dict):
            raise _RefusedError(400, "INVALID_CONTEXT", "The context is no object.")
        key = context.get("targetingKey")
        if key is not None and not isinstance(key, str):
            raise _RefusedError(400, "INVALID_CONTEXT", "The targetingKey is no text.")
        return key or None, context

    async def _body(self, request: Request) -> bytes:
        """The body, within its size and its time; raises _RefusedError."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_s):
                async for part in request.stream():
                    body += part
                    if len(body) > MOST_BYTES:
                        details = f"The context is larger than {MOST_BYTES} bytes."
                        raise _RefusedError(400, "INVALID_CONTEXT", details, unread=True)
        except TimeoutError as exc:
            raise _RefusedError(408, "GENERAL", f"The body took longer than {self._body_s:g} s.", unread=True) from exc
        except ClientDisconnect as exc:
            raise _RefusedError(400, "GENERAL", "The asker went away before the end of the body.") from exc
        return bytes(body)

    def _allowed(self, request: Request) -> bool:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        said = bearer if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        # All of them are compared, so that the time taken says nothing about which was nearly right.
        return sum(hmac.compare_digest(said.strip().encode(), token) for token in self._tokens) > 0


def make_app(
    client: AsyncFlagClient,
    *,
    tokens: Collection[str] = (),
    origins: Sequence[str] = (),
    stale_s: float = STALE_S,
    body_s: float = BODY_S,
    refusals: Refusals | None = None,
) -> Starlette:
    """The application for any ASGI server; `origins` are the web pages that may ask."""
    server = FlagServer(client, tokens, stale_s=stale_s, body_s=body_s, refusals=refusals)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["POST"],
        allow_headers=["*"],
        expose_headers=["ETag"],
    )
    return Starlette(
        routes=[
            Route(_PATH, server.all, methods=["POST"]),
            Route(f"{_PATH}/{{name:path}}", server.one, methods=["POST"]),
            Route("/healthz", server.health, methods=["GET"]),
        ],
        middleware=[cors] if origins else [],
        exception_handlers={Exception: server.failed},
        lifespan=lifespan,
    )


def _asker(request: Request) -> tuple[str, int] | None:
    return None if request.client is None else (request.client.host, request.client.port)


def _refusal(exc: _RefusedError, name: str | None) -> Response:
    said = {"errorCode": exc.code, "errorDetails": exc.details}
    answer = _json(said if name is None else {"key": name, **said}, exc.status)
    if exc.unread:
        answer.headers["Connection"] = "close"
    return answer


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, media_type="application/json")
