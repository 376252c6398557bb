"""A chunk: a range of pages of one source, walked by one worker at a time from its first page to its end.

`next` is what the ledger knows as done; `reserved` reaches further while a batch is in flight, and a split must
cut behind it. When a batch fails on a value, the chunk goes into narrow steps up to the end of the failed range:
half the pages each time it fails again, twice as many each time it goes through; a single page that fails is
handed to the row-by-row function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from backfill.pacing import Pace
    from backfill.refs import SourceRef

Verb = Literal["batch", "resync", "isolate"]


@dataclass(slots=True, eq=False)
class Chunk:
    """What one worker is walking through, or could."""

    source: SourceRef
    number: int
    first: int
    next: int
    end: int
    filenode: int
    pace: Pace
    rows_seen: int = 0
    rows_copied: int = 0
    rows_rejected: int = 0
    busy: bool = False
    dead: bool = False
    """Its source started again: this chunk no longer exists in the ledger."""
    reserved: int = 0
    hindered: int = 0
    patient: bool = False
    _narrow: int = 0
    _suspect: int = 0
    _isolate: bool = False

    @property
    def open(self) -> bool:
        """Whether pages are left."""
        return not self.dead and self.next < self.end

    @property
    def divisible(self) -> int:
        """Pages that a split may take from."""
        return max(0, self.end - max(self.next, self.reserved)) if self.open else 0

    def step(self) -> tuple[int, Verb]:
        """Return where the next batch ends, and what does it."""
        if self._isolate:
            return self.next + 1, "isolate"
        pages = self.pace.pages
        if self.next < self._suspect:
            pages = min(pages, self._narrow, self._suspect - self.next)
        return min(self.end, self.next + pages), "resync" if self.source.mode == "resync" else "batch"

    def moved(self, upto: int, seen: int, copied: int, rejected: int) -> None:
        """A batch was committed."""
        self.next = self.reserved = upto
        self.rows_seen += seen
        self.rows_copied += copied
        self.rows_rejected += rejected
        self.hindered = 0
        self.patient = False
        self._isolate = False
        self._narrow = max(1, self._narrow * 2)

    def narrow(self, upto: int) -> None:
        """A batch up to this page failed on a value: come closer to the row."""
        pages = upto - self.next
        self._suspect = max(self._suspect, upto)
        if pages <= 1:
            self._isolate = True
        else:
            self._narrow = pages // 2

    @property
    def narrowing(self) -> bool:
        """Whether the chunk is on its way to a failing row: such short batches say nothing about the pace."""
        return self._isolate or self.next < self._suspect
