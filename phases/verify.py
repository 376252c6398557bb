"""Verify: both sides compared, value by value, online; then what must hold of the new schema.

The mirrors are synchronous, so in one snapshot both sides agree or something is wrong. The comparison
goes both ways, names each differing row and column, and counts: rows of the old table = rows that came
from it + its rejects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from phases.actions import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from phases.base import Work, Work_


class Verify:
    """Compare and count."""

    name = "verify"
    purpose = "compare both sides value by value; constraints, orphans, duplicates, counts"

    def actions(self, work: Work) -> Iterator[Work_]:
        """The comparison is one step: it is resumable by itself."""
        yield Step(id=f"compare {work.stage}", kind="compare", doc="every row, both ways, in page ranges")
