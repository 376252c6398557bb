"""What callers hand in to name things: a source table, a mapping, and the proof of holding the lease.

They are plain values and not rows of the ledger, because this package stands below the ledger: whoever
calls has read them from `changeover.source` and `changeover.mapping`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["copy", "resync"]


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A row of `changeover.source`. `mode` is `resync` when a column was added after rows were copied."""

    id: int
    name: str
    oid: int
    mode: Mode = "copy"


@dataclass(frozen=True, slots=True)
class MappingRef:
    """A row of `changeover.mapping` and the table it fills."""

    id: int
    target_schema: str
    target_table: str

    @property
    def target(self) -> str:
        """The table as `schema.name`, for eyes and for `changeover.difference`."""
        return f"{self.target_schema}.{self.target_table}"


@dataclass(frozen=True, slots=True)
class Fence:
    """A query ($1, $2 as placeholders) that locks the lease's row and finds it only while the lease is ours.

    It runs inside each batch's transaction: who wants to take the lease over waits for that transaction, and
    who has lost it gets no row here and commits nothing.
    """

    sql: str
    args: tuple[object, ...] = ()
    enlist: str | None = None
    """Run with the same arguments on every new connection: a takeover then ends it, should it hang. No row: lost."""


BeforeBatch = Callable[[SourceRef], Awaitable[Sequence[SourceRef] | None]]
"""Called before a batch, about once a second, and once more when all pages are copied. It looks for change in
everything that is copied, not only in the source at hand. Returns sources to take in: an unknown one is new, a known
one starts again from its first page, in the mode it has now."""
