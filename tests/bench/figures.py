"""A figure of the bench: what was measured, what it should be, and how both are shown."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Goal:
    """At most, or at least, so much."""

    value: float
    least: bool = False

    def met(self, measured: float) -> bool:
        """Whether it is reached."""
        return measured >= self.value if self.least else measured <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.value:g}"


@dataclass(frozen=True)
class Figure:
    """One line of the table. Without a goal it is there for comparison, without a value it could not be measured."""

    name: str
    measured: float | None
    unit: str = ""
    goal: Goal | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is nothing to judge."""
        return None if self.goal is None or self.measured is None else self.goal.met(self.measured)

    def cells(self) -> tuple[str, str, str, str]:
        """As a row of the table."""
        measured = self.note if self.measured is None else f"{number(self.measured)} {self.unit}".strip()
        if self.measured is not None and self.note:
            measured += f" ({self.note})"
        verdict = {True: "yes", False: "no", None: ""}[self.met]
        return self.name, str(self.goal or ""), measured, verdict


def number(value: float) -> str:
    """With as many digits as mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def write(title: str, figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print them all."""
    if as_json:
        rows = [
            {
                "name": each.name,
                "goal": str(each.goal) if each.goal else None,
                "measured": each.measured,
                "unit": each.unit,
                "met": each.met,
                "note": each.note,
            }
            for each in figures
        ]
        sys.stdout.write(json.dumps({"title": title, "figures": rows}, indent=1, ensure_ascii=False) + "\n")
        return
    table = Table("figure", "goal", "measured", "met", title=title)
    for each in figures:
        table.add_row(*each.cells())
    Console().print(table)
    judged = [each for each in figures if each.met is not None]
    sys.stdout.write(f"{sum(each.met is True for each in judged)} of {len(judged)} goals are met\n")
