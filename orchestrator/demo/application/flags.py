"""Where the new version of the application reads and writes: what the flags say, at most a second old.

The flag table may not be there yet, or not be ours to read; that means "as before", as the document's
own code falls back to the legacy tables.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import asyncpg

from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    from collections.abc import Callable

AUDITS: Final = "USE_UNIFIED_AUDITS_TABLE"
EMPLOYEES: Final = "USE_UNIFIED_EMPLOYEES_TABLE"
_STAGES: Final = frozenset({"live", "rampdown", "complete"})


class Flags:
    """The flags as one client sees them."""

    def __init__(self, share: int, *, max_age: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`share` is this client's place from 0 to 99 in a rollout by percentage."""
        self._share = share
        self._max_age = max_age
        self._clock = clock
        self._read_at = float("-inf")
        self._on: frozenset[str] = frozenset()

    async def on(self, conn: asyncpg.Connection, flag: str) -> bool:
        """Whether this client goes by the unified tables."""
        if self._clock() - self._read_at > self._max_age:
            self._on = await self._read(conn)
            self._read_at = self._clock()
        return flag in self._on

    async def _read(self, conn: asyncpg.Connection) -> frozenset[str]:
        try:
            rows = await conn.fetch(load(__package__, "flags.sql"))
        except (
            asyncpg.UndefinedTableError,
            asyncpg.InvalidSchemaNameError,
            asyncpg.InsufficientPrivilegeError,
        ):
            return frozenset()
        return frozenset(
            row["flag"] for row in rows if row["enabled"] and row["stage"] in _STAGES and self._share < row["rollout"]
        )
