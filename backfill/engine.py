"""The copy: chunks, workers, and the tasks that look after them.

Everything is one process with one event loop. The workers do nothing but wait for the server, so one thread
serves them all; beside them run the drain, the throttle and the progress report. The first error of any of
them sets the run's stop; so does the caller's. Then each worker ends its batch and goes: an error costs at most
one batch per worker, and what is committed is where the next run goes on.

The copy is done when no chunk has pages left, the caller (asked once more) knows of no new source, and no
queue that stood when the last page was copied is left.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from backfill.compose import load
from backfill.drain import Drainer
from backfill.drift import Drift
from backfill.gate import Gates
from backfill.pages import Chunks
from backfill.progress import Meter, announce, report
from backfill.retry import persistent
from backfill.runtime_settings import RuntimeSettings
from backfill.session import Session
from backfill.throttle import Throttle
from backfill.transaction import fenced, preambles
from backfill.worker import Worker, WorkerContext
from backfill.yield_to_app import YieldToApp
from orchestrator.kernel.clock import SystemClock
from orchestrator.kernel.errors import translate
from orchestrator.kernel.failpoints import declare, failpoint

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    import asyncpg

    from backfill.refs import BeforeBatch, Fence, SourceRef
    from backfill.settings import BackfillSettings
    from orchestrator.kernel.events import Bus

_ALL_MOVED: Final = declare("backfill.pages.done", "every page is copied, queue may wait")
_MARKING: Final = declare("backfill.source.marking", "a source is marked as copied, not committed")
_MARKED: Final = declare("backfill.source.marked", "a source's mark as copied is committed")


@dataclass(frozen=True, slots=True)
class BackfillResult:
    """What there is now (over all runs), and what this run did."""

    sources: int
    pages: int
    rows_seen: int
    rows_copied: int
    rows_rejected: int
    batches: int
    retries: int
    isolated_pages: int
    drained: int
    pending: int
    """Queue that came after the last page was copied."""
    seconds: float
    paused_seconds: float
    complete: bool
    """False when it was stopped before the end."""


async def backfill(  # noqa: PLR0913 - keyword-only settings, and what is to be copied
    dsn: str,
    sources: Sequence[SourceRef],
    *,
    workers: int,
    fence: Fence | None,
    settings: BackfillSettings,
    bus: Bus,
    stop: asyncio.Event,
    before_batch: BeforeBatch | None = None,
    runtime: RuntimeSettings | None = None,
) -> BackfillResult:
    """Copy what is left to copy of these sources, and settle their queue.

    With `runtime`, its settings are what counts, and some of them may change on the way.
    """
    run = _Run(dsn, workers, fence, runtime or RuntimeSettings(settings), bus)
    follow = asyncio.create_task(run.follow(stop))
    try:
        return await run.go(sources, before_batch)
    finally:
        follow.cancel()
        await run.close()


class _Run:
    """One call of `backfill`."""

    def __init__(self, dsn: str, workers: int, fence: Fence | None, runtime: RuntimeSettings, bus: Bus) -> None:
        self._dsn = dsn
        self._count = max(1, workers)
        self._fence = fence
        self._runtime = runtime
        self._settings = settings = runtime.settings
        self._bus = bus
        self._clock = SystemClock()
        self._stop = asyncio.Event()
        self._failure: Exception | None = None
        self._workers: list[Worker] = []
        self._gates = Gates()
        self._chunks = Chunks(fence, bus, self._gates, settings.pacing, settings.smallest_chunk_pages)
        self._control, self._draining, self._probing = (self._session(each) for each in ("backfill", "drain", "probe"))

    def _session(self, role: str) -> Session:
        return Session(self._dsn, role, self._bus, reconnect_seconds=self._settings.reconnect, fence=self._fence)

    async def follow(self, stop: asyncio.Event) -> None:
        """Take the caller's request to stop for ours."""
        await stop.wait()
        self._stop.set()

    async def close(self) -> None:
        """End the connections."""
        for session in (self._control, self._draining, self._probing):
            await session.close()

    async def go(self, sources: Sequence[SourceRef], before_batch: BeforeBatch | None) -> BackfillResult:
        """Copy, drain, mark."""
        started, settings = self._clock.monotonic(), self._settings
        texts = await preambles(
            await self._control.connection(),
            lock_timeout_ms=settings.lock_timeout_ms,
            synchronous_commit=settings.synchronous_commit,
        )
        drift = Drift(self._chunks, self._control, texts, self._gates, settings, self._clock, self._bus, before_batch)
        throttle = Throttle(self._runtime, self._bus, self._clock)
        drainer = Drainer(self._draining, texts, self._fence, settings, self._bus, self._gates, notes=False)
        context = WorkerContext(
            *(self._runtime, texts, self._fence, self._bus, self._clock, self._stop),
            *(self._chunks, throttle, drift, self._gates),
            YieldToApp(self._runtime, self._pids, self._bus, self._clock),
        )
        for source in sources:
            await drift.plant(source)
        beside = [
            asyncio.create_task(self._guard(each))
            for each in (
                drainer.run(lambda: self._chunks.sources),
                throttle.run(self._probing, self._pids, lambda: [each.oid for each in self._chunks.sources]),
                report(self._bus, self._clock, self._chunks.position, "backfill.progress"),
            )
        ]
        try:
            await self._copy(context, drift)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        pending = await self._finish(drainer, texts.batch)
        position, counters = self._chunks.position(), context.counters
        announce(self._bus, "backfill.progress", Meter().mark(self._clock.monotonic(), position))
        return BackfillResult(
            sources=len(self._chunks.sources),
            pages=position.pages_done,
            rows_seen=position.rows_seen,
            rows_copied=position.rows_copied,
            rows_rejected=position.rows_rejected,
            batches=counters.batches,
            retries=counters.retries,
            isolated_pages=counters.isolated,
            drained=drainer.drained,
            pending=pending,
            seconds=self._clock.monotonic() - started,
            paused_seconds=throttle.paused_seconds,
            complete=not self._stop.is_set(),
        )

    async def _copy(self, context: WorkerContext, drift: Drift) -> None:
        """Let workers work until there is nothing left, not even after asking once more."""
        while True:
            self._workers = [Worker(number, context, self._session("rows")) for number in range(self._count)]
            await asyncio.gather(*(self._guard(worker.run()) for worker in self._workers))
            if self._failure is not None:
                raise translate(self._failure) from self._failure
            if self._stop.is_set():
                return
            await drift.check_again()
            if not self._chunks.open:
                failpoint(_ALL_MOVED)
                return

    async def _guard(self, work: Coroutine[None, None, None]) -> None:
        """Keep the first failure and let the others end in order."""
        try:
            await work
        except Exception as exc:  # noqa: BLE001 - raised again when all have ended
            if self._failure is None:
                self._failure = exc
            self._stop.set()

    def _pids(self) -> list[int]:
        """Our server processes: what probes leave out, or look behind."""
        sessions = (self._control, self._draining, self._probing)
        pids = [*(each.pid for each in sessions), *(each.pid for each in self._workers)]
        return [pid for pid in pids if pid is not None]

    async def _finish(self, drainer: Drainer, begin: str) -> int:
        """Drain the queue, then mark the sources."""
        if self._stop.is_set():
            return 0
        pending = await drainer.until_empty(self._chunks.sources, self._stop)
        for source in [] if self._stop.is_set() else self._chunks.sources:
            await self._mark(source, begin)
        return pending

    async def _mark(self, source: SourceRef, begin: str) -> None:
        async def mark(conn: asyncpg.Connection) -> None:
            async with fenced(conn, begin, self._fence):
                await conn.execute(load("source_copied.sql"), source.id)
                failpoint(_MARKING)
            failpoint(_MARKED)

        await persistent(self._control, mark, subject=f"Marking {source.name}", attempts=self._settings.attempts)
        self._bus.emit("backfill.source.copied", source=source.name)
