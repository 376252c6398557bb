"""Shadow reads: ask both sides, answer with the one that counts, compare behind the caller's back.

The flag's stage says who answers: in `shadow` the old side with the new one as candidate, in `live` the reverse, and in
every other stage there is one read and nothing to compare. The caller's own thread makes the read that counts, and its
result or its error is the caller's. The candidate runs in a thread of ours (a task, in async code), and so does the
comparison: whatever the candidate raises or however long it takes is recorded and never reaches the caller. There
are few such threads and a short queue; a read that finds no room is not compared, and counted in `skipped`.

`order` says when the candidate starts: with the read that counts (`parallel`), after it (`serial`, kinder to the
database), or by a coin before or after it (`random`, so that neither side always finds the cache warm). A candidate
that goes first is waited for, but not past the deadline.

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
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from flags.cache import NOTHING
from flags.comparison import Comparator, bounded, differing
from flags.recorder import Seen
from flags.stages import READS, Side, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from flags.client import AsyncFlagClient
    from flags.recorder import Recorder
    from flags.rules import Context
    from flags.sync_client import FlagClient

T = TypeVar("T")
_THREADS: Final = 4
_QUEUE: Final = 32


class Order(StrEnum):
    """When the candidate starts."""

    PARALLEL = "parallel"
    SERIAL = "serial"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Options:
    """How a read is shadowed and compared."""

    order: Order = Order.PARALLEL
    deadline: float = 1.0
    sample: float = 1.0
    ignore: frozenset[str] = frozenset()
    redact: frozenset[str] = frozenset()
    ordered: bool = False
    equal: Comparator | None = None


class _Side(Generic[T]):
    """What one side answered."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.error: Exception | None = None
        self.ms: float | None = None
        """None as long as it has not ended."""
        self.done = threading.Event()

    def run(self, read: Callable[[], T]) -> None:
        begun = time.perf_counter()
        try:
            self.value = read()
        except Exception as exc:  # noqa: BLE001 - raised again by `answer` where it is the caller's
            self.error = exc
        self._end(begun)

    async def run_async(self, read: Callable[[], Awaitable[T]]) -> None:
        begun = time.perf_counter()
        try:
            self.value = await read()
        except Exception as exc:  # noqa: BLE001 - as above
            self.error = exc
        self._end(begun)

    def answer(self) -> T:
        if self.error is not None:
            raise self.error
        return cast("T", self.value)

    def _end(self, begun: float) -> None:
        self.ms = (time.perf_counter() - begun) * 1000
        self.done.set()


class _Pair(Generic[T]):
    """Both sides of one read, judged once, when both have ended or the candidate is over its deadline."""

    def __init__(self, about: tuple[str, int, str, str | None], answering: Side, options: Options) -> None:
        self.about, self.answering, self.options = about, answering, options
        self.counts, self.candidate = _Side[T](), _Side[T]()
        self.due = time.monotonic() + options.deadline
        self._left = 2
        self._judged = False
        self._lock = threading.Lock()

    def ended(self) -> bool:
        """Count a side that has ended; True for the second one."""
        with self._lock:
            self._left -= 1
            return self._left == 0

    def judge(self) -> Seen | None:
        """What was seen; None if it has been judged already or the caller went away."""
        with self._lock:
            if self._judged or self.counts.ms is None:
                return None
            self._judged = True
        try:
            return self._seen()
        except Exception as exc:  # noqa: BLE001 - the application's comparator, or a value that cannot be shown
            flag, version, name, key = self.about
            return Seen(flag, version, name, key, "error", ["comparison"], None, repr(exc)[:500])

    def _seen(self) -> Seen:
        old, new = (self.counts, self.candidate) if self.answering is Side.OLD else (self.candidate, self.counts)
        given = self.options
        kind, fields = None, list[str]()
        if self.candidate.ms is None or self.candidate.ms > given.deadline * 1000:
            # Of the side that is on its way out lateness says nothing.
            kind = "late" if self.candidate is new else None
        elif new.error is not None:
            kind = "error" if old.error is None else None
        elif old.error is not None:
            kind, fields = ("different", ["error"]) if self.answering is Side.OLD else (None, [])
        elif given.equal is not None:
            kind = None if given.equal(old.value, new.value) else "different"
        else:
            fields = differing(old.value, new.value, ignore=given.ignore, ordered=given.ordered)
            kind = "different" if fields else None
        if kind is None:
            return Seen(*self.about, None, old_ms=old.ms, new_ms=new.ms)
        return Seen(*self.about, kind, fields, _shown(old, given), _shown(new, given), old.ms, new.ms)


def _shown(side: _Side[Any], options: Options) -> Any:
    if side.error is not None:
        # The words of an error may quote a row.
        return {"error": type(side.error).__name__ if options.redact else repr(side.error)[:500]}
    return bounded(side.value, options.redact)


class Shadow:
    """Makes shadow reads of an application."""

    def __init__(
        self, client: FlagClient | AsyncFlagClient, recorder: Recorder, options: Options | None = None
    ) -> None:
        """`options` are for reads that bring none of their own."""
        self._client = client
        self._recorder = recorder
        self._options = options or Options()
        self._jobs: queue.Queue[Callable[[], None]] = queue.Queue(_QUEUE)
        self._open: set[_Pair[Any]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.skipped = 0
        recorder.ticks.append(self._overdue)

    def read(
        self,
        flag: str,
        name: str,
        *,
        old: Callable[[], T],
        new: Callable[[], T],
        key: str | None = None,
        context: Context = NOTHING,
        options: Options | None = None,
    ) -> T:
        """The answer that counts; `name` says which read of the application this is."""
        side, pair = self._begin(flag, name, key, context, options or self._options)
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
                self._note(pair)

        order = _order(pair.options)
        if order is not Order.SERIAL:
            self._submit(candidate)
        if order is Order.RANDOM:
            pair.candidate.done.wait(pair.options.deadline)
        pair.counts.run(first)
        if order is Order.SERIAL:
            pair.ended()
            self._submit(candidate)
        elif pair.ended():
            self._submit(lambda: self._note(pair))
        return cast("T", pair.counts.answer())

    async def read_async(
        self,
        flag: str,
        name: str,
        *,
        old: Callable[[], Awaitable[T]],
        new: Callable[[], Awaitable[T]],
        key: str | None = None,
        context: Context = NOTHING,
        options: Options | None = None,
    ) -> T:
        """The same in async code."""
        side, pair = self._begin(flag, name, key, context, options or self._options)
        first, second = (old, new) if side is Side.OLD else (new, old)
        if pair is None:
            return await first()
        asked, known = asyncio.Event(), asyncio.Event()

        async def candidate() -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pair.options.deadline):
                    await pair.candidate.run_async(second)
            asked.set()
            await known.wait()
            self._note(pair)

        order = _order(pair.options)
        if order is not Order.SERIAL:
            self._spawn(candidate())
        if order is Order.RANDOM:
            await asked.wait()
        try:
            await pair.counts.run_async(first)
        finally:
            known.set()
        if order is Order.SERIAL:
            self._spawn(candidate())
        return cast("T", pair.counts.answer())

    async def settled(self) -> None:
        """Wait for the candidates that are under way in this loop (at the end of a process, in tests)."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _begin(
        self, flag: str, name: str, key: str | None, context: Context, options: Options
    ) -> tuple[Side, _Pair[Any] | None]:
        """Whose answer counts, and the pair if both are to be asked."""
        reads = READS[self._client.stage(flag, key, context) or Stage.OFF]
        if reads.compared is None or random.random() >= options.sample:  # noqa: S311 - a sample, no secret
            return Side.NEW if self._client.reads_new(flag, key, context) else Side.OLD, None
        about = (flag, self._client.cache.version(flag), name, key)
        return reads.answer, _Pair(about, reads.answer, options)

    def _note(self, pair: _Pair[Any]) -> None:
        seen = pair.judge()
        if seen is not None:
            self._recorder.note(seen)

    def _overdue(self) -> None:
        """Candidates that hang: late now, however long they take."""
        now = time.monotonic()
        with self._lock:
            overdue = [pair for pair in self._open if pair.due < now and pair.counts.ms is not None]
            self._open.difference_update(overdue)
        for pair in overdue:
            self._note(pair)

    def _submit(self, job: Callable[[], None]) -> None:
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

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            job()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) >= _QUEUE:
            self.skipped += 1
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _order(options: Options) -> Order:
    """Parallel and serial as they are; of random, RANDOM means that the candidate goes first this time."""
    if options.order is not Order.RANDOM:
        return options.order
    return random.choice((Order.RANDOM, Order.SERIAL))  # noqa: S311 - a coin
