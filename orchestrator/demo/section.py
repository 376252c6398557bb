"""A part of the report: a titled table with a verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A titled table. `good` is its verdict; None where there is nothing to judge."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    good: bool | None = None
