"""What the charts show: a sample every few seconds of what is measured, for the last hours, in memory only.

A sample has the rows that each plan's job reads in a second, the keys in its queue, the lag of the replica that is
furthest behind, the milliseconds of the application's own probes (`throttle set --canary`, `--http-probe`) as the job
measures them. While the database cannot be asked there are gaps.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool

from orchestrator.engine.session import open_ledger
from orchestrator.jobs.reading import Reader
from orchestrator.ledger import control

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from orchestrator.ledger.control import Control
    from orchestrator.observability.state import Row

EVERY_S: Final = 3.0
_KEPT: Final = 2400


@dataclass(frozen=True)
class Sample:
    """One moment. None and absent names are what could not be read."""

    at: float
    rows_per_second: dict[str, float] = field(default_factory=dict)
    queue: dict[str, float] = field(default_factory=dict)
    latency_ms: dict[tuple[str, str], float] = field(default_factory=dict)
    """By plan and probe."""
    replica_lag_s: float | None = None
    read: bool = True


def sample(at: float, rows: Iterable[Row], controls: Sequence[Control]) -> Sample:
    """A sample of what `jobs.reading` and the ledger's control rows say."""
    queue: dict[str, float] = {}
    lag, held, visible = None, set(), True
    for name, labels, value in rows:
        match name:
            case "queue_waiting":
                queue[labels[0]] = queue.get(labels[0], 0.0) + value
            case "replication_lag_seconds":
                lag = value
            case "replication_lag_readable":
                visible = bool(value)
            case "lease_held" if value:
                held.add(labels[0])
    answers = {each.plan: each.answer for each in controls if each.plan in held}
    rates = {plan: float((said.get("progress") or {}).get("rows_per_second") or 0.0) for plan, said in answers.items()}
    return Sample(at, rates, queue, _latencies(answers), lag if visible else None)


def _latencies(answers: dict[str, dict[str, Any]]) -> dict[tuple[str, str], float]:
    found = {}
    for plan, said in answers.items():
        asked = (said.get("settings") or {}).get("probes") or {}
        for name, reading in (said.get("probes") or {}).items():
            if asked.get(name, {}).get("unit") == "ms" and reading.get("value") is not None:
                found[plan, name] = float(reading["value"])
    return found


class Samples:
    """Takes them while the server runs."""

    def __init__(self, dsn: str, *, every_s: float = EVERY_S, clock: Callable[[], float] = time.time) -> None:
        """Connect at the first one."""
        self._dsn = dsn
        self._every_s = every_s
        self._clock = clock
        self._reader = Reader(dsn)
        self.kept: deque[Sample] = deque(maxlen=_KEPT)
        self.trouble: str | None = "the ledger was not read yet"
        """Why the last one could not be taken; None if it was."""

    @asynccontextmanager
    async def taking(self) -> AsyncIterator[None]:
        """Take them for the time of the block."""
        task = asyncio.create_task(self._take(), name="changeover-samples")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._reader.close()

    async def _take(self) -> None:
        while True:
            try:
                self.kept.append(await run_in_threadpool(self._one))
                self.trouble = None
            except Exception as exc:  # noqa: BLE001 - whatever ails the database is a gap in the charts
                self.kept.append(Sample(self._clock(), read=False))
                self.trouble = f"the ledger cannot be read ({type(exc).__name__})"
            await asyncio.sleep(self._every_s)

    def _one(self) -> Sample:
        rows = self._reader()
        with open_ledger(self._dsn, "page") as ledger:
            controls = control.every(ledger)
        return sample(self._clock(), rows, controls)
