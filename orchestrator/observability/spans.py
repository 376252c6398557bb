"""Events become spans: run, stage, phase, and in a phase its actions and batches.

The core emits events, not spans, so a span is begun and ended by the events that say so; a batch is told when it is
over, with its seconds, and its span is made backwards. A copy has a million batches and a trace must not: of each
source the first batch is a span and then every n-th (`batches` is the share; 0 none, 1 all), and the phase's span has
the totals of all of them. Pauses, retries and reconnections are events of the innermost span, of which the SDK keeps
the last 128.

What a span may say is a list, not a filter: names of ours, numbers and SQLSTATEs. No text of an error, no key and no
statement, because those hold the application's values, and a collector is somebody else's machine.

Imported only where traces are on.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import Span, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

    from orchestrator.kernel.events import Event

_NOTED: Final = frozenset(
    {
        "lease.waiting",
        "lease.acquired",
        "lease.lost",
        "lease.heartbeat_failed",
        "job.reconnecting",
        "job.paused",
        "job.resumed",
        "job.cancelled",
        "job.grace_over",
        "session.reconnecting",
        "drain.retry",
        "action.retry",
        "backfill.paused",
        "backfill.unpaused",
        "backfill.retry",
        "backfill.source.copied",
        "backfill.source.rewritten",
        "verify.repaired",
        "verify.rewritten",
        "source.taken_in",
        "source.changed",
        "source.archived",
        "source.restored",
        "plan.retired",
    }
)
_SAID: Final = {
    "run": "changeover.run",
    "plan": "changeover.plan",
    "stage": "changeover.stage",
    "phase": "changeover.phase",
    "action": "changeover.action",
    "lock": "changeover.lock",
    "source": "changeover.source",
    "scope": "changeover.source",
    "mapping": "changeover.mapping",
    "worker": "changeover.worker",
    "pages": "changeover.pages",
    "rows": "changeover.rows",
    "seen": "changeover.rows",
    "copied": "changeover.rows_copied",
    "rejected": "changeover.rows_rejected",
    "suspicious": "changeover.rows_suspicious",
    "keys": "changeover.keys",
    "tables": "changeover.tables",
    "probes": "changeover.probes",
    "attempt": "changeover.attempt",
    "fault": "changeover.fault",
    "role": "changeover.role",
    "epoch": "changeover.epoch",
    "seconds": "changeover.seconds",
    "exit_code": "changeover.exit_code",
    "sqlstate": "db.response.status_code",
    "error_type": "error.type",
}
_BATCHES: Final = {"backfill.batch": ("batch", "source"), "verify.range": ("range", "scope")}
_TOTALS: Final = ("seen", "rows", "copied", "rejected", "pages")
_LEVELS: Final = ("run", "stage", "phase", "action")


def parent_of(environ: Mapping[str, str]) -> Context:
    """The trace that TRACEPARENT names; an empty context where it names none."""
    carrier = {name: environ[name.upper()] for name in ("traceparent", "tracestate") if name.upper() in environ}
    return TraceContextTextMapPropagator().extract(carrier)


class SpanListener:
    """Turns the events of one process into one trace."""

    def __init__(self, tracer: Tracer, *, batches: float, parent: Context | None = None) -> None:
        self._tracer = tracer
        self._every = round(1 / batches) if batches > 0 else 0
        self._parent = parent
        self._open: dict[str, Span] = {}
        self._known: dict[str, Any] = {}
        self._counted: Counter[tuple[str, str]] = Counter()
        self._totals: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Follow one event."""
        with self._lock:
            fields = event.fields
            match event.kind:
                case "lease.waiting" | "lease.acquired":
                    self._begin_run(fields)
                case "phase.started" | "phase.rolling_back":
                    back = event.kind == "phase.rolling_back"
                    self._begin_phase(fields, "rollback " if back else "")
                case "phase.done" | "phase.rolled_back":
                    self._end("phase", _attributes(fields))
                case "phase.stopped":
                    self._end("stage", _attributes(fields))
                case "phase.failed":
                    self._end("stage", _attributes(fields), error=str(fields.get("error_type", "error")))
                case "action.executing" | "action.undoing":
                    self._end("action")
                    self._begin("action", "undo" if event.kind == "action.undoing" else "action", fields)
                case "action.done" | "action.undone":
                    self._end("action")
                case "backfill.batch" | "verify.range":
                    self._batch(event)
            if event.kind in _NOTED and (span := self._innermost()) is not None:
                span.add_event(event.kind, _attributes(fields))

    def ids(self) -> Mapping[str, str]:
        """What a log line says to be found from its span; nothing before the trace has begun."""
        span = self._innermost()
        if span is None:
            return {}
        context = span.get_span_context()
        return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}

    def close(self, error: str | None = None) -> None:
        """End whatever is open; `error` is the name of what ended the process's work, if it was one."""
        with self._lock:
            self._end("run", error=error)

    def _innermost(self) -> Span | None:
        # A copy: other threads begin and end spans meanwhile.
        return next(reversed(list(self._open.values())), None)

    def _begin_run(self, fields: Mapping[str, Any]) -> None:
        self._known |= {name: fields[name] for name in ("plan", "run") if name in fields}
        if "run" not in self._open:
            self._begin("run", "run", {})
        self._open["run"].set_attributes(_attributes(self._known))

    def _begin_phase(self, fields: Mapping[str, Any], prefix: str) -> None:
        self._end("phase")
        if self._known.get("stage") != fields["stage"]:
            self._end("stage")
        self._known = {name: self._known[name] for name in ("plan", "run") if name in self._known}
        self._known["stage"] = fields["stage"]
        if "stage" not in self._open:
            self._begin("stage", f"stage {fields['stage']}", {})
        self._known["phase"] = fields["phase"]
        self._begin("phase", f"{prefix}{fields['phase']}", {})

    def _begin(self, level: str, name: str, fields: Mapping[str, Any]) -> None:
        self._open[level] = self._tracer.start_span(
            name, self._context(), attributes=_attributes({**self._known, **fields})
        )

    def _context(self) -> Context | None:
        inner = self._innermost()
        return self._parent if inner is None else set_span_in_context(inner)

    def _end(self, level: str, attributes: Mapping[str, Any] | None = None, *, error: str | None = None) -> None:
        """End a level and all below it, the innermost first."""
        for each in reversed(_LEVELS[_LEVELS.index(level) :]):
            span = self._open.pop(each, None)
            if span is None:
                continue
            if each == "phase":
                span.set_attributes({**_attributes(self._totals), **(attributes or {})})
                self._totals.clear()
                self._counted.clear()
            if error is not None:
                span.set_attribute("error.type", error)
                span.set_status(StatusCode.ERROR, error)
            span.end()

    def _batch(self, event: Event) -> None:
        name, table = _BATCHES[event.kind]
        self._totals.update({each: event.fields[each] for each in _TOTALS if each in event.fields})
        which = (event.kind, str(event.fields.get(table)))
        number = self._counted[which]
        self._counted[which] += 1
        if self._every and number % self._every == 0:
            now = time.time_ns()
            begun = now - int(float(event.fields.get("seconds") or 0.0) * 1e9)
            told = {**_attributes({**self._known, **event.fields}), "changeover.one_in": self._every}
            self._tracer.start_span(name, self._phase_context(), attributes=told, start_time=begun).end(now)

    def _phase_context(self) -> Context | None:
        """A batch belongs to its phase; a comparison that is no phase's, to the run."""
        span = self._open.get("phase") or self._open.get("run")
        return self._parent if span is None else set_span_in_context(span)


def _attributes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What of these values a span may say."""
    return {_SAID[name]: value for name, value in fields.items() if name in _SAID and value is not None}
