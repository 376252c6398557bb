"""How large the next batch is, and whether to pause: decisions only, nothing here measures or waits.

**Size.** A batch aims at a duration (200 ms), because an application that writes a row just being copied
waits that long. The rule and its figures are those of GitLab's optimizer for batched background migrations
(`Gitlab::Database::BackgroundMigration::BatchOptimizer`), which has carried them through years of large tables:
efficiency = duration / target, smoothed exponentially with alpha = 0.4; between 0.90 and 0.95 the size is right;
outside, it is multiplied by 0.95 / efficiency, growing at most by 1.2 a step. Growth is slow because the next pages
may be denser than the last ones; shrinking is not limited, because the harm of a long batch is another's.
When a batch had to give way (lock timeout, deadlock, serialization failure) the size halves at once.

**Pauses.** A probe that stands above its limit pauses the copy; it resumes when the probe has fallen below a
lower mark, so that a value swinging around the limit does not switch the copy on and off every second. What
cannot be read counts as too much: a lag nobody can see is not a lag of zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALPHA: Final = 0.4
MAX_STEP: Final = 1.2
EFFICIENT: Final = (0.90, 0.95)
RESUME_AT: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingSettings:
    """The duration aimed at, and the pages a batch may have."""

    target_seconds: float = 0.2
    floor_pages: int = 1
    ceiling_pages: int = 4096
    first_pages: int = 256

    def __post_init__(self) -> None:
        if not 1 <= self.floor_pages <= self.first_pages <= self.ceiling_pages:
            message = "batch sizes must satisfy 1 <= floor <= first <= ceiling"
            raise ValueError(message)
        if self.target_seconds <= 0:
            message = "the target duration of a batch must be positive"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Pace:
    """Pages of the next batch, and the smoothed efficiency so far."""

    pages: int
    efficiency: float | None = None


def first(settings: PacingSettings) -> Pace:
    """Where a table starts: small, since nothing is known about its rows."""
    return Pace(settings.first_pages)


def after_batch(pace: Pace, settings: PacingSettings, *, pages: int, seconds: float) -> Pace:
    """Judge a batch that went through."""
    measured = max(seconds, 0.0) / settings.target_seconds
    # The end of a chunk is a short batch: that it was quick tells nothing about a full one.
    if pages < pace.pages and measured < 1:
        return pace
    smoothed = measured if pace.efficiency is None else ALPHA * measured + (1 - ALPHA) * pace.efficiency
    low, high = EFFICIENT
    if low <= smoothed <= high:
        return replace(pace, efficiency=smoothed)
    step = min(MAX_STEP, high / smoothed) if smoothed > 0 else MAX_STEP
    wanted = int(pace.pages * step)
    if step > 1:
        wanted = max(wanted, pace.pages + 1)  # 1.2 times 3 pages is 3 pages: it would never grow
    return Pace(_within(settings, wanted), smoothed)


def after_hindrance(pace: Pace, settings: PacingSettings) -> Pace:
    """Halve: the batch had to give way, and a shorter one is in the way for less long."""
    return replace(pace, pages=_within(settings, pace.pages // 2))


def _within(settings: PacingSettings, pages: int) -> int:
    return max(settings.floor_pages, min(settings.ceiling_pages, pages))


@dataclass(frozen=True, slots=True)
class Limit:
    """Pause above the one mark, resume at or below the other (by default 80 % of it)."""

    pause_above: float
    resume_below: float | None = None

    def __post_init__(self) -> None:
        if self.resume_below is not None and self.resume_below > self.pause_above:
            message = "a probe must resume at or below the value it pauses above"
            raise ValueError(message)

    @property
    def resume(self) -> float:
        """The lower mark."""
        return self.pause_above * RESUME_AT if self.resume_below is None else self.resume_below


@dataclass(frozen=True, slots=True)
class Reading:
    """What a probe saw; None = it could not be read, with the reason in `detail`."""

    probe: str
    value: float | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the copy is paused."""

    probe: str
    value: float | None
    limit: float
    detail: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.probe} is unreadable ({self.detail or 'no value'})"
        return f"{self.probe} is {self.value:g}, limit {self.limit:g}"


def throttle(held: Sequence[Reason], readings: Sequence[Reading], limits: Mapping[str, Limit]) -> tuple[Reason, ...]:
    """Return the reasons to pause now, given those that hold already; none = go on."""
    pausing = {reason.probe for reason in held}
    reasons = []
    for reading in readings:
        limit = limits.get(reading.probe)
        if limit is None:
            continue
        mark = limit.resume if reading.probe in pausing else limit.pause_above
        if reading.value is None or not reading.value <= mark:  # "not <=" so that a NaN pauses as well
            reasons.append(Reason(reading.probe, reading.value, mark, reading.detail))
    return tuple(reasons)
