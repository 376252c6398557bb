from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestrator.web.guard import OnThisMachine, hostname, same_origin


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"host": "127.0.0.1:8017", "origin": "http://127.0.0.1:8017"}, True),
        ({"host": "co.example", "origin": "https://co.example"}, True),
        ({"host": "co.example", "origin": "https://co.example.evil.example"}, False),
        ({"host": "127.0.0.1:8017", "origin": "http://127.0.0.1:8018"}, False),
        ({"host": "127.0.0.1:8017", "origin": "null"}, False),
        ({"host": "", "origin": "null"}, False),
        ({"host": "127.0.0.1:8017"}, False),
        ({"host": "127.0.0.1:8017", "sec-fetch-site": "same-origin"}, True),
        ({"host": "127.0.0.1:8017", "sec-fetch-site": "cross-site"}, False),
        ({"host": "127.0.0.1:8017", "sec-fetch-site": "none"}, False),
    ],
)
def test_where_a_form_comes_from(headers: dict[str, str], ours: bool) -> None:  # noqa: FBT001 - a column of the table
    assert same_origin(headers) is ours


def test_names_in_a_host_header() -> None:
    assert hostname("LocalHost:8017") == "localhost"
    assert hostname("[::1]:8017") == "::1"
    for wrong in ("", "a/b", "user@host", "[::1"):
        assert hostname(wrong) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "flags.internal:8016"}, 200),  # no browser: an application with a name of its own for this machine
        ({"host": "127.0.0.1:8016", "origin": "http://127.0.0.1:8016"}, 200),
        ({"host": "localhost:8016", "sec-fetch-site": "cross-site"}, 200),
        ({"host": "evil.example:8016", "origin": "http://evil.example:8016"}, 400),
        ({"host": "evil.example:8016", "sec-fetch-site": "same-origin"}, 400),
        ({"host": "proxy.example", "sec-fetch-site": "same-origin"}, 200),
        ({"host": "flags.example", "origin": "https://shop.example"}, 200),
        ({"host": "flags.example", "origin": "https://shop.example.evil.example"}, 400),
    ],
)
def test_a_browser_that_was_led_here_by_another_name(headers: dict[str, str], status: int) -> None:
    said: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    asyncio.run(OnThisMachine(app, {"proxy.example"}, {"https://shop.example"})(scope, receive, send))
    assert said[0]["status"] == status
