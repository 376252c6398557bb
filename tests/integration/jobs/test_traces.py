"""A real job and a real HTTP receiver of OTLP: one trace, found from the log, with nobody's values in it."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.cli import Cli, spawn
from tests.support.collector import Collector
from tests.support.database import Database
from tests.support.running import ROWS, Running, nothing_is_lost

pytestmark = pytest.mark.newest

PARENT = "0af7651916cd43dd8448eb211c80319c"


def test_a_job_sends_its_trace(mirrored: Database) -> None:
    with Collector() as collector:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
            "TRACEPARENT": f"00-{PARENT}-b7ad6b7169203331-01",
            "CHANGEOVER_TRACES__BATCHES": "1",
        }
        with Running(mirrored.dsn, "backfill", "--verbose", env=env) as job:
            assert job.ended() == 0, job.text
        run, stage, phase = collector.one("run"), collector.one("stage customers"), collector.one("backfill")
        assert {span.trace_id for span in collector.spans} == {PARENT}
        assert (run.parent_id, stage.parent_id, phase.parent_id) == ("b7ad6b7169203331", run.span_id, stage.span_id)
        batches = [span for span in collector.spans if span.name == "batch"]
        assert {span.parent_id for span in batches} == {phase.span_id}
        assert sum(span.attributes["changeover.rows"] for span in batches) >= ROWS
        assert phase.attributes["changeover.rows"] == sum(span.attributes["changeover.rows"] for span in batches)
        assert {span.attributes["changeover.worker"] for span in batches} <= {0, 1}
        assert any(span.name == "action" for span in collector.spans)
        assert collector.resources[0]["service.name"] == "changeover"
        assert collector.resources[0]["deployment.environment"] == "test"
        began = job.heard("phase.started") or {}
        assert (began["trace_id"], began["span_id"]) == (PARENT, phase.span_id)
        secret = str(conninfo_to_dict(mirrored.dsn)["password"])
        assert all(word not in collector.raw for word in (b"example.com", b"SELECT", secret.encode()))


def test_a_job_that_is_refused_says_so_in_its_trace(mirrored: Database) -> None:
    with Collector() as collector:
        with Running(mirrored.dsn, "contract", env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}) as job:
            assert job.ended() == 5, job.text
        assert collector.one("run").failed
        assert collector.one("run").attributes["error.type"] == "OrderError"


@pytest.mark.parametrize("status", [503, 400])
def test_a_collector_that_refuses_disturbs_nobody(mirrored: Database, status: int) -> None:
    with Collector(status) as collector:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with Running(mirrored.dsn, "backfill", "--verbose", env=env) as job:
            assert job.ended() == 0, job.text
        assert collector.requests
        assert all(line.startswith("{") for line in job.text.splitlines()), job.text
        job.until("traces.export_failed")
    nothing_is_lost(mirrored)


def test_nothing_is_sent_unless_somebody_asks(mirrored: Database, cli: Cli) -> None:
    with Collector() as collector:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_SDK_DISABLED": "true"}
        with Running(mirrored.dsn, "backfill", "--verbose", env=env) as job:
            assert job.ended() == 0, job.text
        assert "trace_id" not in job.text
        assert collector.requests == 0
    cli.ok("status")


def test_a_start_and_a_rollback_are_a_trace_each_with_all_their_phases(mirrored: Database) -> None:
    with Collector() as collector:
        env = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.address}/v1/traces"}
        for command in (("start", "example", "--until", "verify"), ("rollback", "--yes", "--plan", "example")):
            with spawn(mirrored.dsn, *command, env=env) as process:
                process.communicate(timeout=120)
            assert process.returncode == 0
        stages = [span for span in collector.spans if span.name == "stage customers"]
        assert len({span.trace_id for span in stages}) == 2
        forth, back = ({span.name for span in collector.spans if span.parent_id == each.span_id} for each in stages)
        assert forth == {"backfill", "verify"}, "what was done already is not done again"
        assert back == {f"rollback {phase}" for phase in ("verify", "backfill", "dual-write", "expand")}
        assert any(span.name == "undo" for span in collector.spans)
        assert any(span.name == "range" for span in collector.spans)
