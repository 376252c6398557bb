"""Chunks: which pages of which source are still to be copied, and by whom.

A source is divided by heap pages, not by keys. Pages are read in their order on disk, any table has them (some
have no key), their number is known exactly, and disjoint ranges need no coordination. It is right only because
the mirror is on before the first chunk is planted: a row that appears on a page already passed was written by
someone, and what is written is mirrored. So the number of pages is taken once, when the chunks are planted, and
growth after that is nobody's concern here.

A source starts with one chunk over all of it. Workers take whole sources while there are any; a worker that
finds none cuts the largest remaining range in two, behind the batch in flight there. So all workers end at
nearly the same time, whatever the sizes of the tables. The sources of a merge go one after the other (several
workers on each): they make the same rows, and their batches would only wait for each other.

Page numbers mean something only within one file of the heap. The file (`relfilenode`) is recorded with the
chunks and compared in each batch's transaction; VACUUM FULL, CLUSTER or TRUNCATE change it, and that source
starts again (rows already copied are met by ON CONFLICT DO NOTHING).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from backfill import pacing
from backfill.chunk import Chunk
from backfill.compose import load, one
from backfill.errors import SourceGoneError
from backfill.faults import Fault, classify
from backfill.progress import Position
from backfill.transaction import fenced
from orchestrator.kernel.failpoints import declare, failpoint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import asyncpg

    from backfill.gate import Gates
    from backfill.pacing import Pace, PacingSettings
    from backfill.refs import Fence, SourceRef
    from orchestrator.kernel.events import Bus

_PLANTING: Final = declare("backfill.chunks.planting", "the chunks of a source are written, not committed")
_PLANTED: Final = declare("backfill.chunks.planted", "the chunks of a source are committed, no batch is")
_SPLITTING: Final = declare("backfill.chunk.splitting", "a chunk is cut in two, not committed")
_SPLIT: Final = declare("backfill.chunk.split", "a chunk cut in two is committed")


class Chunks:
    """The chunks of all sources of one run. Memory mirrors the ledger; this process is its only writer."""

    def __init__(self, fence: Fence | None, bus: Bus, gates: Gates, settings: PacingSettings, smallest: int) -> None:
        self._fence = fence
        self._bus = bus
        self._gates = gates
        self._settings = settings
        self._smallest = smallest
        self._chunks: dict[int, list[Chunk]] = {}
        self._sources: dict[int, SourceRef] = {}
        self._splitting = asyncio.Lock()
        self._changed = asyncio.Event()
        self._uncertain: set[int] = set()

    def __iter__(self) -> Iterator[Chunk]:
        return (chunk for chunks in self._chunks.values() for chunk in chunks)

    @property
    def sources(self) -> list[SourceRef]:
        """All sources taken in, in that order."""
        return list(self._sources.values())

    def knows(self, source: SourceRef) -> bool:
        """Whether the source is being copied already."""
        return source.id in self._sources

    def of(self, source: SourceRef) -> list[Chunk]:
        """The chunks of one source."""
        return list(self._chunks.get(source.id, ()))

    @property
    def open(self) -> bool:
        """Whether any pages are left."""
        return any(chunk.open for chunk in self)

    def position(self) -> Position:
        """Sum up."""
        chunks = list(self)
        return Position(
            pages_done=sum(chunk.next - chunk.first for chunk in chunks),
            pages_total=sum(chunk.end - chunk.first for chunk in chunks),
            rows_seen=sum(chunk.rows_seen for chunk in chunks),
            rows_copied=sum(chunk.rows_copied for chunk in chunks),
            rows_rejected=sum(chunk.rows_rejected for chunk in chunks),
        )

    async def plant(self, conn: asyncpg.Connection, begin: str, source: SourceRef, *, afresh: bool = False) -> None:
        """Read the source's chunks, or make them: if there are none, if the heap is another, or if asked to.

        Whoever sets a source to `resync` removes its chunks in the same transaction: half-walked chunks of the copy
        cannot be told from those of the resync.

        The caller sees to it that no batch of this source is in flight.
        """
        async with self._splitting, fenced(conn, begin, self._fence):
            recorded = await conn.fetchrow(load("chunks_recorded.sql"), source.id)
            heap = await one(conn, load("heap.sql"), source.oid)
            if recorded is None or heap["filenode"] is None:
                raise SourceGoneError(source.name)
            # Asked to derive again what is copied: chunks at their end are those of the copy before.
            again = source.mode == "resync" and not recorded["open"]
            if afresh or again or not recorded["planted"] or recorded["relfilenode"] != heap["filenode"]:
                await conn.execute(load("chunks_clear.sql"), source.id)
                await conn.execute(load("chunks_plant.sql"), source.id, heap["pages"])
                await conn.execute(load("source_copying.sql"), source.id, heap["filenode"])
                event = "backfill.source.planted"
            else:
                event = "backfill.source.resumed"
            rows = await conn.fetch(load("chunks_read.sql"), source.id)
            failpoint(_PLANTING)
        failpoint(_PLANTED)
        for chunk in self._chunks.get(source.id, ()):
            chunk.dead = True
        pace = pacing.first(self._settings)
        self._chunks[source.id] = [_chunk(source, row, heap["filenode"], pace) for row in rows]
        self._sources[source.id] = source
        self._bus.emit(event, source=source.name, mode=source.mode, pages=heap["pages"], chunks=len(rows))
        self.notify()

    def claim(self) -> Chunk | None:
        """Take a chunk nobody walks: of the source with the fewest workers, the one with most pages left."""
        at_work = {chunk.source.id for chunk in self if chunk.busy}
        free = [c for c in self if c.open and not c.busy and not self._in_each_others_way(c, at_work)]
        if not free:
            return None
        chunk = min(
            free, key=lambda each: (sum(one.busy for one in self._chunks[each.source.id]), each.next - each.end)
        )
        chunk.busy = True
        return chunk

    def _in_each_others_way(self, chunk: Chunk, at_work: Collection[int]) -> bool:
        """Whether another source that makes the same target rows is at work: two batches would wait for each other."""
        group = self._gates.group(chunk.source.id)
        return any(other != chunk.source.id and self._gates.group(other) == group for other in at_work)

    def release(self, chunk: Chunk) -> None:
        """Give a chunk back."""
        chunk.busy = False
        self.notify()

    async def split(self, conn: asyncpg.Connection, begin: str) -> Chunk | None:
        """Cut the largest remaining range in two and take the second half; None if none is worth cutting."""
        async with self._splitting:
            if (chunk := self.claim()) is not None:
                return chunk
            chunk = max((each for each in self if each.busy), key=lambda each: each.divisible, default=None)
            if chunk is None or chunk.divisible < 2 * self._smallest:
                return None
            old_end = chunk.end
            # In memory first: the chunk's worker may finish a batch, and plan the next, while the ledger is written.
            middle = chunk.end = old_end - chunk.divisible // 2
            try:
                async with fenced(conn, begin, self._fence):
                    number = await conn.fetchval(
                        load("chunk_split.sql"), chunk.source.id, chunk.number, old_end, middle
                    )
                    failpoint(_SPLITTING)
            except Exception as exc:
                if classify(exc) is Fault.LOST:
                    self._uncertain.add(chunk.source.id)  # it may have been committed: `settle` asks the ledger
                else:
                    chunk.end = old_end
                raise
            failpoint(_SPLIT)
            if number is None:
                chunk.end = old_end
                return None
            half = Chunk(chunk.source, number, middle, middle, old_end, chunk.filenode, chunk.pace, busy=True)
            self._chunks[chunk.source.id].append(half)
        self._bus.emit("backfill.chunk.split", source=chunk.source.name, chunk=number, first=middle, end=old_end)
        return half

    async def settle(self, conn: asyncpg.Connection) -> None:
        """After a lost connection: learn whether a split whose answer never came was committed."""
        async with self._splitting:
            for source_id in sorted(self._uncertain):
                known = {chunk.number: chunk for chunk in self._chunks[source_id]}
                for chunk in known.values():
                    row = await one(conn, load("chunk_position.sql"), source_id, chunk.number)
                    chunk.end = row["end_page"]
                some = next(iter(known.values()))
                for row in await conn.fetch(load("chunks_read.sql"), source_id):
                    if row["chunk"] not in known:
                        self._chunks[source_id].append(_chunk(some.source, row, some.filenode, some.pace))
                self._uncertain.discard(source_id)
        self.notify()

    async def reload(self, conn: asyncpg.Connection, chunk: Chunk) -> bool:
        """Read a chunk again after a commit whose answer was lost; False if the ledger has it no more."""
        row = await conn.fetchrow(load("chunk_position.sql"), chunk.source.id, chunk.number)
        if row is None:
            return False
        chunk.next = chunk.reserved = row["next_page"]
        chunk.end = row["end_page"]
        chunk.rows_seen = row["rows_seen"]
        chunk.rows_copied = row["rows_copied"]
        chunk.rows_rejected = row["rows_rejected"]
        return True

    def notify(self) -> None:
        """Wake the workers that found nothing to do."""
        self._changed.set()

    async def changed(self, timeout: float) -> None:  # noqa: ASYNC109 - a wait for news, not for an answer
        """Wait until a chunk was released or planted, but not for long."""
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return


def _chunk(source: SourceRef, row: asyncpg.Record, filenode: int, pace: Pace) -> Chunk:
    return Chunk(
        source,
        number=row["chunk"],
        first=row["first_page"],
        next=row["next_page"],
        end=row["end_page"],
        filenode=filenode,
        pace=pace,
        rows_seen=row["rows_seen"],
        rows_copied=row["rows_copied"],
        rows_rejected=row["rows_rejected"],
        reserved=row["next_page"],
    )
