"""The expressions of a mapping: where each is written in the plan, and what it may refer to.

A kind lists its expressions and says for each scope which names are seen there (`Kind.sight`). `SOURCES` stands for the
names of a merge's sources, `LOOKUPS` for those of the lookups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

Path = tuple[str | int, ...]
"""The keys and indexes that lead to a place in `plan.yaml`."""

LOOKUPS: Final = "lookups"
SOURCES: Final = "sources"

KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "s": (),
    "t": (),
    "d": ("discriminator", "name"),
    "k": ("key",),
    "v": ("name", "text", "number"),
}
"""The aliases of the engine, with their columns where they are always the same."""


class Scope(Enum):
    """Where an expression stands."""

    FORWARD = "forward"
    """From the source to the target: columns, matches, placeholders."""
    RULE = "rule"
    """Over both: rejects and exemptions."""
    BACK = "reverse"
    """From the target to the source."""
    SOURCE = "source"
    """Over one source row only: key, order, which columns count."""
    TARGET = "target"
    """Over the target row only."""
    JOIN = "join"
    """From the target row to a looked-up one."""


Sight = Mapping[Scope, frozenset[str]]
"""Which names the expressions of each scope see."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A text of SQL in a mapping."""

    text: str
    path: Path
    scope: Scope
    once: bool = False
    """Evaluated when the row is made and never again."""
    source: str | None = None
    """The source of a merge it belongs to."""
