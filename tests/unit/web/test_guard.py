from __future__ import annotations

import pytest

from orchestrator.web.guard import hostname, same_origin


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
