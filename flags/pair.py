"""One read made on both sides, and what is to be said of it.

The side that counts is the caller's: its answer and its error are handed on. The other one is the candidate, and all it
can do is to be noted. A pair is judged once, when both have ended or the candidate is over its deadline.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .comparison import Comparator, bounded, differing
from .recorder import Seen
from .stages import Side

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


class Order(StrEnum):
    """When the candidate starts."""

    PARALLEL = "parallel"
    SERIAL = "serial"
    RANDOM = "random"

    def thrown(self) -> Order:
        """Parallel and serial as they are; of random, RANDOM means that the candidate goes first this time."""
        return random.choice((Order.RANDOM, Order.SERIAL)) if self is Order.RANDOM else self  # noqa: S311 - a coin


@dataclass(frozen=True, slots=True)
class Options:
    """How a read is shadowed and compared."""

    order: Order = Order.PARALLEL
    deadline: float = 1.0
    sample: float = 1.0
    again: int = 0
    """How often both reads are made once more, a little later each time, before a difference counts."""
    ignore: frozenset[str] = frozenset()
    redact: frozenset[str] = frozenset()
    ordered: bool = False
    equal: Comparator | None = None


class Answer(Generic[T]):
    """What one side answered."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.value: T | None = None
        self.error: Exception | None = None
        self.ms: float | None = None
        """None as long as it has not ended."""
        self.done = threading.Event()

    def run(self, read: Callable[[], T]) -> None:
        """Make the read and keep what comes of it."""
        begun = time.perf_counter()
        try:
            self.value = read()
        except Exception as exc:  # noqa: BLE001 - raised again by `given` where it is the caller's
            self.error = exc
        self._end(begun)

    async def run_async(self, read: Callable[[], Awaitable[T]]) -> None:
        """The same in async code."""
        begun = time.perf_counter()
        try:
            self.value = await read()
        except Exception as exc:  # noqa: BLE001 - as above
            self.error = exc
        self._end(begun)

    def given(self) -> T:
        """The value, or the error raised."""
        if self.error is not None:
            raise self.error
        return cast("T", self.value)

    def _end(self, begun: float) -> None:
        self.ms = (time.perf_counter() - begun) * 1000
        self.done.set()


class Pair(Generic[T]):
    """Both sides of one read."""

    def __init__(self, about: tuple[str, int, str, str | None], answering: Side, options: Options) -> None:
        """`about` is flag, version of the flag, name of the read and targeting key."""
        self.about, self.answering, self.options = about, answering, options
        self.counts, self.candidate = Answer[T](), Answer[T]()
        self.due = time.monotonic() + options.deadline
        self._left = 2
        self._judged = False
        self._lock = threading.Lock()

    def fresh(self) -> Pair[T]:
        """The same read, to be made once more."""
        return Pair(self.about, self.answering, self.options)

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
            return Seen(*self.about, "error", ["comparison"], None, repr(exc)[:500])

    def agrees(self) -> bool:
        """Have both sides answered, and alike?"""
        if self.counts.ms is None or self.candidate.ms is None or self.counts.error or self.candidate.error:
            return False
        try:
            return not self._differing()
        except Exception:  # noqa: BLE001 - as above
            return False

    def agreed(self) -> Seen:
        """What is noted of a pair in which nothing was wrong."""
        old, new = self._sides()
        return Seen(*self.about, None, old_ms=old.ms, new_ms=new.ms)

    def _sides(self) -> tuple[Answer[T], Answer[T]]:
        return (self.counts, self.candidate) if self.answering is Side.OLD else (self.candidate, self.counts)

    def _differing(self) -> list[str]:
        """Where they differ; an application's own comparator says only that they do."""
        old, new = self._sides()
        given = self.options
        if given.equal is not None:
            return [] if given.equal(old.value, new.value) else ["value"]
        return differing(old.value, new.value, ignore=given.ignore, ordered=given.ordered)

    def _seen(self) -> Seen:
        old, new = self._sides()
        kind, fields = None, list[str]()
        if self.candidate.ms is None or self.candidate.ms > self.options.deadline * 1000:
            # Of the side that is on its way out lateness says nothing.
            kind = "late" if self.candidate is new else None
        elif new.error is not None:
            kind = "error" if old.error is None else None
        elif old.error is not None:
            kind, fields = ("different", ["error"]) if self.answering is Side.OLD else (None, [])
        else:
            fields = self._differing()
            kind = "different" if fields else None
        if kind is None:
            return self.agreed()
        return Seen(*self.about, kind, fields, self._shown(old), self._shown(new), old.ms, new.ms)

    def _shown(self, side: Answer[T]) -> Any:
        if side.error is not None:
            # The words of an error may quote a row.
            return {"error": type(side.error).__name__ if self.options.redact else repr(side.error)[:500]}
        return bounded(side.value, self.options.redact)
