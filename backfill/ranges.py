"""Which page ranges of which tables are still to be compared.

A scope is one table seen from one side: a source (is every row of it in the target, equal?) or a target (does
every row of it come from somewhere?). A range is on record in `changeover.verify_range` once it has been
judged, so a comparison that was stopped goes on with the gaps between the recorded ranges. The scope's name
contains the file of the heap: after a rewrite the pages are others, the name is another, and the comparison of
that table starts again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backfill.compose import load, one
from backfill.errors import SourceGoneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import asyncpg
    from psycopg.sql import Composable

    from backfill.pacing import Pace
    from backfill.refs import SourceRef

Pages = tuple[int, int]


@dataclass(slots=True, eq=False)
class Scope:
    """One table from one side."""

    letter: str
    """m: a source, x: a target."""
    id: int
    name: str
    oid: int
    call: Composable
    """What finds the differences of the pages [$1, $2)."""
    sources: tuple[SourceRef, ...]
    """Who can repair a difference."""
    related: tuple[int, ...]
    """Ids of the sources whose queue, by key, may explain a difference: of the same mapping, or the same table."""
    everyone: tuple[int, ...]
    """Ids of all sources of the comparison."""
    pace: Pace
    filenode: int = 0
    pages: int = 0
    gaps: list[Pages] = field(default_factory=list)
    busy: int = 0

    @property
    def key(self) -> str:
        """Its name in `changeover.verify_range`."""
        return f"{self.letter}{self.id}@{self.filenode}"

    @property
    def left(self) -> int:
        """Pages not yet handed out."""
        return sum(hi - lo for lo, hi in self.gaps)

    def take(self) -> Pages:
        """Cut the next range off."""
        lo, end = self.gaps[0]
        hi = min(end, lo + self.pace.pages)
        if hi == end:
            self.gaps.pop(0)
        else:
            self.gaps[0] = (hi, end)
        return lo, hi


def gaps(done: Iterable[Pages], pages: int) -> list[Pages]:
    """Return what is not covered of 0..pages; the ranges done may overlap and come in any order."""
    missing, at = [], 0
    for lo, hi in sorted(done):
        if lo > at:
            missing.append((at, min(lo, pages)))
        at = max(at, hi)
        if at >= pages:
            return missing
    if at < pages:
        missing.append((at, pages))
    return missing


async def survey(verification_id: int, scope: Scope, conn: asyncpg.Connection) -> None:
    """Learn the table's file and size, and what of it has been judged already.

    Rows on pages that come later were written after this, and what is written is mirrored.
    """
    heap = await one(conn, load("heap.sql"), scope.oid)
    if heap["filenode"] is None:
        raise SourceGoneError(scope.name)
    # An empty table has a range too: what is left behind of it (a stale reject) shows with its first page.
    scope.filenode, scope.pages = heap["filenode"], max(1, heap["pages"])
    rows = await conn.fetch(load("ranges_done.sql"), verification_id, scope.key)
    scope.gaps = gaps(((row["lo"], row["hi"]) for row in rows), scope.pages)


def choose(scopes: Sequence[Scope]) -> Scope | None:
    """The scope to take a range of: with the fewest workers, then with most left."""
    return min((scope for scope in scopes if scope.gaps), key=lambda each: (each.busy, -each.left), default=None)
