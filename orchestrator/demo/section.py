"""A report is a list of titled tables with a verdict each, and pictures for the form that can show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.demo.pictures import Picture


@dataclass(frozen=True)
class Section:
    """A titled table. `good` is its verdict; None where there is nothing to judge."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    good: bool | None = None


@dataclass(frozen=True)
class Document:
    """A report, ready to be shown."""

    title: str
    sections: tuple[Section, ...]
    pictures: tuple[Picture, ...] = ()

    @property
    def good(self) -> bool:
        """Whether no section has a bad verdict."""
        return all(section.good is not False for section in self.sections)
