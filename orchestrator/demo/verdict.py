"""What became of the acknowledged writes of an application."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A row that is not what was acknowledged."""

    place: str
    key: str
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """The outcome of the check."""

    writes: int
    """Acknowledged writes."""
    rows: int
    """Rows written, each checked in every place there is."""
    doubtful: int
    """Rows left out: an answer to one of their writes was lost with a connection."""
    places: dict[str, int]
    """Rows checked per place (`legacy`, `compat`, `unified`)."""
    differences: tuple[Difference, ...]

    @property
    def lost(self) -> int:
        """Rows that are wrong in some place."""
        return len({(difference.place.split(":")[-1], difference.key) for difference in self.differences})
