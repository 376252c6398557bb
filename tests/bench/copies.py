"""A copy of a narrow table by one worker, beside one INSERT … SELECT of the same rows into the same table."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING, Any, Final

from backfill.engine import backfill
from backfill.refs import SourceRef
from backfill.settings import BackfillSettings
from orchestrator.engine import commands
from orchestrator.kernel.connections import connect
from orchestrator.kernel.events import Bus
from tests.bench import worlds
from tests.bench.figures import Figure, Goal

if TYPE_CHECKING:
    import psycopg

_ROUNDS: Final = 3
_PLAIN: Final = "INSERT INTO public.members (id, name, cents) SELECT id, name, points * 10 FROM public.accounts"
_EMPTY: Final = (
    "TRUNCATE public.members",
    "DELETE FROM changeover.chunk",
    "UPDATE changeover.source SET state = 'copying'",
)


def narrow(dsn: str, plan: str) -> list[Figure]:
    """Speed of the copy ÷ that of the plain statement, medians of alternating turns."""
    commands.init(dsn)
    commands.start(dsn, plan, until="dual-write", bus=Bus(), operator=worlds.OPERATOR)
    plain, ours = [], []
    with connect(dsn) as conn:
        conn.execute("VACUUM (ANALYZE)")
        row = conn.execute("SELECT id, name, oid::bigint FROM changeover.source").fetchone()
        assert row is not None
        source = SourceRef(*row)
        # Under a name of its own, or TRUNCATE would reach the old table and each new row a mirror.
        conn.execute("SET changeover.origin = 'bench'")
        for _ in range(_ROUNDS):
            plain.append(_timed_plain(conn))
            ours.append(_timed_copy(conn, dsn, source))
    seconds = statistics.median(plain), statistics.median(ours)
    note = f"{seconds[0]:.2f} s ÷ {seconds[1]:.2f} s"
    return [
        Figure(
            "copy of a narrow table, 1 worker ÷ INSERT … SELECT",
            seconds[0] / seconds[1],
            "",
            Goal(0.8, least=True),
            note,
        )
    ]


def _timed_plain(conn: psycopg.Connection[Any]) -> float:
    _empty(conn)
    begun = time.perf_counter()
    conn.execute(_PLAIN.encode())
    return time.perf_counter() - begun


def _timed_copy(conn: psycopg.Connection[Any], dsn: str, source: SourceRef) -> float:
    _empty(conn)
    begun = time.perf_counter()
    work = backfill(dsn, [source], workers=1, fence=None, settings=BackfillSettings(), bus=Bus(), stop=asyncio.Event())
    asyncio.run(work)
    return time.perf_counter() - begun


def _empty(conn: psycopg.Connection[Any]) -> None:
    for text in _EMPTY:
        conn.execute(text.encode())
