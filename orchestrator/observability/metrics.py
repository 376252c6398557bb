"""Events become Prometheus metrics.

One table says which event moves which metric, by which of its fields and with which labels; an event that is not
listed is still counted by its kind in `changeover_events_total`. The registry is our own and handed in, so that two
runs in one process (tests) do not collide and the process's other metrics are not ours to export.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from orchestrator.kernel.events import Event

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 5.0, 30.0)

Metric = Counter | Gauge | Histogram


@dataclass(frozen=True, slots=True)
class Rule:
    """Event `kind` moves `metric` by the value of `field` (by one, if there is no field)."""

    kind: str
    metric: type[Metric]
    name: str
    doc: str
    labels: tuple[str, ...] = ()
    field: str | None = None
    scale: float = 1.0


RULES: Final = (
    Rule("batch.committed", Counter, "changeover_rows_seen", "Source rows read", ("source",), "seen"),
    Rule("batch.committed", Counter, "changeover_rows_copied", "Rows copied", ("source",), "copied"),
    Rule("batch.committed", Counter, "changeover_rows_rejected", "Rows rejected", ("source",), "rejected"),
    Rule("batch.committed", Histogram, "changeover_batch_seconds", "Time of a batch", ("source",), "ms", 0.001),
    Rule("batch.retried", Counter, "changeover_batch_retries", "Batches tried again", ("sqlstate",)),
    Rule("lock.retried", Counter, "changeover_lock_retries", "DDL statements tried again", ("sqlstate",)),
    Rule(
        "sweep.measured", Gauge, "changeover_rechecks_pending", "Keys waiting for a recheck", ("source",), "remaining"
    ),
    Rule(
        "verify.finished", Gauge, "changeover_differences", "Differences in the last verification", ("stage",), "found"
    ),
)


class MetricsListener:
    """Keeps the metrics of one registry up to date."""

    def __init__(self, registry: CollectorRegistry, rules: tuple[Rule, ...] = RULES) -> None:
        self._events = Counter("changeover_events", "Events by kind", ("kind",), registry=registry)
        self._rules: dict[str, list[tuple[Rule, Metric]]] = {}
        for rule in rules:
            metric = self._make(rule, registry)
            self._rules.setdefault(rule.kind, []).append((rule, metric))

    def __call__(self, event: Event) -> None:
        """Count one event."""
        self._events.labels(event.kind).inc()
        for rule, metric in self._rules.get(event.kind, ()):
            _apply(rule, metric, event.fields)

    @staticmethod
    def _make(rule: Rule, registry: CollectorRegistry) -> Metric:
        if rule.metric is Histogram:
            return Histogram(rule.name, rule.doc, rule.labels, buckets=_SECONDS, registry=registry)
        return rule.metric(rule.name, rule.doc, rule.labels, registry=registry)


def _apply(rule: Rule, metric: Metric, fields: dict[str, Any]) -> None:
    value = 1.0 if rule.field is None else fields.get(rule.field)
    if value is None:
        return
    child = metric.labels(*(str(fields.get(label, "")) for label in rule.labels)) if rule.labels else metric
    amount = float(value) * rule.scale
    if isinstance(child, Counter):
        child.inc(amount)
    elif isinstance(child, Gauge):
        child.set(amount)
    else:
        child.observe(amount)
