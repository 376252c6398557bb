"""Giving way: a batch begins when few enough others are at work.

A rest between batches halves the load; it does not keep a batch from beginning at the very moment in which the
application's longest query runs. On a machine with little to spare that is what its users feel, in the slowest percent
of their requests. So a worker that is told to give way looks before each batch, every few milliseconds, and begins in
a gap.

It waits a second at most. A database that is never idle, or somebody's open transaction, must not stop the copy: what
shall stop it is a limit (`throttle`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from backfill.compose import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import asyncpg

    from backfill.runtime_settings import RuntimeSettings
    from orchestrator.kernel.clock import Clock
    from orchestrator.kernel.events import Bus

LONGEST_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.005


class YieldToApp:
    """What a run does before each batch, if it was told to."""

    def __init__(self, runtime: RuntimeSettings, ours: Callable[[], Sequence[int]], bus: Bus, clock: Clock) -> None:
        """`ours` are our own server processes: nobody gives way to them."""
        self._runtime = runtime
        self._ours = ours
        self._bus = bus
        self._clock = clock

    async def give_way(self, conn: asyncpg.Connection, stop: asyncio.Event) -> None:
        """Return when no more than the allowed number of others are in a transaction, or after a second."""
        begun, waited = self._clock.monotonic(), 0.0
        while (allowed := self._runtime.settings.give_way) is not None and not stop.is_set():
            at_work: int = await conn.fetchval(load("others_at_work.sql"), list(self._ours()))
            if at_work <= allowed or waited >= LONGEST_SECONDS:
                break
            await asyncio.sleep(_LOOK_SECONDS)
            waited = self._clock.monotonic() - begun
        if waited:
            self._bus.emit("backfill.yielded", seconds=round(waited, 4))
