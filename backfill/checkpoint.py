"""One batch: its rows and its progress, in one transaction.

The chunk's `next_page` is the checkpoint. It is moved by compare-and-set in the very statement that moves the
rows, so both are kept or both are lost, whatever is killed when; that is also why `synchronous_commit = off` is
safe here. If the chunk does not stand where we believe (a commit whose answer was lost did happen, or the source
started again), nothing is committed and the caller reads the chunk again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from backfill.compose import compiled_pages, compose, fixed_pages, of_source
from backfill.errors import ChunkMovedError, HeapRewrittenError
from backfill.transaction import fenced
from orchestrator.kernel.failpoints import declare, failpoint

if TYPE_CHECKING:
    import asyncpg

    from backfill.chunk import Chunk, Verb
    from backfill.refs import Fence, SourceRef

_BEGUN: Final = declare("backfill.batch.begun", "a batch's transaction holds the fence, no row is moved")
_MOVED: Final = declare("backfill.batch.moved", "a batch's rows and its chunk are written, not committed")
_COMMITTED: Final = declare("backfill.batch.committed", "a batch is committed, its worker does not know it yet")
_CUT_OFF_SECONDS: Final = 660.0


@dataclass(frozen=True, slots=True)
class Step:
    """What a batch did."""

    seen: int
    copied: int
    rejected: int


async def move(conn: asyncpg.Connection, begin: str, fence: Fence | None, chunk: Chunk, upto: int, verb: Verb) -> Step:
    """Bring the pages from `chunk.next` up to `upto` over, and commit that they are."""
    # The server ends a statement in good time; this is for a server that does not answer at all.
    async with asyncio.timeout(_CUT_OFF_SECONDS):
        async with fenced(conn, begin, fence):
            failpoint(_BEGUN)
            row = await conn.fetchrow(
                _statement(chunk.source, verb), chunk.next, upto, chunk.source.id, chunk.number, chunk.source.oid
            )
            if row is None:
                raise ChunkMovedError
            if row["filenode"] != chunk.filenode:
                raise HeapRewrittenError
            failpoint(_MOVED)
        failpoint(_COMMITTED)
    return Step(row["seen"], row["copied"], row["rejected"])


@cache
def _statement(source: SourceRef, verb: Verb) -> str:
    batch = compiled_pages(of_source(source, "batch"))
    return compose("step.sql", pages=batch if verb == "batch" else fixed_pages(source, verb))
