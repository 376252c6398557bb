"""What a copy costs the applications, and what consideration costs the copy. `python -m tests.bench.considerate`.

The simulated application of the demo works at a set rate the whole time: by turns alone (the mirrors are on) and beside
a copy of one worker that is told to be considerate (short batches, rests, and it gives way), at last beside one that is
not. Told are the p99 of its requests as multiples of the quiet one (aim: at most 1.5 with the considerate copy), and how
many rows a second each copy does.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backfill.engine import backfill
from backfill.pacing import PacingSettings
from backfill.runtime_settings import RuntimeSettings
from backfill.settings import BackfillSettings
from orchestrator.demo.application.process import Application
from orchestrator.demo.server import EmbeddedServer
from orchestrator.kernel.connections import connect
from orchestrator.kernel.events import Bus
from tests.bench.main_road import SERVER, Bench

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backfill.refs import SourceRef
    from orchestrator.demo.application.record import Request

# `--workers 1`, and `changeover throttle set cqms target_ms=20 ceiling_pages=64 rest=4 give_way=0`
CONSIDERATE = BackfillSettings(
    pacing=PacingSettings(target_seconds=0.02, first_pages=4, ceiling_pages=64), rest=4.0, give_way=0
)
AIM = 1.5


def percentile(requests: Iterable[Request], phase: str, percent: int = 99) -> float:
    """Milliseconds that so many percent of the phase's requests stayed below."""
    taken = [r.milliseconds for r in requests if r.phase == phase and r.error is None]
    return statistics.quantiles(taken, n=100)[percent - 1]


class Copy:
    """The backfill in a thread, held and throttled from here."""

    def __init__(self, dsn: str, sources: Sequence[SourceRef]) -> None:
        self.runtime = RuntimeSettings(CONSIDERATE)
        self._dsn = dsn
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(dsn, sources)))

    async def _run(self, dsn: str, sources: Sequence[SourceRef]) -> None:
        await backfill(
            dsn,
            sources,
            workers=1,
            fence=None,
            settings=self.runtime.settings,
            bus=Bus(),
            stop=asyncio.Event(),
            runtime=self.runtime,
        )

    def start(self) -> None:
        """Begin, considerately."""
        self._thread.start()

    def rows(self) -> int:
        """Rows seen so far."""
        with connect(self._dsn) as conn:
            row = conn.execute("SELECT coalesce(sum(rows_seen), 0) FROM changeover.chunk").fetchone()
        return int(row[0]) if row else 0

    def rate(self, seconds: float) -> float:
        """Rows per second over the next so many seconds, or until it is done."""
        before, begun = self.rows(), time.monotonic()
        self._thread.join(seconds)
        return (self.rows() - before) / (time.monotonic() - begun)

    def alive(self) -> bool:
        """Whether it still copies."""
        return self._thread.is_alive()

    def hold(self, *, still: bool) -> None:
        """Stand still, or go on."""
        self.runtime.held = "quiet" if still else None

    def hurry(self) -> None:
        """As it is when nobody says anything."""
        self.runtime.settings = replace(BackfillSettings(), limits={})

    def end(self) -> None:
        """Wait for the end."""
        self._thread.join()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=600_000)
    parser.add_argument(
        "--seconds", type=float, default=12.0, help="how long each quiet and each considerate turn lasts"
    )
    parser.add_argument("--turns", type=int, default=8, help="how often they alternate")
    parser.add_argument("--rate", type=float, default=40.0, help="requests per second")
    options = parser.parse_args()
    with EmbeddedServer(SERVER) as server, tempfile.TemporaryDirectory() as folder:
        server.create_database("bench")
        bench = Bench(server.owner_dsn("bench"), options.audits, 8, server.application)
        copy = Copy(bench.dsn, bench.sources)
        application = Application(server.app_dsn("bench"), Path(folder), rate=options.rate)
        with application:
            application.phase("warm")
            copy.start()  # the first write of each connection plans its mirror, and the server's caches fill
            time.sleep(2 * options.seconds)
            slow = []
            for _ in range(options.turns):
                copy.hold(still=True)
                application.phase("quiet")
                time.sleep(options.seconds)
                copy.hold(still=False)
                application.phase("considerate")
                slow.append(copy.rate(options.seconds))
                if not copy.alive():
                    raise SystemExit("The copy was over before its last turn: give more --audits, or fewer --turns.")
            application.phase("in a hurry")
            copy.hurry()
            fast = copy.rate(600)
            copy.end()
        requests = list(application.requests())
    quiet = percentile(requests, "quiet")
    for phase, rate in (("considerate", statistics.mean(slow)), ("in a hurry", fast)):
        times = percentile(requests, phase) / quiet
        aim = f" (aim: at most {AIM})" if phase == "considerate" else ""
        print(f"copy {phase}: p99 {times:.2f} times the quiet {quiet:.1f} ms{aim}, {rate:,.0f} rows/s")  # noqa: T201
    print(f"consideration costs the copy {1 - statistics.mean(slow) / fast:.0%} of its speed")  # noqa: T201


if __name__ == "__main__":
    main()
