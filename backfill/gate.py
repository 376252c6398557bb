"""Many batches or one drain of the same source, decided inside this process.

The database decides it too: a batch takes its source's advisory lock shared (the sources of a merge have one
together), a drain takes it exclusively. But there a drain that waits would make every later batch wait behind
it, run into its `lock_timeout` and count as hindered, though nothing is wrong. So our own batches and drains
take turns here first; a drain that waits goes before batches that come later, or busy workers would never let
it through.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from backfill.compose import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg


class Gate:
    """A lock of asyncio with a shared and an exclusive side; the exclusive side goes first."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._inside = 0
        self._alone = False
        self._waiting = 0

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Go in together with other batches."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._alone and not self._waiting)
            self._inside += 1
        try:
            yield
        finally:
            async with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Go in alone."""
        async with self._changed:
            self._waiting += 1
            try:
                await self._changed.wait_for(lambda: not self._alone and not self._inside)
                self._alone = True
            finally:
                self._waiting -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            async with self._changed:
                self._alone = False
                self._changed.notify_all()


class Gates:
    """The gates of a run, by source. Sources with one lock in the database have one gate here."""

    def __init__(self) -> None:
        self._groups: dict[int, int] = {}
        self._gates: dict[int, Gate] = {}

    async def learn(self, source_id: int, conn: asyncpg.Connection) -> None:
        """Ask the ledger whom the source shares its lock with."""
        self._groups[source_id] = await conn.fetchval(load("gate_group.sql"), source_id) or source_id

    def group(self, source_id: int) -> int:
        """What the source shares its gate by."""
        return self._groups.get(source_id, source_id)

    def of(self, source_id: int) -> Gate:
        """The gate of a source."""
        return self._gates.setdefault(self.group(source_id), Gate())
