"""Events become log lines and metrics, and no password gets through."""

from __future__ import annotations

import io
import json

import pytest
from prometheus_client import CollectorRegistry

from orchestrator.kernel.events import Bus
from orchestrator.observability.logs import LogListener, make_logger, scrub
from orchestrator.observability.metrics import RULES, MetricsListener


def log(**fields: object) -> dict[str, object]:
    out, bus = io.StringIO(), Bus()
    bus.subscribe(LogListener(make_logger("json", "debug", out)))
    bus.emit("backfill.batch", **fields)
    assert bus.failures == 0
    line: dict[str, object] = json.loads(out.getvalue())
    return line


def test_an_event_is_one_line_of_json() -> None:
    line = log(source="public.qa", seen=3, level=9)
    assert line["event"] == "backfill.batch"
    assert (line["source"], line["seen"], line["level_"]) == ("public.qa", 3, 9)
    assert line["level"] == "debug"
    assert str(line["timestamp"]).endswith("Z")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:hush@h:5432/d",
        "cannot reach postgresql://me:hush@h/d?x=1 now",
        "host=h password=hush dbname=d",
        "host=h password='hush hush' dbname=d",
        "postgresql://h/d?user=me&password=hush&sslmode=require",
        "SSLPASSWORD = hush",
    ],
)
def test_a_password_never_reaches_the_log(text: str) -> None:
    assert "hush" not in scrub(text)
    assert "hush" not in json.dumps(log(a=text, b=[text], c={"d": (text,)}, e=RuntimeError(text)))


def test_what_is_no_password_stays() -> None:
    for text in ("postgresql://me@h/d", "https://example.test/a:b", "12:30 user@example.test"):
        assert scrub(text) == text


def test_console_lines_are_readable_and_clean() -> None:
    out = io.StringIO()
    make_logger("console", stream=out).info("phase.started", dsn="postgresql://me:hush@h/d")
    assert "phase.started" in out.getvalue()
    assert "hush" not in out.getvalue()


def test_metrics_move_with_events() -> None:
    registry, bus = CollectorRegistry(), Bus()
    bus.subscribe(MetricsListener(registry, plan="cqms"))
    bus.emit("phase.started", stage="audits", phase="backfill")
    for _ in range(2):
        bus.emit("backfill.batch", source="public.qa", seen=10, copied=9, rejected=1, seconds=0.2)
    bus.emit("backfill.progress", percent=50.0, eta_seconds=7.0)
    bus.emit("backfill.paused", reason="x")
    bus.emit("never.heard.of")
    assert bus.failures == 0
    labels = {"source": "public.qa"}
    assert registry.get_sample_value("changeover_rows_copied_total", labels) == 18
    assert registry.get_sample_value("changeover_rows_rejected_total", labels) == 2
    assert registry.get_sample_value("changeover_batch_seconds_sum", labels) == pytest.approx(0.4)
    job = {"plan": "cqms", "stage": "audits"}
    assert registry.get_sample_value("changeover_backfill_ratio", job) == pytest.approx(0.5)
    assert registry.get_sample_value("changeover_eta_seconds", job) == 7
    bus.emit("backfill.progress", percent=51.0, eta_seconds=None)
    assert registry.get_sample_value("changeover_eta_seconds", job) is None, "what is not known is absent"
    assert registry.get_sample_value("changeover_pauses_total") == 1
    assert registry.get_sample_value("changeover_events_total", {"kind": "never.heard.of"}) == 1


def test_every_rule_has_a_metric_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("kind", "level"),
    [("backfill.retry", "warning"), ("verify.drain_failed", "error"), ("backfill.source.copied", "info")],
)
def test_the_last_word_of_a_kind_decides_its_level(kind: str, level: str) -> None:
    out, bus = io.StringIO(), Bus()
    bus.subscribe(LogListener(make_logger("json", "debug", out)))
    bus.emit(kind)
    assert json.loads(out.getvalue())["level"] == level
