"""What a change in place costs: a write that its mirror computes, and the copy beside one UPDATE of the same work.

A narrow table with three new columns: one with a way back, one that is only computed, and one that says what it `reads`
and stays NULL in most rows. Writes are the backend's own CPU, divided by that of the same statement on a twin without
mirrors. The copy is divided by one UPDATE that sets the same columns of the same rows, on a copy of the table with no
trigger: seconds, WAL, and CPU of the backend that works.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from backfill.engine import backfill
from backfill.refs import SourceRef
from backfill.settings import BackfillSettings
from orchestrator.engine import commands
from orchestrator.kernel.connections import connect
from orchestrator.kernel.events import Bus
from tests.bench import worlds
from tests.bench.figures import Figure, Goal
from tests.bench.writes import cpu_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

_ROUNDS: Final = 3
_OLD: Final = """
CREATE TABLE public.parcels (
    id bigint PRIMARY KEY, weight text NOT NULL, town text NOT NULL, hint jsonb, seen integer NOT NULL DEFAULT 0
);
INSERT INTO public.parcels (id, weight, town, hint)
SELECT i, (i % 5000)::text, 'town ' || i % 300, CASE WHEN i % 50 = 0 THEN jsonb_build_object('shelf', i % 9) END
FROM generate_series(1, {rows}) AS i;
"""
_PLAN: Final = """
plan: parcels
version: 1
stages:
  - stage: parcels
    flag: USE_GRAMS
    mappings:
      - in_place: public.parcels
        columns:
          grams: {type: integer, from: s.weight::integer * 10}
          town_key: {type: text, from: upper(s.town)}
          shelf: {type: integer, from: "(s.hint ->> 'shelf')::integer", reads: "s.hint ->> 'shelf'"}
        reverse: {weight: (t.grams / 10)::text}
    contract: {}
"""
_WITHOUT_READS: Final = (
    "          shelf: {type: integer, from: \"(s.hint ->> 'shelf')::integer\", reads: \"s.hint ->> 'shelf'\"}\n"
)
_STATEMENTS: Final[dict[str, Callable[[int], str]]] = {
    "an update of a column that is read": lambda i: f"UPDATE parcels SET weight = '{i % 997}' WHERE id = {i + 1}",
    "an update of a new column": lambda i: f"UPDATE parcels SET grams = {i % 997} WHERE id = {i + 1}",
    "an update of none of them": lambda i: f"UPDATE parcels SET seen = {i} WHERE id = {i + 1}",
    "an insert": lambda i: f"INSERT INTO parcels (id, weight, town) VALUES ({90_000_000 + i}, '7', 'a town')",
    "a delete": lambda i: f"DELETE FROM parcels WHERE id = {90_000_000 + i}",
}
_SAME_WORK: Final = (
    "UPDATE public.plain SET grams = weight::integer * 10, town_key = upper(town), shelf = (hint ->> 'shelf')::integer"
)
_FRESH: Final = """
DROP TABLE IF EXISTS public.plain;
CREATE TABLE public.plain AS SELECT id, weight, town, hint, seen, NULL::integer AS grams, NULL::text AS town_key, NULL::integer AS shelf
FROM public.parcels;
ALTER TABLE public.plain ADD PRIMARY KEY (id);
"""
_EMPTY: Final = """
BEGIN;
CREATE TEMPORARY TABLE kept AS SELECT id, weight, town, hint, seen FROM public.parcels;
SET LOCAL session_replication_role = replica;
TRUNCATE public.parcels;
INSERT INTO public.parcels (id, weight, town, hint, seen) SELECT * FROM kept;
DROP TABLE kept;
DELETE FROM changeover.chunk;
DELETE FROM changeover.queue;
UPDATE changeover.source SET state = 'copying';
COMMIT;
"""


def world(dsn: str, folder: Path, rows: int, *, reads: bool = True) -> str:
    """The table, and its plan's folder."""
    with connect(dsn) as conn:
        conn.execute(_OLD.format(rows=rows).encode())
    folder = folder / ("parcels" if reads else "parcels_without")
    folder.mkdir(exist_ok=True)
    (folder / "plan.yaml").write_text(_PLAN if reads else _PLAN.replace(_WITHOUT_READS, ""))
    return str(folder)


def writes(ours_dsn: str, plain_dsn: str, count: int, what: str) -> list[Figure]:
    """Statements with the mirror ÷ the same on a twin that has the columns and no mirror."""
    with connect(ours_dsn) as ours, connect(plain_dsn) as plain:
        with_mirror, without = cpu_of([ours, plain], _STATEMENTS, count)
    goal = Goal(1.3)
    return [
        Figure(
            f"in place{what}: {name} ÷ without a mirror",
            with_mirror[name] / without[name],
            "",
            goal,
            f"{with_mirror[name]:.0f} ÷ {without[name]:.0f} µs",
        )
        for name in _STATEMENTS
    ]


def copy(dsn: str, admin: str, plan: str) -> list[Figure]:
    """The copy ÷ one UPDATE: medians of alternating turns."""
    commands.init(dsn)
    commands.start(dsn, plan, until="dual-write", bus=Bus(), operator=worlds.OPERATOR)
    turns: dict[str, list[tuple[float, float]]] = {"plain": [], "1": [], "2": []}
    with connect(admin) as conn:
        row = conn.execute("SELECT id, name, oid::bigint FROM changeover.source").fetchone()
        assert row is not None
        source = SourceRef(*row)
        for _ in range(_ROUNDS):
            conn.execute(_FRESH)
            conn.execute("VACUUM (ANALYZE) public.plain")
            turns["plain"].append(_timed(conn, lambda: conn.execute(_SAME_WORK)))
            for workers in ("1", "2"):
                conn.execute(_EMPTY)
                conn.execute("VACUUM (ANALYZE) public.parcels")
                turns[workers].append(_timed(conn, partial(_copied, dsn, source, int(workers))))
        rows = conn.execute("SELECT count(*), count(grams) FROM public.parcels").fetchone()
    assert rows is not None
    assert rows[0] == rows[1], "a row is left"
    seconds = {name: statistics.median(each[0] for each in found) for name, found in turns.items()}
    wal = {name: statistics.median(each[1] for each in found) for name, found in turns.items()}
    note = f"{wal['1'] / 1e6:.0f} ÷ {wal['plain'] / 1e6:.0f} MB"
    figures = [Figure("in place: WAL of the copy ÷ of one UPDATE", wal["1"] / wal["plain"], "", Goal(1.1), note)]
    for workers in ("1", "2"):
        told = f"{rows[0] / seconds[workers]:,.0f} rows/s, {seconds[workers]:.1f} ÷ {seconds['plain']:.1f} s"
        name = f"in place: seconds of the copy with {workers} worker(s) ÷ of one UPDATE"
        figures.append(Figure(name, seconds[workers] / seconds["plain"], "", None, told))
    return figures


def _copied(dsn: str, source: SourceRef, workers: int) -> None:
    asyncio.run(
        backfill(
            dsn, [source], workers=workers, fence=None, settings=BackfillSettings(), bus=Bus(), stop=asyncio.Event()
        )
    )


def _timed(conn: psycopg.Connection[Any], work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and bytes of WAL."""
    conn.execute("CHECKPOINT")
    before = conn.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    row = conn.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", before).fetchone()
    assert row is not None
    return seconds, float(row[0])
