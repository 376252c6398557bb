"""Shadow reads: ask both sides, answer with the one that counts, compare behind the caller's back.

The flag's stage says who answers: in `shadow` the old side with the new one as candidate, in `live` the reverse, and in
every other stage there is one read and nothing to compare. The caller's own thread makes the read that counts, and its
result or its error is the caller's. The candidate runs in a thread of ours (a task, in async code), and so does the
comparison: whatever the candidate raises or however long it takes is recorded and never reaches the caller. There
are few such threads and a short queue; a read that finds no room is not compared, and counted in `skipped`.

`order` says when the candidate starts: with the read that counts (`parallel`), after it (`serial`, kinder to the
database), or by a coin before or after it (`random`, so that neither side always finds the cache warm). A candidate
that goes first is waited for, but not past the deadline.

What was written between the two reads makes them differ, and is no defect. With `again` a difference counts only when
it is still there after so many further looks at both sides. Those are made off the caller's path, the read that counts
too, so neither may use a connection of the caller's own.

What was seen goes to a recorder, at most `sample` of the reads, with both values: without the fields in `redact`,
and never more than a few kilobytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import random
import threading
import time
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar, cast

from .cache import NOTHING
from .pair import Options, Order, Pair
from .stages import READS, Side, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from typing import Unpack

    from .answers import Answers
    from .recorder import Recorder, Seen
    from .rules import Context

__all__ = ["Options", "Order", "Reader", "Shadow"]

T = TypeVar("T")
_THREADS: Final = 4
_QUEUE: Final = 32
_FIRST_PAUSE_S: Final = 0.1


class Reader(TypedDict, total=False):
    """Who reads: the targeting key and what rules may ask for; and options of this read's own."""

    key: str | None
    context: Context
    options: Options | None


class Shadow:
    """Makes shadow reads of an application."""

    def __init__(self, client: Answers, recorder: Recorder, options: Options | None = None) -> None:
        """`options` are for reads that bring none of their own."""
        self._client = client
        self._recorder = recorder
        self._options = options or Options()
        self._jobs: queue.Queue[Callable[[], None]] = queue.Queue(_QUEUE)
        self._open: set[Pair[Any]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.skipped = 0
        recorder.ticks.append(self._overdue)

    def read(self, flag: str, name: str, *, old: Callable[[], T], new: Callable[[], T], **reader: Unpack[Reader]) -> T:
        """The answer that counts; `name` says which read of the application this is."""
        side, pair = self._begin(flag, name, reader)
        first, second = (old, new) if side is Side.OLD else (new, old)
        if pair is None:
            return first()

        def candidate() -> None:
            pair.due = time.monotonic() + pair.options.deadline
            with self._lock:
                self._open.add(pair)
            pair.candidate.run(second)
            with self._lock:
                self._open.discard(pair)
            if pair.ended():
                judge()

        def judge() -> None:
            seen = pair.judge()
            for pause in _pauses(pair, seen):
                time.sleep(pause)
                later = pair.fresh()
                later.counts.run(first)
                later.candidate.run(second)
                if later.agrees():
                    seen = pair.agreed()
                    break
            self._note(seen)

        order = pair.options.order.thrown()
        asked = order is not Order.SERIAL and self._submit(candidate)
        if order is Order.RANDOM and asked:
            pair.candidate.done.wait(pair.options.deadline)
        pair.counts.run(first)
        if order is Order.SERIAL:
            pair.ended()
            self._submit(candidate)
        elif pair.ended():
            self._submit(judge)
        return cast("T", pair.counts.given())

    async def read_async(
        self,
        flag: str,
        name: str,
        *,
        old: Callable[[], Awaitable[T]],
        new: Callable[[], Awaitable[T]],
        **reader: Unpack[Reader],
    ) -> T:
        """The same in async code."""
        side, pair = self._begin(flag, name, reader)
        first, second = (old, new) if side is Side.OLD else (new, old)
        if pair is None:
            return await first()
        asked, known = asyncio.Event(), asyncio.Event()

        async def candidate() -> None:
            await _within(pair.options.deadline, pair.candidate.run_async(second))
            asked.set()
            await known.wait()
            seen = pair.judge()
            for pause in _pauses(pair, seen):
                await asyncio.sleep(pause)
                later = pair.fresh()
                await _within(pair.options.deadline, later.counts.run_async(first))
                await _within(pair.options.deadline, later.candidate.run_async(second))
                if later.agrees():
                    seen = pair.agreed()
                    break
            self._note(seen)

        order = pair.options.order.thrown()
        started = order is not Order.SERIAL and self._spawn(candidate())
        if order is Order.RANDOM and started:
            await asked.wait()
        try:
            await pair.counts.run_async(first)
        finally:
            known.set()
        if order is Order.SERIAL:
            self._spawn(candidate())
        return cast("T", pair.counts.given())

    async def settled(self) -> None:
        """Wait for the candidates that are under way in this loop (at the end of a process, in tests)."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _begin(self, flag: str, name: str, reader: Reader) -> tuple[Side, Pair[Any] | None]:
        """Whose answer counts, and the pair if both are to be asked."""
        key, context = reader.get("key"), reader.get("context", NOTHING)
        options = reader.get("options") or self._options
        # The version first: what is seen just after a move may count for the version before it, never the reverse.
        version = self._client.cache.version(flag)
        reads = READS[self._client.stage(flag, key, context) or Stage.OFF]
        if reads.compared is None or random.random() >= options.sample:  # noqa: S311 - a sample, no secret
            return Side.NEW if self._client.reads_new(flag, key, context) else Side.OLD, None
        return reads.answer, Pair((flag, version, name, key), reads.answer, options)

    def _note(self, seen: Seen | None) -> None:
        if seen is not None:
            self._recorder.note(seen)

    def _overdue(self) -> None:
        """Candidates that hang: late now, however long they take."""
        now = time.monotonic()
        with self._lock:
            overdue = [pair for pair in self._open if pair.due < now and pair.counts.ms is not None]
            self._open.difference_update(overdue)
        for pair in overdue:
            self._note(pair.judge())

    def _submit(self, job: Callable[[], None]) -> bool:
        """Hand a job to the threads; False if there is no room for it."""
        if len(self._threads) < _THREADS:
            with self._lock:
                if len(self._threads) < _THREADS:
                    # Daemons: a candidate that hangs must not keep the process from ending.
                    thread = threading.Thread(target=self._work, name="changeover-shadow", daemon=True)
                    self._threads.append(thread)
                    thread.start()
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self.skipped += 1
            return False
        return True

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            # Whatever a candidate raises, SystemExit too, the thread is needed for the next one.
            with contextlib.suppress(BaseException):
                job()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> bool:
        if len(self._tasks) >= _QUEUE:
            self.skipped += 1
            work.close()
            return False
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True


def _pauses(pair: Pair[Any], seen: Seen | None) -> Iterator[float]:
    """The waits before each further look at what seems to differ."""
    if seen is not None and seen.kind == "different":
        yield from (_FIRST_PAUSE_S * 2**number for number in range(pair.options.again))


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work
