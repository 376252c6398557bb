"""DSNs in both forms: for asyncpg, and for eyes."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from orchestrator.kernel.connections import asyncpg_uri, redacted


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:h%20%26sh@%2Frun%2Fpg/d?connect_timeout=3&sslmode=disable",
        "host=/run/pg user=me password='h &sh' dbname=d connect_timeout=3 sslmode=disable",
    ],
)
def test_asyncpg_gets_a_uri_with_only_what_it_knows(dsn: str) -> None:
    parts = {key: value[0] for key, value in parse_qs(urlsplit(asyncpg_uri(dsn)).query).items()}
    assert parts == {"host": "/run/pg", "user": "me", "password": "h &sh", "dbname": "d", "sslmode": "disable"}


def test_redacted_keeps_what_helps() -> None:
    assert redacted("postgresql://me:hush@h/d") == "user=me dbname=d host=h"
    assert redacted("nonsense hush") == "<unreadable DSN>"
