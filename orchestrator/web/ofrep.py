"""Flags over HTTP, for applications in any language: OFREP, the remote evaluation protocol of openfeature.dev.

    POST /ofrep/v1/evaluate/flags/{name}    one flag:  {"context": {"targetingKey": "user-7", "tenant": "acme"}}
    POST /ofrep/v1/evaluate/flags           all flags, with an ETag; If-None-Match is answered 304

It answers from an `AsyncFlagClient`'s memory, so it goes on answering while the database is away; `/healthz` says then
that its answers are old. A body has a size and a time; `web.bounds` bounds the connections. The clients that exist are
stricter than the protocol: every answer has `value`, `variant` and one of the standard reasons, a float is never
written as an integer, and there is no 429, which makes some of them go silent.

A server that others can reach wants a token (`Authorization: Bearer` or `X-API-Key`); what a flag says is little, but
who asks about whom is the application's affair. It is ASGI without a framework: an evaluation costs less than what a
framework adds to it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Final

from flags.values import STAGE, value_of
from orchestrator.web.bounds import Refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.types import Receive, Scope, Send

    from flags.answers import Answers
    from flags.rules import Context

    Count = Callable[[str, str, str], None]

MOST_BYTES: Final = 65_536
BODY_S: Final = 5.0
PREFIX: Final = "/ofrep/"
_PATH: Final = "/ofrep/v1/evaluate/flags"
_JSON: Final = (b"content-type", b"application/json")


class _RefusedError(Exception):
    """A request that cannot be answered, with what OFREP calls it."""

    def __init__(self, status: int, code: str, details: str, *, unread: bool = False) -> None:
        """With `unread` the rest of the body is not waited for: the connection ends."""
        super().__init__(details)
        self.status, self.code, self.details, self.unread = status, code, details, unread


class Ofrep:
    """The endpoints, over one client."""

    def __init__(
        self,
        client: Answers,
        tokens: Collection[str] = (),
        *,
        body_s: float = BODY_S,
        refusals: Refusals | None = None,
        count: Count | None = None,
    ) -> None:
        """Without tokens everybody may ask; `count` hears the flag, variant and reason of each answer."""
        self._client = client
        self._tokens = [token.encode() for token in tokens]
        self._body_s = body_s
        self._refusals = refusals or Refusals(None)
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path: str = scope["path"]
        if path != _PATH and not path.startswith(f"{_PATH}/"):
            await _send(send, 404, b'{"errorDetails": "There is nothing here."}', (_JSON,))
            return
        if scope["method"] != "POST":
            await _send(send, 405, b'{"errorDetails": "POST only."}', (_JSON, (b"allow", b"POST")))
            return
        name = path[len(_PATH) + 1 :] or None
        try:
            key, context = await self._asked(scope, receive)
            if name is None:
                await self._all(scope, send, key, context)
            else:
                await self._one(send, name, key, context)
        except _RefusedError as exc:
            self._refusals.note(scope["client"], exc.details, path=path, status=exc.status)
            await self._refuse(send, exc, name)
        except Exception as exc:  # noqa: BLE001 - a fault of ours is a line, and no traceback for the client
            self._refusals.note(scope["client"], f"a fault: {type(exc).__name__}: {exc}", path=path, status=500)
            body = b'{"errorCode": "GENERAL", "errorDetails": "The server has failed."}'
            await _send(send, 500, body, (_JSON,))

    async def _one(self, send: Send, name: str, key: str | None, context: Context) -> None:
        found = self._evaluate(name, key, context)
        if found is None:
            # Not an event: an application may ask about a flag that is not there yet, thousands of times.
            await self._refuse(send, _RefusedError(404, "FLAG_NOT_FOUND", f"There is no flag {name}."), name)
            return
        await _send(send, 200, json.dumps(found).encode(), (_JSON,))

    async def _all(self, scope: Scope, send: Send, key: str | None, context: Context) -> None:
        """Every flag, and its stage; nothing if the client has it already."""
        names = [name for flag in self._client.cache.flags() for name in (flag, flag + STAGE)]
        body = json.dumps({"flags": [self._evaluate(name, key, context) for name in names]}).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        said = b",".join(value for name, value in scope["headers"] if name == b"if-none-match").decode("latin-1")
        known = [each.strip().removeprefix("W/") for each in said.split(",")]
        if tag in known or "*" in known:
            await _send(send, 304, b"", ((b"etag", tag.encode()),))
        else:
            await _send(send, 200, body, (_JSON, (b"etag", tag.encode())))

    async def _refuse(self, send: Send, exc: _RefusedError, name: str | None) -> None:
        if self._count is not None:
            self._count("", "", exc.code)
        said = {"errorCode": exc.code, "errorDetails": exc.details}
        body = json.dumps(said if name is None else {"key": name, **said}).encode()
        await _send(send, exc.status, body, (_JSON, (b"connection", b"close")) if exc.unread else (_JSON,))

    def _evaluate(self, name: str, key: str | None, context: Context) -> dict[str, Any] | None:
        found = value_of(self._client.cache, name, key, context)
        if found is None:
            return None
        answer = found.answer
        if self._count is not None:
            self._count(name, found.variant, answer.reason.value)
        return {
            "key": name,
            "value": found.value,
            "variant": found.variant,
            "reason": answer.reason.value,
            "metadata": answer.metadata(),
        }

    async def _asked(self, scope: Scope, receive: Receive) -> tuple[str | None, Context]:
        """Who is asked about; raises _RefusedError."""
        if self._tokens and not self._allowed(scope):
            raise _RefusedError(401, "GENERAL", "A token is needed.")
        if self._client.age is None:
            raise _RefusedError(503, "PROVIDER_NOT_READY", "The flags are not known yet.")
        body = await self._body(receive)
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

    async def _body(self, receive: Receive) -> bytes:
        """The body, within its size and its time; raises _RefusedError."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _RefusedError(400, "GENERAL", "The asker went away before the end of the body.")
                    body += message.get("body", b"")
                    if len(body) > MOST_BYTES:
                        details = f"The context is larger than {MOST_BYTES} bytes."
                        raise _RefusedError(400, "INVALID_CONTEXT", details, unread=True)
                    more = message.get("more_body", False)
        except TimeoutError as exc:
            raise _RefusedError(408, "GENERAL", f"The body took longer than {self._body_s:g} s.", unread=True) from exc
        return bytes(body)

    def _allowed(self, scope: Scope) -> bool:
        found = {name: value for name, value in scope["headers"] if name in (b"authorization", b"x-api-key")}
        scheme, _, bearer = found.get(b"authorization", b"").partition(b" ")
        said = bearer if scheme.lower() == b"bearer" else found.get(b"x-api-key", b"")
        # All of them are compared, so that the time taken says nothing about which was nearly right.
        return sum(hmac.compare_digest(said.strip(), token) for token in self._tokens) > 0


async def _send(send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    length = () if status == 304 else ((b"content-length", b"%d" % len(body)),)  # noqa: PLR2004 - without a body
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})
