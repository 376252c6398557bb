"""Who stands between us and the server: a pooler that hands out backends by transaction does not do.

What a session of ours sets and holds (how long it waits for a lock, how values are spelt, who works under a lease)
would be lost with the next transaction, and met by the application that gets the backend after us. So no lease is taken
there.
"""

from __future__ import annotations

import os
import socket
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import tuple_row

from orchestrator.engine import queries
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import RefusedError

if TYPE_CHECKING:
    import psycopg

TODO = "Give a DSN that leads straight to PostgreSQL, past the pooler: locks and LISTEN need a session."


@dataclass(frozen=True, slots=True)
class PoolerFacts:
    """Signs that somebody stands between us and the server."""

    announced_pid: int
    """What the connection was told at its start."""
    answering_pid: int
    """Who really answers."""
    moved: bool
    """Another backend answered the same connection later: a pooler that hands out backends by transaction."""
    port_differs: bool


def refuse(dsn: str, conn: psycopg.Connection[Any]) -> None:
    """Raise RefusedError where backends are handed out by transaction; a direct connection costs one question."""
    if _backend(conn)[0] != conn.info.backend_pid and between(dsn, conn).moved:
        raise RefusedError(
            "A pooler between us and the server hands out backends by transaction.",
            kept="Nothing was changed.",
            todo=TODO,
        )


def between(dsn: str, conn: psycopg.Connection[Any]) -> PoolerFacts:
    """Compare what the connection was told with who answers, also while a second connection is at work."""
    before = _backend(conn)
    with closing(connect(dsn, role="look")) as other, other.transaction():
        # A pooler that shares backends gives the free one, ours, to whoever asks next.
        _backend(other)
        after = _backend(conn)
    return PoolerFacts(
        announced_pid=conn.info.backend_pid,
        answering_pid=before[0],
        moved=after[0] != before[0],
        port_differs=before[1] is not None and before[1] != _own_port(conn),
    )


def _backend(conn: psycopg.Connection[Any]) -> tuple[int, int | None]:
    row = conn.cursor(row_factory=tuple_row).execute(queries.load("doctor_backend.sql")).fetchone()
    return (0, None) if row is None else (row[0], row[1])


def _own_port(conn: psycopg.Connection[Any]) -> int | None:
    # A copy of the descriptor: closing ours would end the connection.
    with socket.socket(fileno=os.dup(conn.fileno())) as ours:
        name = ours.getsockname()
    return int(name[1]) if isinstance(name, tuple) else None
