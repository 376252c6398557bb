"""What the commands return: plain values, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

CHECKS_NOT_MET: Final = "checks not met"
"""The kind under which a verification counts what is no difference of a row."""


@dataclass(frozen=True)
class PhaseResult:
    """One phase of one stage, carried out or taken back."""

    stage: str
    phase: str
    state: str
    seconds: float
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StartResult:
    """How far a start came."""

    phases: list[PhaseResult]
    stopped_at: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class VerifyResult:
    """One stage compared. ``counts`` has the counting rule per source: legacy = migrated + rejected."""

    stage: str
    clean: bool
    rows: int
    differences: int
    by_kind: dict[str, int]
    seconds: float
    counts: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    repaired: int = 0
    pending: int = 0


@dataclass(frozen=True)
class OutlineItem:
    """One statement or step that a plan will execute."""

    stage: str
    phase: str
    id: str
    sql: str
    lock: str
    inverse: str
    doc: str
    transactional: bool
    told: str = ""
    """What `plan check` says of it."""


@dataclass(frozen=True)
class GateStatus:
    """A gate, whether it holds, what that means in words, and what to do if it does not."""

    gate: str
    met: bool
    words: str
    todo: str = ""
    critical: bool = True
    """Whether contract waits for it."""
    roles: tuple[str, ...] = ()
    """In which roles people answer it ('' where any person may); none where it is measured."""


@dataclass(frozen=True)
class SourceStatus:
    """One source table's share of a mapping."""

    name: str
    mapping: str
    state: str
    percent: float
    rows_seen: int
    rows_copied: int
    rows_rejected: int
    """Rows that the copy rejected when it came by."""
    rejects: int
    """Rejects as they are now: mirrors make and mend some."""
    queue: int
    pages: int = 0
    """Heap pages to copy; what the bar of a stage weighs by."""
    rows_there: int = field(init=False)
    """Rows that the copy found done, as a mirror had written or rejected them. Seen = copied + there + rejected."""
    rechecks: int = field(init=False)
    """The same number as `queue`, for scripts that read `status --json` by the word of before 0.1.0."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows_there", max(self.rows_seen - self.rows_copied - self.rows_rejected, 0))
        object.__setattr__(self, "rechecks", self.queue)


@dataclass(frozen=True)
class StageStatus:
    """Where a stage stands."""

    stage: str
    phases: dict[str, dict[str, Any]]
    sources: list[SourceStatus]
    flag: dict[str, Any] | None
    gates: list[GateStatus]
    verification: dict[str, Any] | None
    checks: list[dict[str, Any]] = field(default_factory=list)
    """The last answer of each check that the plan asks."""
    percent: float = 0.0
    """Of the pages of all its tables, how many are copied."""


@dataclass(frozen=True)
class Waiting:
    """What a plan does now, or why it does nothing."""

    state: str
    """running, paused, throttled, gate, failed, interrupted, idle, finished, rolled_back, abandoned"""
    words: str
    by: str = ""
    """Who or what holds it up: a person, probes, a gate."""
    todo: str = ""


@dataclass(frozen=True)
class PlanStatus:
    """Where a plan stands."""

    plan: str
    run_id: int
    kind: str
    state: str
    operator: str
    started_at: str
    stages: list[StageStatus]
    lease: dict[str, Any] | None
    warnings: list[dict[str, Any]]
    job: dict[str, Any] | None = None
    """What the process at work says of itself: state, phase, progress (rate, ETA), probes, settings."""
    control: dict[str, Any] | None = None
    """What an operator has asked of it: request, by, reason, at."""
    waiting: Waiting | None = None
    expected: list[dict[str, Any]] = field(default_factory=list)
    """Stage, phase and the seconds to expect, by the rehearsal that is registered."""


@dataclass(frozen=True)
class Status:
    """Where everything stands."""

    installed: bool
    plans: list[PlanStatus]


@dataclass(frozen=True)
class ReplayResult:
    """What became of rejects that were tried again."""

    replayed: int
    drained: int
    still_rejected: int
