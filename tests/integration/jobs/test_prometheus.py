"""The whole CQMS plan as an operator runs it: a process per phase, and a real Prometheus that looks on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.demo.legacy import generate
from orchestrator.demo.ports import free_port
from tests.support.cli import Cli, spawn
from tests.support.database import Database
from tests.support.prometheus import Prometheus
from tests.support.running import eventually

pytestmark = pytest.mark.newest

STAGES = ("foundation", "audits")
PHASES = ("expand", "dual-write", "backfill", "verify")
SPOIL = """
ALTER TABLE public.audits DISABLE TRIGGER USER;
UPDATE public.audits SET total_score = coalesce(total_score, 0) + 1 WHERE id = (SELECT min(id::text)::uuid FROM public.audits);
ALTER TABLE public.audits ENABLE TRIGGER USER;
"""


@contextmanager
def phase(database: Database, stage: str, name: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """One phase, one process, for as long as the block lasts."""
    where = ("--plan", "cqms", "--stage", stage, "--kind", "rehearsal")
    process = spawn(database.dsn, "run", name, *where, "--metrics-port", str(port))
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> int:
    """Its exit code."""
    _, said = process.communicate(timeout=240)
    print(said)  # noqa: T201 - for whoever looks into a failure
    return process.returncode


def carried_out(database: Database, stage: str, name: str, port: int) -> int:
    """One phase to its end; the exit code."""
    with phase(database, stage, name, port) as process:
        return ended(process)


@pytest.mark.timeout(900)
def test_the_alerts_that_should_fire_do_and_the_others_do_not(database: Database, tmp_path: Path) -> None:
    generate(database.dsn, audits=1500, tables=3, seed=11)
    cli = Cli(database.dsn)
    cli.ok("init")
    exporter, job = free_port(), free_port()
    looker = spawn(database.dsn, "metrics", "--serve", "--metrics-port", str(exporter))
    try:
        with Prometheus(tmp_path, [exporter, job]) as prometheus:
            eventually(lambda: prometheus.value("changeover_ledger_readable") == 1)
            _through(database, cli, prometheus, job)
            assert prometheus.fired() == {"ChangeoverPausedLong", "ChangeoverMismatch", "ChangeoverPhaseFailed"}
            assert prometheus.fired() < prometheus.alerts
    finally:
        looker.terminate()
        looker.communicate(timeout=60)


def _through(database: Database, cli: Cli, prometheus: Prometheus, job: int) -> None:
    for stage in STAGES:
        for name in PHASES:
            if (stage, name) == ("audits", "backfill"):
                cli.ok("pause", "cqms", "--reason", "lunch")
                with phase(database, stage, name, job) as process:
                    eventually(lambda: "ChangeoverPausedLong" in prometheus.firing())
                    cli.ok("resume", "cqms")
                    assert ended(process) == 0
            else:
                assert carried_out(database, stage, name, job) == 0, (stage, name)
            done = f'changeover_phase_state{{stage="{stage}",phase="{name}",state="done"}}'
            eventually(lambda done=done: prometheus.value(f"max({done})") == 1)  # type: ignore[misc]
    eventually(lambda: prometheus.firing() == set())

    by_exporter = f"instance='127.0.0.1:{prometheus.ports[0]}'"
    processed = f"sum(changeover_rows_processed{{stage='audits',{by_exporter}}})"
    assert prometheus.value(processed) == database.value(
        "SELECT sum(rows_seen) FROM changeover.chunk l JOIN changeover.source s ON s.id = l.source_id "
        "JOIN changeover.mapping m ON m.id = s.mapping_id WHERE m.name = 'audits'"
    )

    broken = f"sum(changeover_exemptions_by_rule{{{by_exporter}}})"
    assert prometheus.value(broken) == database.value("SELECT sum(cardinality(legacy_exempt)) FROM public.audits") + (
        database.value("SELECT sum(cardinality(legacy_exempt)) FROM public.employees")
    )

    database.run(SPOIL)
    assert carried_out(database, "audits", "verify", job) == 4
    eventually(lambda: prometheus.firing() == {"ChangeoverMismatch", "ChangeoverPhaseFailed"})
    cli.ok("verify", "--plan", "cqms", "--stage", "audits", "--repair")
    assert carried_out(database, "audits", "verify", job) == 0
    eventually(lambda: prometheus.firing() == set())
    for stage in reversed(STAGES):
        assert carried_out(database, stage, "contract", job) == 0, stage
    eventually(lambda: prometheus.value('sum(changeover_source_state{state="archived"} == 1) > 0') is not None)
