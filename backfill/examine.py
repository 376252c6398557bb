"""Judging one range: what differs in it, what of that is certain, and what must be looked at again.

Mirrors are synchronous, so within one snapshot both sides agree, except for keys that wait in `queue`. The
snapshot is that of one REPEATABLE READ transaction, because the compiled function has several statements. But
TRUNCATE is not bound to snapshots, and so a difference seen once is only a suspicion: it counts when it is seen
again, in a later snapshot, with no queue for its key in that snapshot. A range with suspicions goes on record
only when they are settled, so a comparison that is killed looks at it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from backfill.compose import compose
from backfill.errors import HeapRewrittenError
from backfill.transaction import fenced
from orchestrator.kernel.failpoints import declare, failpoint

if TYPE_CHECKING:
    import asyncpg

    from backfill.ranges import Scope
    from backfill.refs import Fence

_JUDGED: Final = declare("compare.range.judged", "a range is compared and judged, not committed")
_RECORDED: Final = declare("compare.range.recorded", "a range's judgement is committed")


@dataclass(slots=True)
class Range:
    """A range of pages of one scope, and what is known of it so far."""

    scope: Scope
    lo: int
    hi: int
    filenode: int
    rows: int = 0
    settled: bool = False
    suspects: set[str] = field(default_factory=set)
    """Keys that differed the last time."""
    firm: set[str] = field(default_factory=set)
    """Keys that once differed without a queued key to explain it: if they go away, the row may only have moved."""
    pending: int = 0
    """Rows that differed the last time and are not counted."""


async def examine(
    conn: asyncpg.Connection, begin: str, fence: Fence | None, verification_id: int, each: Range, *, last: bool = False
) -> None:
    """Compare a range once and write into it what was seen."""
    scope = each.scope
    async with fenced(conn, begin, fence):
        rows = await conn.fetch(
            compose("compare.sql", pages=scope.call),
            each.lo,
            each.hi,
            list(scope.related),
            verification_id,
            scope.key,
            scope.name,
            sorted(each.suspects),
            last,
            list(scope.everyone),
        )
        # After the function: it holds a lock on the table now, and the file stays what it is.
        if await conn.fetchval("SELECT pg_catalog.pg_relation_filenode($1::oid)", scope.oid) != each.filenode:
            raise HeapRewrittenError
        failpoint(_JUDGED)
    failpoint(_RECORDED)
    differing = [row for row in rows if row["kind"] != "counted"]
    each.rows = sum(row["rows"] for row in rows if row["kind"] == "counted")
    each.settled = rows[0]["settled"] if rows else True
    # A row without a key is known by being in a range that has been looked at before.
    each.suspects = {row["key"] or "" for row in differing}
    each.firm |= {row["key"] for row in differing if row["key"] is not None and not row["pending"]}
    each.pending = 0 if each.settled else sum(row["pending"] or not row["known"] for row in differing)
