"""What every request of the page must pass, and what every answer carries.

The name that a browser believes to be talking to is checked (a page of another site can point a name of its own at
this address), an origin is checked for whatever changes something, and a policy lets a browser load nothing but our
own stylesheet and script: what a database says cannot become code, even if it got into a page unescaped.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),  # with none, a form of ours would come from the origin `null`
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)
_STORED: Final = "/static/"
_HTTPS: Final = ("strict-transport-security", "max-age=31536000")


class OnThisMachine:
    """What listens on this machine only, before a browser that another site has led here by a name of its own.

    Whoever is no browser may use any name. A browser says where a request comes from.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        """`hosts` are names beside localhost and plain addresses, `origins` are pages that may ask."""
        self._app = app
        self._hosts, self._origins = _names(hosts), frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it pass, or answer 400."""
        if scope["type"] == "http":
            headers = _headers(scope)
            browser = "origin" in headers or "sec-fetch-site" in headers
            known = _known(headers.get("host", ""), self._hosts) or headers.get("origin") in self._origins
            if browser and not known:
                await _refuse(send, 400, "A browser says localhost or an address: see --allowed-host.")
                return
        await self._app(scope, receive, send)


class Guarded:
    """The page behind its guard."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), *, https: bool = False) -> None:
        """`hosts` are names beside localhost and plain addresses by which the page is known."""
        self._app = app
        self._hosts = _names(hosts)
        self._headers = [(name.encode(), value.encode()) for name, value in (*HEADERS, *([_HTTPS] if https else []))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it pass, or answer 400 or 403."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers, *self._caching(scope["path"])]
            await send(message)

        headers = _headers(scope)
        if not _known(headers.get("host", ""), self._hosts):
            await _refuse(guarded, 400, "This name is not one of the page's: see --allowed-host.")
        elif scope["method"] not in {"GET", "HEAD", "POST"}:
            await _refuse(guarded, 405, "Only GET and POST.")
        elif scope["method"] == "POST" and not same_origin(headers):
            await _refuse(guarded, 403, "This request comes from another site.")
        else:
            await self._app(scope, receive, guarded)

    @staticmethod
    def _caching(path: str) -> list[tuple[bytes, bytes]]:
        # What is shown may be anybody's data: no cache keeps it.
        kept = b"max-age=3600" if path.startswith(_STORED) else b"no-store"
        return [(b"cache-control", kept)]


def same_origin(headers: Mapping[str, str]) -> bool:
    """Does a request that changes something come from a page of ours? What says nothing about it does not."""
    host = headers.get("host", "").lower()
    origin = headers.get("origin")
    if origin is not None:
        return bool(host) and urlsplit(origin).netloc.lower() == host
    return headers.get("sec-fetch-site") == "same-origin"


def hostname(host: str) -> str | None:
    """The name in a Host header, without its port; None for what is no such header."""
    try:
        return urlsplit(f"//{host}").hostname if host and "/" not in host and "@" not in host else None
    except ValueError:
        return None


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _names(hosts: Collection[str]) -> frozenset[str]:
    return frozenset({host.lower() for host in hosts} | {"localhost"})


def _known(host: str, names: Collection[str]) -> bool:
    name = hostname(host)
    return name is not None and (name in names or _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode() + b"\n"})
