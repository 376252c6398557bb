"""The OFREP server: flags over HTTP, for applications in any language (openfeature.dev's remote evaluation protocol).

    POST /ofrep/v1/evaluate/flags/{name}    one flag:  {"context": {"targetingKey": "user-7", "tenant": "acme"}}
    POST /ofrep/v1/evaluate/flags           all flags, with an ETag; If-None-Match is answered 304
    GET  /healthz                           200 while the flags are known, 503 before

It answers from an `AsyncFlagClient`'s memory, so it goes on answering while the database is away. The clients that
exist are stricter than the protocol: every answer has `value`, `variant` and one of the standard reasons, a float is
never written as an integer, and there is no 429, which makes some of them go silent.

A server that others can reach wants a token (`Authorization: Bearer` or `X-API-Key`); what a flag says is little, but
who asks about whom is the application's affair.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

from flags.values import STAGE, value_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from starlette.requests import Request

    from flags.client import AsyncFlagClient
    from flags.rules import Context

MOST_BYTES: Final = 65_536
_PATH: Final = "/ofrep/v1/evaluate/flags"


class _RefusedError(Exception):
    """A request that cannot be answered, with what OFREP calls it."""

    def __init__(self, status: int, code: str, details: str) -> None:
        super().__init__(details)
        self.status, self.code, self.details = status, code, details


class FlagServer:
    """The endpoints, over one client."""

    def __init__(self, client: AsyncFlagClient, tokens: Collection[str] = ()) -> None:
        """Without tokens everybody may ask."""
        self._client = client
        self._tokens = [token.encode() for token in tokens]

    async def one(self, request: Request) -> Response:
        """One flag."""
        name = request.path_params["name"]
        try:
            key, context = await self._asked(request)
        except _RefusedError as exc:
            return _refusal(exc, name)
        found = self._evaluate(name, key, context)
        if found is None:
            return _refusal(_RefusedError(404, "FLAG_NOT_FOUND", f"There is no flag {name}."), name)
        return _json(found)

    async def all(self, request: Request) -> Response:
        """Every flag, and its stage; nothing if the asker has it already."""
        try:
            key, context = await self._asked(request)
        except _RefusedError as exc:
            return _refusal(exc, None)
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
        return _json({"age_s": age, "flags": len(self._client.cache.flags())}, 503 if age is None else 200)

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
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise _RefusedError(400, "INVALID_CONTEXT", f"The context is larger than {MOST_BYTES} bytes.")
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

    def _allowed(self, request: Request) -> bool:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        said = bearer if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        # All of them are compared, so that the time taken says nothing about which was nearly right.
        return sum(hmac.compare_digest(said.strip().encode(), token) for token in self._tokens) > 0


def make_app(client: AsyncFlagClient, *, tokens: Collection[str] = (), origins: Sequence[str] = ()) -> Starlette:
    """The application for any ASGI server; `origins` are the web pages that may ask."""
    server = FlagServer(client, tokens)

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
        lifespan=lifespan,
    )


def _refusal(exc: _RefusedError, name: str | None) -> Response:
    said = {"errorCode": exc.code, "errorDetails": exc.details}
    return _json(said if name is None else {"key": name, **said}, exc.status)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, media_type="application/json")
