"""A worker: takes a chunk, walks it batch by batch, and knows what to do when a batch fails.

Each worker has its own connection and its own chunk, so workers share nothing in the database but the fence.
Before each batch it passes the door (`throttle`), lets the caller look for drift (`hook`), gives way to others if it is
told to (`yield_to_app`), and goes through its source's gate. `faults` decides what an error means, and every answer
is bounded: hindered batches are retried smaller and later, a number of times; lost connections are replaced, for a
time; data errors narrow the range down to the page that goes row by row.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from backfill import pacing
from backfill.checkpoint import move
from backfill.errors import BatchError, ChunkMovedError, HeapRewrittenError, hindered
from backfill.faults import Fault, backoff, classify
from orchestrator.kernel.errors import QUERY_CANCELED, RefusedError, sqlstate_of, translate

if TYPE_CHECKING:
    from backfill.chunk import Chunk
    from backfill.drift import Drift
    from backfill.gate import Gates
    from backfill.pages import Chunks
    from backfill.refs import Fence
    from backfill.runtime_settings import RuntimeSettings
    from backfill.session import Session
    from backfill.settings import BackfillSettings
    from backfill.throttle import Throttle
    from backfill.transaction import Preambles
    from backfill.yield_to_app import YieldToApp
    from orchestrator.kernel.clock import Clock
    from orchestrator.kernel.events import Bus

_NEWS_SECONDS: Final = 0.5
_TELLING: Final = 8  # failures in a row: about ten seconds, and more than contention makes


@dataclass(slots=True)
class Counters:
    """What this run (not the ones before it) did."""

    batches: int = 0
    retries: int = 0
    isolated: int = 0
    rows_seen: int = 0
    rows_copied: int = 0
    rows_rejected: int = 0


@dataclass(slots=True)
class WorkerContext:
    """What the workers of a run have in common."""

    runtime: RuntimeSettings
    preambles: Preambles
    fence: Fence | None
    bus: Bus
    clock: Clock
    stop: asyncio.Event
    chunks: Chunks
    throttle: Throttle
    drift: Drift
    gates: Gates
    yield_to_app: YieldToApp
    counters: Counters = field(default_factory=Counters)

    @property
    def settings(self) -> BackfillSettings:
        """The settings as they are now."""
        return self.runtime.settings

    async def rest(self, seconds: float) -> None:
        """Wait, but not past the end of the run."""
        try:
            async with asyncio.timeout(seconds):
                await self.stop.wait()
        except TimeoutError:
            return


class Worker:
    """One of several."""

    def __init__(self, number: int, context: WorkerContext, session: Session) -> None:
        self._number = number
        self._context = context
        self._session = session

    @property
    def pid(self) -> int | None:
        """Our server process."""
        return self._session.pid

    async def run(self) -> None:
        """Work until no pages are left, or until the run ends."""
        context = self._context
        try:
            while context.chunks.open and not context.stop.is_set():
                chunk = await self._find()
                if chunk is None:
                    await context.chunks.changed(_NEWS_SECONDS)
                    continue
                try:
                    await self._walk(chunk)
                finally:
                    context.chunks.release(chunk)
        finally:
            await self._session.close()

    async def _find(self) -> Chunk | None:
        """Take a chunk, or half of another's. Not being let through here is no matter: there is other work soon."""
        chunks = self._context.chunks
        if (chunk := chunks.claim()) is not None:
            return chunk
        try:
            return await chunks.split(await self._session.connection(), self._context.preambles.batch)
        except Exception as exc:
            fault = classify(exc)
            if fault is Fault.LOST:
                self._session.drop()
                await chunks.settle(await self._session.connection())
            elif fault is not Fault.HINDERED:
                raise translate(exc) from exc
            return None

    async def _walk(self, chunk: Chunk) -> None:
        context = self._context
        while not context.stop.is_set():
            await context.throttle.passed(context.stop)
            await context.drift.check(chunk.source)
            if not chunk.open or context.stop.is_set():
                return
            try:
                seconds = 0.0
                if context.settings.give_way is not None:
                    await context.yield_to_app.give_way(await self._session.connection(), context.stop)
                async with context.gates.of(chunk.source.id).shared():
                    if chunk.open:
                        seconds = await self._batch(chunk)
                if context.settings.rest:
                    # A batch that had to wait for a lock must not be rested from for minutes.
                    await context.rest(min(seconds, context.settings.pacing.target_seconds) * context.settings.rest)
            except HeapRewrittenError:
                context.bus.emit("backfill.source.rewritten", source=chunk.source.name)
                await context.drift.replant(chunk, afresh=False)
                return
            except ChunkMovedError:
                await self._reload(chunk)
            except Exception as exc:  # noqa: BLE001 - every error has an answer there, and most are raised again
                await self._answer(chunk, exc)

    async def _batch(self, chunk: Chunk) -> float:
        """Do one batch and count it; the seconds that it took."""
        context = self._context
        upto, verb = chunk.step()
        pages = upto - chunk.next
        chunk.reserved = upto
        conn = await self._session.connection()
        begin = context.preambles.patient if chunk.patient or verb == "isolate" else context.preambles.batch
        started = context.clock.monotonic()
        step = await move(conn, begin, context.fence, chunk, upto, verb)
        seconds = context.clock.monotonic() - started
        if not chunk.narrowing:
            chunk.pace = pacing.after_batch(chunk.pace, context.settings.pacing, pages=pages, seconds=seconds)
        chunk.moved(upto, step.seen, step.copied, step.rejected)
        counters = context.counters
        counters.batches += 1
        counters.isolated += verb == "isolate"
        counters.rows_seen += step.seen
        counters.rows_copied += step.copied
        counters.rows_rejected += step.rejected
        context.bus.emit(
            "backfill.batch",
            source=chunk.source.name,
            worker=self._number,
            chunk=chunk.number,
            verb=verb,
            pages=pages,
            seen=step.seen,
            copied=step.copied,
            rejected=step.rejected,
            seconds=round(seconds, 4),
        )
        return seconds

    async def _answer(self, chunk: Chunk, exc: Exception) -> None:
        """Do what the error asks for, or raise it as one of ours."""
        context, (upto, verb) = self._context, chunk.step()
        fault, state = classify(exc), sqlstate_of(exc)
        if fault is Fault.FATAL:
            raise translate(exc) from exc
        if fault is Fault.DATA and verb == "isolate":
            raise BatchError(chunk.source.name, chunk.next, translate(exc)) from exc
        context.counters.retries += 1
        context.bus.emit(
            "backfill.retry",
            source=chunk.source.name,
            chunk=chunk.number,
            page=chunk.next,
            fault=fault.value,
            sqlstate=state,
        )
        if fault is Fault.DATA:
            chunk.narrow(min(upto, chunk.reserved))
            return
        chunk.hindered += 1
        if chunk.hindered > context.settings.attempts:
            raise hindered(f"A batch of {chunk.source.name}", chunk.hindered, state, str(exc)) from exc
        if chunk.hindered % _TELLING == 0:
            context.bus.emit("backfill.hindered", source=chunk.source.name, times=chunk.hindered, why=str(exc))
        if fault is Fault.LOST:
            self._session.drop()
            await self._reload(chunk)
            return
        # Nothing is smaller than the smallest batch: if it is time that it lacks, give it time.
        chunk.patient = state == QUERY_CANCELED and upto - chunk.next <= context.settings.pacing.floor_pages
        chunk.pace = pacing.after_hindrance(chunk.pace, context.settings.pacing)
        await context.rest(backoff(chunk.hindered))

    async def _reload(self, chunk: Chunk) -> None:
        """Ask the ledger where the chunk stands."""
        if chunk.dead:
            return
        try:
            conn = await self._session.connection()
            await self._context.chunks.settle(conn)
            found = await self._context.chunks.reload(conn, chunk)
        except Exception as exc:
            if classify(exc) is not Fault.LOST:
                raise translate(exc) from exc
            return  # the next batch is lost as well, and is counted
        if not found and not chunk.dead:
            raise RefusedError(
                f"Chunk {chunk.number} of {chunk.source.name} has been removed by somebody else.",
                kept="Everything up to the last committed batch is kept.",
                todo="Run the same command again.",
            )
