"""The figures of the main road, as ratios within one run: `make bench`.

The yardstick is one `INSERT … SELECT` for each table, all its rows at once: the mapping's own SELECT into the same
target with the same triggers, without rejects, checkpoints or anything else around it. Ours and the yardstick
alternate, and the medians are compared. What two workers can reach on this machine is told by the same yardstick, given
to two sessions side by side. The legacy tables are vacuumed before, and autovacuum is off: what one turn leaves to it
would be done during the next, and fall on the other side of the ratio. Absolute times are printed for the reader's
eyes only: machines are noisy.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from psycopg import sql
from rich.console import Console
from rich.table import Table

from backfill.compare import compare
from backfill.engine import backfill
from backfill.refs import MappingRef, SourceRef
from backfill.settings import BackfillSettings
from orchestrator.demo.legacy import generate, grant_application
from orchestrator.demo.server import EmbeddedServer
from orchestrator.engine import commands
from orchestrator.kernel.connections import connect
from orchestrator.kernel.events import Bus
from orchestrator.mapping.relations import call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

SERVER = {"shared_buffers": "1GB", "max_wal_size": "16GB", "checkpoint_timeout": "30min", "wal_buffers": "64MB"}
END = 4_000_000_000
TARGETS = ("audits", "audit_errors")
_INSERT = re.compile(
    r"(?P<insert>INSERT INTO .*?) +WHERE CASE\s+WHEN d.\"#reason\" IS NULL.*?END\s+(?P<conflict>ON CONFLICT.*?DO NOTHING)",
    re.DOTALL,
)
_SETTINGS = (
    "SET changeover.origin = 'audits:f'; SET jit = off; SET timezone = 'UTC'; SET search_path = public, changeover"
)
_CONDITION = 'WHERE d."#reason" IS NULL AND NOT d."#unresolved" '


class Bench:
    """One database, migrated up to the mirrors of the audits stage."""

    def __init__(self, dsn: str, audits: int, tables: int, application: str | None = None) -> None:
        """Build the legacy system and everything before the copy that is measured; `application` is a role to let in."""
        self.dsn, self.audits = dsn, audits
        generate(dsn, audits=audits, tables=tables, seed=1)
        with connect(dsn) as conn:
            conn.execute("VACUUM (ANALYZE)")  # as a live database has been; or the first to read it sets the hint bits
        if application is not None:
            grant_application(dsn, application)
        commands.init(dsn)
        for stage, until in (("foundation", "verify"), ("audits", "dual-write")):
            commands.start(dsn, "cqms", stage=stage, until=until, bus=Bus(), operator="bench")
        self.conn: psycopg.Connection[Any] = connect(dsn)
        self.sources, number = self._of_mapping("audits")
        self.mapping = MappingRef(number, "public", "audits")

    def _of_mapping(self, name: str) -> tuple[list[SourceRef], int]:
        rows = self.conn.execute(
            "SELECT s.id, s.name, s.oid::bigint, m.id FROM changeover.source s "
            "JOIN changeover.mapping m ON m.id = s.mapping_id WHERE m.name = %s ORDER BY s.ordinal",
            (name,),
        ).fetchall()
        return [SourceRef(r[0], r[1], r[2]) for r in rows], rows[0][3]

    def empty(self) -> None:
        """Take the copied rows out again."""
        ids = [s.id for s in self.sources]
        with self.conn.transaction():  # under a name of its own, or every old row would be taken for deleted
            self.conn.execute("SELECT set_config('changeover.origin', 'bench', true)")
            self.conn.execute(
                sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(sql.Identifier("public", t) for t in TARGETS))
            )
        for table in ("chunk", "reject", "queue"):
            name = sql.Identifier("changeover", table)
            self.conn.execute(sql.SQL("DELETE FROM {} WHERE source_id = ANY (%s)").format(name), (ids,))
        self.conn.execute("UPDATE changeover.source SET state = 'copying' WHERE id = ANY (%s)", (ids,))
        self.conn.execute("CHECKPOINT") if self._may_checkpoint() else None

    def _may_checkpoint(self) -> bool:
        row = self.conn.execute("SELECT pg_has_role('pg_checkpoint', 'USAGE')").fetchone()
        return bool(row and row[0])

    def timed(self, work: Callable[[], object]) -> tuple[float, int]:
        """Seconds and bytes of WAL."""
        before = self._lsn()
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun, self._lsn() - before

    def _lsn(self) -> int:
        row = self.conn.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
        return int(row[0]) if row else 0

    def yardstick(self) -> None:
        """One statement for each table."""
        with connect(self.dsn) as conn:
            self._insert_select(conn, self.sources, lambda _: (0, END))

    def side_by_side(self) -> None:
        """The same in two sessions, each with half of every table, in opposite order."""
        with ThreadPoolExecutor(2) as pool, connect(self.dsn) as one, connect(self.dsn) as other:
            halves = [
                pool.submit(self._insert_select, one, self.sources, lambda middle: (0, middle)),
                pool.submit(self._insert_select, other, self.sources[::-1], lambda middle: (middle, END)),
            ]
            for half in halves:
                half.result()

    def _insert_select(
        self,
        conn: psycopg.Connection[Any],
        sources: Sequence[SourceRef],
        pages: Callable[[int], tuple[int, int]],
    ) -> None:
        """The INSERT … SELECT out of each table's batch function, with its condition and nothing else."""
        conn.execute(_SETTINGS)
        for source in sources:
            row = conn.execute(
                "SELECT prosrc, pg_relation_size(%s::oid) / 8192 / 2 FROM pg_proc WHERE proname = %s",
                (source.oid, f"m{source.id}_batch"),
            ).fetchone()
            assert row is not None
            found = _INSERT.search(row[0])
            assert found is not None, "the batch function has another shape now"
            low, high = pages(int(row[1]))
            text = found["insert"] + _CONDITION + found["conflict"]
            listed = '"#places" IS NOT NULL AND x.ctid = ANY ("#places")'
            of_range = f"x.ctid >= '({low},0)' AND x.ctid < '({high},0)'"
            ways = f"m{source.id}_new_rows"
            called = call(f"m{source.id}", "new_rows", 'NULL, "#places"')
            body = conn.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", (ways,)).fetchone()
            assert body is not None
            assert called in text, "the batch function has another shape now"
            assert listed in body[0], "the new rows are read in another way now"
            pasted = body[0].replace(listed, of_range).replace('"#keys"', "NULL::text[]")
            conn.execute(text.replace(called, pasted).encode())

    def ours(self, workers: int, sources: Sequence[SourceRef] | None = None) -> None:
        """The backfill engine."""
        asyncio.run(
            backfill(
                self.dsn,
                self.sources if sources is None else sources,
                workers=workers,
                fence=None,
                settings=BackfillSettings(),
                bus=Bus(),
                stop=asyncio.Event(),
            )
        )

    def verified(self) -> float:
        """Seconds of a comparison of everything, with one worker, after what the backfill phase ends with."""
        for target in TARGETS:
            self.conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("public", target)))
        row = self.conn.execute(
            "INSERT INTO changeover.verification (plan, stage, checksum) "
            "VALUES ('cqms', 'audits', 'bench') RETURNING id"
        ).fetchone()
        number = int(row[0]) if row else 0
        begun = time.perf_counter()
        asyncio.run(
            compare(
                self.dsn,
                number,
                self.sources,
                [self.mapping],
                workers=1,
                repair=False,
                bus=Bus(),
                stop=asyncio.Event(),
            )
        )
        return time.perf_counter() - begun

    def writes(self, rounds: int) -> float:
        """Median of a committed insert with both mirrors, everything copied, divided by that into a twin without any."""
        self.ours(2, self._of_mapping("audit_errors")[0])
        self.conn.execute("DROP TABLE IF EXISTS public.bench_twin")
        self.conn.execute("CREATE TABLE public.bench_twin (LIKE public.email_audit INCLUDING ALL)")
        times: dict[str, list[float]] = {"email_audit": [], "bench_twin": []}
        for _ in range(rounds):
            for table, taken in times.items():
                insert = sql.SQL(
                    "INSERT INTO {} (employee_email, auditor_email, interaction_date, average_score, passing_status) "
                    "VALUES ('bench@express.example', 'auditor@express.example', '2026-01-01', 77, 'pass')"
                ).format(sql.Identifier("public", table))
                begun = time.perf_counter()
                self.conn.execute(insert)
                taken.append(time.perf_counter() - begun)
        warm = rounds // 10
        return statistics.median(times["email_audit"][warm:]) / statistics.median(times["bench_twin"][warm:])


def measure(dsn: str, audits: int, tables: int, rounds: int) -> dict[str, float]:
    """Every figure of one size."""
    bench = Bench(dsn, audits, tables)
    works: dict[str, Callable[[], None]] = {
        "yardstick": bench.yardstick,
        "1": lambda: bench.ours(1),
        "side by side": bench.side_by_side,
        "2": lambda: bench.ours(2),
    }
    taken: dict[str, list[tuple[float, int]]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            bench.empty()
            taken[name].append(bench.timed(work))
    seconds = {name: statistics.median(s for s, _ in runs) for name, runs in taken.items()}
    wal = {name: statistics.median(w for _, w in runs) for name, runs in taken.items()}
    return {
        "copy, 1 worker: speed / one INSERT … SELECT": seconds["yardstick"] / seconds["1"],
        "copy, 2 workers: speed / one INSERT … SELECT": seconds["yardstick"] / seconds["2"],
        "two INSERT … SELECT side by side / one": seconds["yardstick"] / seconds["side by side"],
        "copy, 2 workers: speed / two INSERT … SELECT side by side": seconds["side by side"] / seconds["2"],
        "WAL / one INSERT … SELECT": wal["1"] / wal["yardstick"],
        "verify seconds / copy seconds": bench.verified() / seconds["1"],
        "insert with the mirror / without": bench.writes(300),
        "rows per second (1 worker)": audits / seconds["1"],
    }


def speed(dsn: str, audits: int, tables: int) -> float:
    """Rows per second of one worker, of a copy made once."""
    bench = Bench(dsn, audits, tables)
    bench.empty()
    return audits / bench.timed(lambda: bench.ours(1))[0]


AIMS = {
    "copy, 1 worker: speed / one INSERT … SELECT": ("≥", 0.95),
    "copy, 2 workers: speed / one INSERT … SELECT": ("≥", 1.8),
    "WAL / one INSERT … SELECT": ("≤", 1.05),
    "verify seconds / copy seconds": ("≤", 0.5),
    "rows per second, ten times the rows / a tenth": ("≥", 0.95),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=1_000_000)
    parser.add_argument("--tables", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", action="store_true", help="also at a fifth and at twice the size: rows/s")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with EmbeddedServer(SERVER | {"autovacuum": "off"}) as server:
        server.create_database("bench")
        figures = measure(server.owner_dsn("bench"), options.audits, options.tables, options.rounds)
        if options.scale:
            speeds = []
            for name, audits in (("small", options.audits // 5), ("large", options.audits * 2)):
                server.create_database(name)
                speeds.append(speed(server.owner_dsn(name), audits, options.tables))
            figures["rows per second, ten times the rows / a tenth"] = speeds[1] / speeds[0]
    if options.json:
        print(json.dumps({"audits": options.audits, **figures}, indent=1))  # noqa: T201 - this is the command's output
        return
    table = Table("figure", "measured", "aim", "met", title=f"{options.audits:,} audits in {options.tables} tables")
    for name, value in figures.items():
        sign, aim = AIMS.get(name, ("", 0.0))
        met = "" if not sign else "yes" if (value >= aim) == (sign == "≥") or value == aim else "no"
        table.add_row(name, f"{value:,.2f}", f"{sign} {aim}" if sign else "", met)
    Console().print(table)


if __name__ == "__main__":
    main()
