"""How long the copy stood still, by reason.

The reasons are probes that were over their limit, `operator` for a pause by hand, and `give_way` for the moments that
workers waited before a batch (with several workers, the sum over them).
Several reasons can hold at the same time; each has its own clock, so their sum may exceed the time that passed.
A pause that still holds is counted up to now when somebody scrapes, or a night's pause would be missing until the
morning.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from orchestrator.kernel.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from orchestrator.kernel.clock import Clock
    from orchestrator.kernel.events import Event

OPERATOR: Final = "operator"
GAVE_WAY: Final = "give_way"


class Throttling(Collector):
    """Listens to pauses, and counts them."""

    def __init__(self, clock: Clock | None = None, *, plan: str = "", stage: str = "") -> None:
        """`plan` and `stage` are labels; a process that does several stages hears which one begins."""
        self._plan, self._stage = plan, stage
        self._clock = clock or SystemClock()
        self._since: dict[str, float] = {}
        self._seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Follow one event."""
        with self._lock:
            probes = set(self._since) - {OPERATOR}
            match event.kind:
                case "phase.started":
                    self._stage = event.fields["stage"]
                case "backfill.paused":
                    now = set(event.fields["probes"])
                    self._end(probes - now)
                    self._begin(now - probes)
                case "backfill.yielded":
                    self._seconds[GAVE_WAY] = self._seconds.get(GAVE_WAY, 0.0) + event.fields["seconds"]
                case "backfill.unpaused" | "phase.done" | "phase.failed" | "phase.stopped":
                    self._end(probes)
                case "job.paused":
                    self._begin({OPERATOR})
                case "job.resumed" | "job.ended" | "job.failed":
                    self._end({OPERATOR} & set(self._since))

    def collect(self) -> Iterator[Metric]:
        """Give the seconds, and what holds now."""
        names = ["plan", "stage", "reason"]
        seconds = CounterMetricFamily(
            "changeover_throttle_seconds", "Time for which the copy stood still", labels=names
        )
        holds = GaugeMetricFamily("changeover_throttled", "1 while the copy stands still for it", labels=names)
        with self._lock:
            now = self._clock.monotonic()
            for reason in sorted({*self._seconds, *self._since}):
                running = now - self._since[reason] if reason in self._since else 0.0
                seconds.add_metric([self._plan, self._stage, reason], self._seconds.get(reason, 0.0) + running)
                holds.add_metric([self._plan, self._stage, reason], float(reason in self._since))
        yield seconds
        yield holds

    def _begin(self, reasons: set[str]) -> None:
        for reason in reasons:
            self._since.setdefault(reason, self._clock.monotonic())

    def _end(self, reasons: set[str]) -> None:
        for reason in reasons:
            begun = self._since.pop(reason)
            self._seconds[reason] = self._seconds.get(reason, 0.0) + self._clock.monotonic() - begun
