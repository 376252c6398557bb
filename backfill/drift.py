"""Sources that change while they are copied: asking the caller, and starting a source again.

A column added to a source, or a new source, is found by the caller (it knows the catalog's fingerprint and the
discovery query); this asks it, at most once a second per source and one question at a time, and takes in what
it answers. Starting a source again needs its batches to be out of the way, so it goes through the exclusive
side of the gate.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from backfill.errors import hindered
from backfill.retry import persistent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

    from backfill.chunk import Chunk
    from backfill.gate import Gates
    from backfill.pages import Chunks
    from backfill.refs import BeforeBatch, SourceRef
    from backfill.session import Session
    from backfill.settings import BackfillSettings
    from backfill.transaction import Preambles
    from orchestrator.kernel.clock import Clock
    from orchestrator.kernel.events import Bus

_LAST_ROUNDS: Final = 100


class Drift:
    """Takes sources in, at the start and while the copy runs."""

    def __init__(
        self,
        chunks: Chunks,
        session: Session,
        preambles: Preambles,
        gates: Gates,
        settings: BackfillSettings,
        clock: Clock,
        bus: Bus,
        before_batch: BeforeBatch | None,
    ) -> None:
        self._chunks = chunks
        self._session = session
        self._preambles = preambles
        self._gates = gates
        self._settings = settings
        self._clock = clock
        self._bus = bus
        self._before_batch = before_batch
        self._asking = asyncio.Lock()
        self._planting = asyncio.Lock()
        self._due = 0.0
        self._rounds = 0

    async def check(self, source: SourceRef, *, now: bool = False) -> None:
        """Ask the caller whether anything has changed, if it is time to; `source` is about to be copied."""
        if self._before_batch is None or not (now or self._is_due()):
            return
        async with self._asking:
            if not (now or self._is_due()):  # another worker asked while we waited
                return
            for each in await self._before_batch(source) or ():
                self._bus.emit(
                    "backfill.source.taken_in", source=each.name, mode=each.mode, known=self._chunks.knows(each)
                )
                await self.plant(each, afresh=self._chunks.knows(each))
            self._due = self._clock.monotonic() + self._settings.hook_interval

    def _is_due(self) -> bool:
        return self._clock.monotonic() >= self._due

    async def check_again(self) -> None:
        """Ask once more, when all are copied: what changed meanwhile is copied too."""
        self._rounds += 1
        if self._rounds > _LAST_ROUNDS:
            raise hindered("The end of the copy", self._rounds, None, "sources keep changing")
        for source in self._chunks.sources[:1]:
            await self.check(source, now=True)

    async def replant(self, chunk: Chunk, *, afresh: bool) -> None:
        """Start the source of this chunk again, unless another worker has done so already."""
        await self.plant(chunk.source, afresh=afresh, instead_of=chunk)

    async def plant(self, source: SourceRef, *, afresh: bool = False, instead_of: Chunk | None = None) -> None:
        """Take a source in: its chunks are read, or made."""
        async with self._planting:
            await self._persistently(partial(self._gates.learn, source.id), source)
            async with self._gates.of(source.id).exclusive():
                if instead_of is not None and instead_of.dead:
                    return
                await self._persistently(
                    lambda conn: self._chunks.plant(conn, self._preambles.batch, source, afresh=afresh), source
                )

    async def _persistently(self, work: Callable[[asyncpg.Connection], Awaitable[None]], source: SourceRef) -> None:
        await persistent(self._session, work, subject=f"Dividing {source.name}", attempts=self._settings.attempts)
