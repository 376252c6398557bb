"""When a materialized view is due to be computed again: a function of what its plan wants and what was seen.

A write shows `minutes_after_writes` after it at the latest, because a view that is that old and lacks a write is
refreshed at once. A view that nobody has written for is left alone, whatever its age.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cronsim import CronSim

if TYPE_CHECKING:
    from orchestrator.plan.refresh import Refresh


@dataclass(frozen=True, slots=True)
class Content:
    """What a view holds, and what has come since."""

    as_of: datetime | None
    """The moment whose rows it holds; None if it was never refreshed."""
    behind: bool
    """Whether a table that it reads has been written since."""


def by_the_clock(wanted: Refresh, as_of: datetime) -> datetime | None:
    """When a view with the content of a moment is due, whether or not somebody writes; None if never."""
    moments = []
    if wanted.oldest_minutes is not None:
        moments.append(as_of + timedelta(minutes=wanted.oldest_minutes))
    if wanted.cron is not None:
        moments.append(next(CronSim(wanted.cron, as_of)))
    return min(moments, default=None)


def is_due(wanted: Refresh, content: Content, now: datetime) -> bool:
    """Whether the view is to be refreshed now."""
    if content.as_of is None:
        return True
    moments = [by_the_clock(wanted, content.as_of)]
    if wanted.minutes_after_writes is not None and content.behind:
        moments.append(content.as_of + timedelta(minutes=wanted.minutes_after_writes))
    return any(moment is not None and moment <= now for moment in moments)
