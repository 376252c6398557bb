"""What the ledger says, as metrics: right after a restart, and the same from whoever exports it.

Counters of a process begin at nothing with each process. How far a copy is, what was rejected, who holds the lease
stands in the database, so it is read there: at a scrape, but not more often than every few seconds, over a
connection of its own. When it cannot be read, `changeover_ledger_readable` is 0 and the rest is absent: no number is
better than one of yesterday.

`FAMILIES` names every metric with its labels; who reads (`orchestrator.jobs.reading`) gives rows for those names.
Labels are names of plans, stages, tables, reasons: bounded sets, never a key or a statement.
"""

from __future__ import annotations

import platform
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client import Metric

PREFIX: Final = "changeover_"
_FRESH_S: Final = 3.0


class Family(NamedTuple):
    """A metric that is read."""

    doc: str
    labels: tuple[str, ...] = ()
    counter: bool = False


_STAGE: Final = ("plan", "stage")
_SOURCE: Final = ("plan", "stage", "source")

FAMILIES: Final[dict[str, Family]] = {
    "run_state": Family("1 for the state of the latest run", ("plan", "kind", "state")),
    "phase_state": Family("1 for the state that a phase is in, 0 for the others", (*_STAGE, "phase", "state")),
    "phase_seconds": Family("How long a phase has been running, or took", (*_STAGE, "phase")),
    "source_state": Family("1 for the state of a source table", (*_SOURCE, "state")),
    "rows_estimated": Family("Rows of a source, as the planner knows it", _SOURCE),
    "rows_processed": Family("Rows of a source that were read", _SOURCE),
    "rows_migrated": Family("Rows of a source that were copied", _SOURCE),
    "rows_remaining": Family("Rows of a source that are left, by its pages", _SOURCE),
    "pages_estimated": Family("Pages of a source", _SOURCE),
    "pages_processed": Family("Pages of a source that were read", _SOURCE),
    "queue_waiting": Family("Keys that must be derived again", _SOURCE),
    "queue_oldest_seconds": Family("How long the oldest of them waits", _STAGE),
    "rejects": Family("Rows that could not be migrated", (*_STAGE, "reason", "state")),
    "exemptions": Family("Migrated rows that break a rule of the new schema, at the last verification", _SOURCE),
    "exemptions_by_rule": Family("The same by the rule that they break", (*_STAGE, "rule")),
    "verify_clean": Family("1 if the last verification found no difference", _STAGE),
    "verify_running": Family("1 while a verification is under way", _STAGE),
    "verify_rows": Family("Rows compared by the last verification", _STAGE),
    "verify_mismatches": Family("Differences of the last verification", (*_STAGE, "kind")),
    "verify_end_timestamp_seconds": Family("When the last verification ended", _STAGE),
    "flag_stage": Family("1 for the stage that a flag is in, 0 for the others", ("flag", "stage")),
    "flag_rollout_percent": Family("Part of the readers that the flag moves", ("flag",)),
    "flag_changes": Family("Changes of a flag", ("flag",), counter=True),
    "flag_held": Family("1 while a flag waits for a person, after the guard or a kill", ("flag",)),
    "flag_retreats": Family("How often the guard has taken a flag back", ("flag",), counter=True),
    "flag_shadow_reads": Family("Shadow reads of the flag as it stands, a week at most", ("flag", "read", "result")),
    "gate_met": Family("1 if a gate before contract is met", (*_STAGE, "gate")),
    "lease_held": Family("1 while somebody holds the lease", ("plan",)),
    "lease_epoch": Family("How often the lease has changed hands", ("plan",)),
    "lease_age_seconds": Family("Since the holder's last heartbeat", ("plan",)),
    "last_progress_timestamp_seconds": Family("When a batch, an action or a phase was last committed", ("plan",)),
    "job_paused": Family("1 while an operator holds the plan's job", ("plan",)),
    "refresh_age_seconds": Family("How old the content of a materialized view of a plan is", ("plan", "view")),
    "refresh_overdue_seconds": Family("For how long a refresh of it has been due", ("plan", "view")),
    "warnings": Family("What the discovery has found wrong", (*_STAGE, "code")),
    "lock_waits": Family("Sessions that wait for a lock: the migration's own, and others behind it", ("whose",)),
    "replication_lag_seconds": Family("Replay lag of the replica that is furthest behind"),
    "replication_lag_readable": Family("0 if this role may not see the lag"),
}

Row = tuple[str, "Sequence[str]", float]


class LedgerState(Collector):
    """Exports what `read` gives."""

    def __init__(self, read: Callable[[], Iterable[Row]], version: str) -> None:
        """`read` may raise whatever it likes."""
        self._read = read
        self._version = version
        self._lock = threading.Lock()
        self._rows: list[Row] | None = None
        self._at = float("-inf")

    def collect(self) -> Iterator[Metric]:
        """Read, unless it was just read, and give the families in their order."""
        info = GaugeMetricFamily("changeover_build_info", "What runs here", labels=["version", "python"])
        info.add_metric([self._version, platform.python_version()], 1.0)
        yield info
        rows = self._fresh()
        yield GaugeMetricFamily("changeover_ledger_readable", "1 if the ledger can be read", float(rows is not None))
        for name, family in FAMILIES.items():
            kind = CounterMetricFamily if family.counter else GaugeMetricFamily
            metric = kind(PREFIX + name, family.doc, labels=family.labels)
            for found, labels, value in rows or ():
                if found == name:
                    metric.add_metric(list(labels), value)
            if metric.samples:
                yield metric

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not read."""
        return iter(())

    def forget(self) -> None:
        """What is asked for next shall be read anew."""
        with self._lock:
            self._at = float("-inf")

    def _fresh(self) -> list[Row] | None:
        with self._lock:
            if time.monotonic() - self._at > _FRESH_S:
                try:
                    self._rows = list(self._read())
                except Exception:  # noqa: BLE001 - whatever it is, the answer is that nothing can be read
                    self._rows = None
                self._at = time.monotonic()
            return self._rows
