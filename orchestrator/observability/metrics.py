"""Events become Prometheus metrics.

One table says which event moves which metric, by which of its fields and with which labels; an event that is not
listed is still counted by its kind in `changeover_events_total`. The registry is our own and handed in, so that two
runs in one process (tests) do not collide and the process's other metrics are not ours to export.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from orchestrator.kernel.events import Event

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 5.0, 30.0)
_JOB: Final = ("plan", "stage")
"""Labels of what is true of this process's job only, so that two jobs do not look like one."""
_NUMBERS: Final = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0)

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
    Rule("backfill.batch", Counter, "changeover_rows_seen", "Source rows read", ("source",), "seen"),
    Rule("backfill.batch", Counter, "changeover_rows_copied", "Rows copied", ("source",), "copied"),
    Rule("backfill.batch", Counter, "changeover_rows_rejected", "Rows rejected", ("source",), "rejected"),
    Rule("backfill.batch", Counter, "changeover_pages_copied", "Heap pages copied", ("source",), "pages"),
    Rule("backfill.batch", Histogram, "changeover_batch_seconds", "Time of a batch", ("source",), "seconds"),
    Rule("backfill.batch", Histogram, "changeover_batch_pages", "Heap pages of a batch", ("source",), "pages"),
    Rule("backfill.batch", Histogram, "changeover_batch_rows", "Rows of a batch", ("source",), "seen"),
    Rule("backfill.retry", Counter, "changeover_batch_retries", "Batches tried again", ("fault", "sqlstate_class")),
    Rule("backfill.paused", Counter, "changeover_pauses", "Pauses out of consideration"),
    Rule("backfill.unpaused", Counter, "changeover_pause_seconds", "Time spent pausing", (), "seconds"),
    Rule("backfill.probe", Gauge, "changeover_probe_value", "What a probe reads", (*_JOB, "probe"), "value"),
    Rule("backfill.probe", Gauge, "changeover_probe_limit", "Where a probe pauses the copy", (*_JOB, "probe"), "limit"),
    Rule(
        "backfill.probe", Gauge, "changeover_probe_unreadable", "1: it cannot be read", (*_JOB, "probe"), "unreadable"
    ),
    Rule("backfill.progress", Gauge, "changeover_backfill_ratio", "Part of the pages copied", _JOB, "percent", 0.01),
    Rule("backfill.progress", Gauge, "changeover_eta_seconds", "Time left of the copy", _JOB, "eta_seconds"),
    Rule("backfill.progress", Gauge, "changeover_rows_per_second", "Speed of the copy", _JOB, "rows_per_second"),
    Rule("backfill.drain", Counter, "changeover_queue_drained", "Queued keys drained", ("source",), "drained"),
    Rule("verify.range", Counter, "changeover_rows_compared", "Rows compared", ("scope",), "rows"),
    Rule("verify.range", Histogram, "changeover_verify_range_seconds", "Time of a range", ("scope",), "seconds"),
    Rule("verify.progress", Gauge, "changeover_verify_ratio", "Part of the pages compared", _JOB, "percent", 0.01),
    Rule("verify.repaired", Counter, "changeover_keys_repaired", "Keys repaired", ("source",), "keys"),
    Rule("action.retry", Counter, "changeover_lock_retries", "DDL tried again", ("phase", "sqlstate_class")),
    Rule("action.done", Counter, "changeover_actions_done", "Actions carried out", ("phase",)),
    Rule("session.reconnecting", Counter, "changeover_reconnects", "Connections that had to be replaced", ("role",)),
    Rule("job.reconnecting", Counter, "changeover_job_reconnects", "Sessions that had to be begun again"),
    Rule("lease.heartbeat_failed", Counter, "changeover_heartbeats_failed", "Heartbeats that did not get through"),
    Rule("phase.done", Gauge, "changeover_phase_done_seconds", "How long it took", (*_JOB, "phase"), "seconds"),
)


class MetricsListener:
    """Keeps the metrics of one registry up to date."""

    def __init__(
        self, registry: CollectorRegistry, rules: tuple[Rule, ...] = RULES, *, plan: str = "", stage: str = ""
    ) -> None:
        """`plan` and `stage` are labels; a process that does several stages hears which one begins."""
        self._job = {"plan": plan, "stage": stage}
        self._events = Counter("changeover_events", "Events by kind", ("kind",), registry=registry)
        self._rules: dict[str, list[tuple[Rule, Metric]]] = {}
        for rule in rules:
            metric = self._make(rule, registry)
            self._rules.setdefault(rule.kind, []).append((rule, metric))

    def __call__(self, event: Event) -> None:
        """Count one event."""
        self._events.labels(event.kind).inc()
        if event.kind == "phase.started":
            self._job["stage"] = event.fields["stage"]
        fields = {**self._job, **event.fields}
        if "sqlstate" in fields:
            fields = {**fields, "sqlstate_class": (fields["sqlstate"] or "none")[:2]}
        for rule, metric in self._rules.get(event.kind, ()):
            _apply(rule, metric, fields)

    @staticmethod
    def _make(rule: Rule, registry: CollectorRegistry) -> Metric:
        if rule.metric is Histogram:
            buckets = _SECONDS if rule.name.endswith("_seconds") else _NUMBERS
            return Histogram(rule.name, rule.doc, rule.labels, buckets=buckets, registry=registry)
        return rule.metric(rule.name, rule.doc, rule.labels, registry=registry)


def _apply(rule: Rule, metric: Metric, fields: dict[str, Any]) -> None:
    value = 1.0 if rule.field is None else fields.get(rule.field)
    labels = [str(fields.get(label, "")) for label in rule.labels]
    if value is None:
        if isinstance(metric, Gauge) and labels:
            with suppress(KeyError):
                metric.remove(*labels)  # what is not known is absent, and not what it was
        return
    child = metric.labels(*labels) if labels else metric
    amount = float(value) * rule.scale
    if isinstance(child, Counter):
        child.inc(amount)
    elif isinstance(child, Gauge):
        child.set(amount)
    else:
        child.observe(amount)
