"""The settings of a copy and of a comparison, as plain values; the entry point reads them from where they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backfill.pacing import Limit, PacingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomProbe:
    """A question of the operator's: a query (`sql`) or an address (`url`).

    The number that it answers is the value, or (`latency`) the milliseconds that the answer takes.
    """

    name: str
    limit: Limit
    sql: str = ""
    url: str = ""
    latency: bool = False

    def __post_init__(self) -> None:
        if bool(self.sql) == bool(self.url):
            message = f"probe {self.name} asks either a query or an address"
            raise ValueError(message)
        if self.url and not self.url.startswith(("http://", "https://")):
            message = f"probe {self.name} asks http or https only"
            raise ValueError(message)


def default_limits() -> Mapping[str, Limit]:
    """Return the probes that are on unless asked otherwise.

    Off by default: `active_sessions` (what is many depends on the machine) and `autovacuum` (it runs on a table
    being filled nearly all the time, and the copy adds rows but leaves no dead ones).
    """
    return {
        "replica_lag_seconds": Limit(10.0),
        "archive_backlog_segments": Limit(64.0),
        "lock_waiters": Limit(10.0),
        "oldest_transaction_seconds": Limit(3600.0),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillSettings:
    """How the copy behaves. Times are seconds unless the name says otherwise."""

    pacing: PacingSettings = field(default_factory=PacingSettings)
    limits: Mapping[str, Limit] = field(default_factory=default_limits)
    custom_probes: tuple[CustomProbe, ...] = ()
    probe_interval: float = 1.0
    rest: float = 0.0
    """How long a worker rests after a batch, as a multiple of the batch's time (of the target's at most)."""
    give_way: int | None = None
    """Before a batch, wait (a second at most) while more others than this are in a transaction; None: never wait."""
    longest_pause: float = 3600.0
    lock_timeout_ms: int = 100
    synchronous_commit: bool = False
    attempts: int = 40
    reconnect: float = 120.0
    hook_interval: float = 1.0
    smallest_chunk_pages: int = 64
    drain_interval: float = 1.0
    drain_keys: int = 500
    drain_patience: float = 300.0
    drain_grace: float = 5.0
    queue_attempts: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings:
    """How the comparison behaves."""

    pacing: PacingSettings = field(
        default_factory=lambda: PacingSettings(target_seconds=1.0, first_pages=256, ceiling_pages=16384)
    )
    attempts: int = 40
    reconnect: float = 120.0
    rounds: int = 10
    repair_rounds: int = 3
    repair_keys: int = 500
    lock_timeout_ms: int = 100
    drain: BackfillSettings = field(default_factory=BackfillSettings)
