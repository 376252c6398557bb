"""Events become one trace, bounded and without anybody's values; nothing of it when nobody asks."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from orchestrator.kernel.events import Bus, Event
from orchestrator.observability.logs import LogListener, make_logger
from orchestrator.observability.spans import SpanListener, parent_of
from orchestrator.observability.traces import traced, wanted
from tests.support.collector import Collector

AT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
PHASE = {"stage": "audits", "phase": "backfill"}


class Trace:
    """A bus with the listener on it, and the spans that have ended."""

    def __init__(self, batches: float = 1.0, traceparent: str | None = None) -> None:
        self._memory = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._memory))
        parent = parent_of({} if traceparent is None else {"TRACEPARENT": traceparent})
        self.listener = SpanListener(provider.get_tracer("test"), batches=batches, parent=parent)
        self.bus = Bus()
        self.bus.subscribe(self.listener)

    def ended(self, error: str | None = None) -> dict[str, ReadableSpan]:
        """Close; the spans by name, where names repeat the last one."""
        self.listener.close(error)
        assert self.bus.failures == 0
        return {span.name: span for span in self._memory.get_finished_spans()}

    def count(self, name: str) -> int:
        """How many spans of this name have ended."""
        return sum(span.name == name for span in self._memory.get_finished_spans())

    def begin(self) -> None:
        """The lease and a phase."""
        self.bus.emit("lease.acquired", plan="cqms", run=7, epoch=3)
        self.bus.emit("phase.started", **PHASE)

    def batch(self, number: int = 0, **more: object) -> None:
        """A batch of ten rows."""
        told = {"source": "public.qa", "worker": number % 2, "pages": 4, "seen": 10, "copied": 9, "rejected": 1}
        self.bus.emit("backfill.batch", **{**told, "seconds": 0.25, **more})


def above(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def own(span: ReadableSpan) -> int:
    context = span.context
    assert context is not None
    return int(context.span_id)


@pytest.mark.parametrize(
    ("environ", "endpoint", "on", "refused"),
    [
        ({}, None, False, ""),
        ({"OTEL_SERVICE_NAME": "me"}, None, False, ""),
        (AT, None, True, ""),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/x"}, None, True, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, None, False, ""),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, None, True, ""),
        ({}, "http://127.0.0.1:4318/v1/traces", True, ""),
        ({**AT, "OTEL_SDK_DISABLED": "TRUE"}, "http://127.0.0.1:4318/v1/traces", False, ""),
        ({**AT, "OTEL_TRACES_EXPORTER": "none"}, None, False, ""),
        ({**AT, "OTEL_TRACES_EXPORTER": "jaeger"}, None, False, "only otlp"),
        ({**AT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, None, False, "only http/protobuf"),
        ({**AT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, None, True, ""),
    ],
)
def test_the_standard_variables_decide(environ: dict[str, str], endpoint: str | None, on: bool, refused: str) -> None:  # noqa: FBT001
    decision = wanted(environ, endpoint)
    assert decision.on is on
    assert refused in decision.refused
    assert bool(refused) == bool(decision.refused)


def test_run_stage_phase_and_what_is_in_it() -> None:
    trace = Trace()
    trace.begin()
    trace.bus.emit("action.executing", **PHASE, action="index:audits_pkey", lock="SHARE")
    trace.bus.emit("action.retry", **PHASE, action="index:audits_pkey", attempt=1, sqlstate="55P03")
    trace.bus.emit("action.done", **PHASE, action="index:audits_pkey")
    trace.batch()
    trace.bus.emit("backfill.paused", reason="replica_lag_seconds 9 > 5", probes=["replica_lag_seconds"])
    trace.bus.emit("phase.done", **PHASE, seconds=1.5)
    found = trace.ended()
    assert above(found["run"]) is None
    assert above(found["stage audits"]) == own(found["run"])
    assert above(found["backfill"]) == own(found["stage audits"])
    assert above(found["action"]) == above(found["batch"]) == own(found["backfill"])
    where = {
        "changeover.plan": "cqms",
        "changeover.run": 7,
        "changeover.stage": "audits",
        "changeover.phase": "backfill",
    }
    assert found["batch"].attributes is not None
    assert dict(found["batch"].attributes) == where | {
        "changeover.source": "public.qa",
        "changeover.worker": 0,
        "changeover.pages": 4,
        "changeover.rows": 10,
        "changeover.rows_copied": 9,
        "changeover.rows_rejected": 1,
        "changeover.seconds": 0.25,
        "changeover.one_in": 1,
    }
    assert (found["batch"].end_time or 0) - (found["batch"].start_time or 0) == 250_000_000
    assert found["action"].attributes == where | {
        "changeover.action": "index:audits_pkey",
        "changeover.lock": "SHARE",
    }
    assert [(e.name, dict(e.attributes or {})["db.response.status_code"]) for e in found["action"].events] == [
        ("action.retry", "55P03")
    ]
    (pause,) = found["backfill"].events
    assert pause.attributes == {"changeover.probes": ("replica_lag_seconds",)}
    assert (found["backfill"].attributes or {})["changeover.rows"] == 10
    assert all(span.status.status_code is StatusCode.UNSET for span in found.values())


def test_a_million_batches_are_not_a_million_spans() -> None:
    trace = Trace(batches=0.01)
    trace.begin()
    for number in range(1000):
        trace.batch(number)
    trace.batch(source="public.other")
    found = trace.ended()
    assert trace.count("batch") == 11, "one in a hundred, and the first of each table"
    assert (found["backfill"].attributes or {})["changeover.rows"] == 10_010, "the phase tells of all"


def test_no_span_of_a_batch_where_none_is_wanted() -> None:
    trace = Trace(batches=0.0)
    trace.begin()
    trace.batch()
    assert "batch" not in trace.ended()


def test_events_of_a_night_stay_bounded() -> None:
    trace = Trace()
    trace.begin()
    for attempt in range(1000):
        trace.bus.emit(
            "backfill.retry", source="public.qa", chunk=1, page=5, fault="hindered", sqlstate="40P01", n=attempt
        )
    assert len(trace.ended()["backfill"].events) == 128


def test_nobody_s_values_leave_the_house() -> None:
    trace = Trace()
    trace.begin()
    secret = "Key (email)=(jane@example.com) postgresql://me:hush@h/d SELECT 42"
    for kind in (
        "backfill.retry",
        "job.paused",
        "job.reconnecting",
        "lease.lost",
        "backfill.batch",
        "action.executing",
    ):
        trace.bus.emit(kind, **PHASE, error=secret, reason=secret, why=secret, key=secret, by=secret, page=9)
    trace.bus.emit("phase.failed", **PHASE, error=secret, error_type="DuplicateError", sqlstate="23505")
    found = trace.ended("DuplicateError")
    text = "".join(span.to_json() for span in found.values())
    assert all(word not in text for word in ("jane", "hush", "SELECT"))
    assert found["backfill"].status.status_code is StatusCode.ERROR
    assert (found["backfill"].attributes or {})["db.response.status_code"] == "23505"
    assert found["run"].status.description == "DuplicateError"


def test_a_phase_that_is_begun_again_is_another_span_of_the_same_trace() -> None:
    trace = Trace()
    trace.begin()
    trace.bus.emit("phase.failed", **PHASE, error="gone", error_type="RetryableError")
    trace.bus.emit("job.reconnecting", attempt=1, sqlstate="57P01", error="gone")
    trace.begin()
    trace.bus.emit("phase.done", **PHASE, seconds=1.0)
    found = trace.ended()
    assert (trace.count("run"), trace.count("stage audits"), trace.count("backfill")) == (1, 2, 2)
    assert found["run"].status.status_code is StatusCode.UNSET
    assert [event.name for event in found["run"].events] == ["lease.acquired", "job.reconnecting", "lease.acquired"]


def test_the_way_back_has_spans_too() -> None:
    trace = Trace()
    trace.bus.emit("lease.acquired", plan="cqms", run=7, epoch=3)
    trace.bus.emit("phase.rolling_back", **PHASE)
    trace.bus.emit("action.undoing", **PHASE, action="a")
    trace.bus.emit("action.undone", **PHASE, action="a")
    trace.bus.emit("phase.rolled_back", **PHASE, seconds=0.1)
    found = trace.ended()
    assert above(found["undo"]) == own(found["rollback backfill"])


def test_a_run_is_part_of_the_trace_that_it_is_told() -> None:
    trace = Trace(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    trace.begin()
    found = trace.ended()["run"]
    assert above(found) == 0xB7AD6B7169203331
    assert found.context is not None
    assert found.context.trace_id == 0x0AF7651916CD43DD8448EB211C80319C


def test_a_log_line_says_where_its_span_is() -> None:
    trace, out = Trace(), io.StringIO()
    trace.bus.subscribe(LogListener(make_logger("json", "debug", out), trace.listener.ids))
    trace.bus.emit("metrics.listening", port=1)
    trace.begin()
    found = trace.ended()
    before, leased, begun = (json.loads(line) for line in out.getvalue().splitlines())
    assert "trace_id" not in before
    assert leased["span_id"] == f"{own(found['run']):016x}"
    assert begun["span_id"] == f"{own(found['backfill']):016x}"
    assert found["run"].context is not None
    assert begun["trace_id"] == f"{found['run'].context.trace_id:032x}"


def test_off_means_that_nothing_is_imported() -> None:
    code = (
        "import sys; from orchestrator.cli.main import build; build(); from orchestrator.observability.traces import traced;"
        "from orchestrator.kernel.events import Bus; bus = Bus()\n"
        "with traced({}, bus, endpoint=None, batches=1, version='0'): bus.emit('lease.acquired', plan='p', run=1)\n"
        "sys.exit(any(name.split('.')[0] in {'opentelemetry', 'google', 'requests'} for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def heard(bus: Bus) -> list[Event]:
    events: list[Event] = []
    bus.subscribe(events.append)
    return events


def test_without_the_packages_that_is_said_and_the_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orchestrator.observability.otlp", None)
    bus = Bus()
    with traced(AT, bus, endpoint=None, batches=1, version="0") as ids:
        events = heard(bus)
        bus.emit("phase.started", **PHASE)
        bus.emit("phase.done", **PHASE)
        assert ids() == {}
    assert sorted(event.kind for event in events) == ["phase.done", "phase.started", "traces.refused"]


@pytest.mark.parametrize("kind", ["refuses", "is not there", "hangs"])
def test_a_collector_that_is_ill_costs_a_line_in_the_log(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.observability.otlp._LAST_S", 0.3)
    with Collector(400 if kind == "refuses" else 200, hangs=kind == "hangs") as collector:
        address = "http://127.0.0.1:9" if kind == "is not there" else collector.address
        bus = Bus()
        with traced({}, bus, endpoint=f"{address}/v1/traces", batches=1, version="0"):
            events = heard(bus)
            bus.emit("lease.acquired", plan="p", run=1, epoch=1)
        assert bus.failures == 0
        if kind == "refuses":
            assert [event.kind for event in events] == ["lease.acquired", "traces.export_failed"]


def test_what_fails_in_the_block_is_raised_and_stands_in_the_trace() -> None:
    with Collector() as collector:
        bus = Bus()

        def work() -> None:
            with traced({}, bus, endpoint=f"{collector.address}/v1/traces", batches=1, version="0"):
                bus.emit("lease.acquired", plan="p", run=1, epoch=1)
                raise ValueError("wrong")

        with pytest.raises(ValueError, match="wrong"):
            work()
        assert collector.one("run").failed
        assert collector.one("run").attributes["error.type"] == "ValueError"
        assert b"wrong" not in collector.raw
