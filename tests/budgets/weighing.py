"""What the tests of this folder weigh: generated functions, the memory contexts of a session, rows that a statement reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

_FUNCTIONS = "SELECT count(*), sum(length(prosrc)) FROM pg_proc WHERE pronamespace = 'changeover'::regnamespace"
_MEMORY = "SELECT sum(total_bytes) FROM pg_backend_memory_contexts"
_READ = "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_user_tables"


def functions(conn: psycopg.Connection[Any]) -> tuple[int, float]:
    """How many functions schema changeover has, and kilobytes of text in them."""
    count, size = _one(conn, _FUNCTIONS)
    return int(count), int(size) / 1000


def megabytes(conn: psycopg.Connection[Any], statements: Iterable[str]) -> float:
    """By how much the statements make the session's memory grow. The session must be the administrator's."""
    (before,) = _one(conn, _MEMORY)
    for text in statements:
        conn.execute(text.encode())
    (after,) = _one(conn, _MEMORY)
    return (int(after) - int(before)) / 1e6


def rows_read(conn: psycopg.Connection[Any], statement: str) -> int:
    """Rows of all tables that a statement reads, by scans and by indexes."""
    with conn.transaction():  # what earlier transactions have read may not be told to the statistics yet: a difference
        (before,) = _one(conn, _READ)
        conn.execute(statement.encode())
        (after,) = _one(conn, _READ)
    return int(after) - int(before)


def _one(conn: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row
