"""Looks at the database for all who look at the page: each question is asked once a second at most, however many ask.

A look that fails leaves the one before it: the page shows that, says from when it is, and says what ails the database.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from orchestrator.kernel.errors import ChangeoverError, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

FRESH_S: Final = 1.0
_MOST: Final = 200

T = TypeVar("T")


@dataclass(frozen=True)
class Look(Generic[T]):
    """What was seen last, when, and what has gone wrong since."""

    value: T | None
    at: float
    """Seconds since the epoch."""
    error: ChangeoverError | None = None


@dataclass
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: float = float("-inf")
    look: Look[Any] | None = None


class Looks:
    """Asks, and remembers for a moment."""

    def __init__(self, fresh_s: float = FRESH_S) -> None:
        """Nothing was asked yet."""
        self._fresh_s = fresh_s
        self._entries: dict[Hashable, _Entry] = {}

    async def look(self, key: Hashable, read: Callable[[], T]) -> Look[T]:
        """The answer of `read`, which is called in a thread if the last one is too old."""
        entry = self._entries.pop(key, None) or _Entry()
        self._entries[key] = entry  # the last asked is the last to be forgotten
        while len(self._entries) > _MOST:
            del self._entries[next(iter(self._entries))]
        async with entry.lock:
            if entry.look is None or time.monotonic() - entry.asked > self._fresh_s:
                entry.look = await _read(read, entry.look)
                entry.asked = time.monotonic()
            return entry.look

    def forget(self) -> None:
        """Something was changed: the next look is a new one."""
        for entry in self._entries.values():
            entry.asked = float("-inf")


async def _read(read: Callable[[], T], before: Look[T] | None) -> Look[T]:
    try:
        return Look(await run_in_threadpool(read), time.time())
    except ChangeoverError as exc:
        error = exc
    except Exception as exc:  # noqa: BLE001 - a page says what is wrong; `translate` knows what a driver says
        error = translate(exc)
    return Look(None if before is None else before.value, time.time() if before is None else before.at, error)
