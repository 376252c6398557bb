"""A plan as an operator runs it: a process per phase, and a real Prometheus that looks on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from orchestrator.demo.ports import free_port
from tests.support.cli import Cli, spawn
from tests.support.database import Database
from tests.support.prometheus import Prometheus
from tests.support.running import LEGACY, eventually

pytestmark = pytest.mark.newest

STAGE = "customers"
PHASES = ("expand", "dual-write", "backfill", "verify")
SPOIL = """
ALTER TABLE public.customers DISABLE TRIGGER USER;
UPDATE public.customers SET credit = credit + 1 WHERE number = 1 AND shop = 'main';
ALTER TABLE public.customers ENABLE TRIGGER USER;
"""


@contextmanager
def phase(database: Database, name: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """One phase, one process, for as long as the block lasts."""
    where = ("--plan", "example", "--stage", STAGE, "--kind", "rehearsal")
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


def carried_out(database: Database, name: str, port: int) -> int:
    """One phase to its end; the exit code."""
    with phase(database, name, port) as process:
        return ended(process)


@pytest.mark.timeout(900)
def test_the_alerts_that_should_fire_do_and_the_others_do_not(database: Database, tmp_path: Path) -> None:
    database.run(LEGACY.read_text())
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
    for name in PHASES:
        if name == "backfill":
            cli.ok("pause", "example", "--reason", "lunch")
            with phase(database, name, job) as process:
                eventually(lambda: "ChangeoverPausedLong" in prometheus.firing())
                cli.ok("resume", "example")
                assert ended(process) == 0
        else:
            assert carried_out(database, name, job) == 0, name
        done = f'changeover_phase_state{{phase="{name}",state="done"}}'
        eventually(lambda done=done: prometheus.value(f"max({done})") == 1)  # type: ignore[misc]
    eventually(lambda: prometheus.firing() == set())

    by_exporter = f"instance='127.0.0.1:{prometheus.ports[0]}'"
    rows = database.value(
        "SELECT sum(rows_seen) FROM changeover.chunk l JOIN changeover.source s ON s.id = l.source_id "
        "JOIN changeover.mapping m ON m.id = s.mapping_id WHERE m.name = 'customers'"
    )
    _comes_to(prometheus, f"sum(changeover_rows_processed{{stage='customers',{by_exporter}}})", rows)
    exempt = database.value("SELECT sum(cardinality(legacy_exempt)) FROM public.customers")
    _comes_to(prometheus, f"sum(changeover_exemptions_by_rule{{{by_exporter}}})", exempt)

    database.run(SPOIL)
    assert carried_out(database, "verify", job) == 4
    eventually(lambda: prometheus.firing() == {"ChangeoverMismatch", "ChangeoverPhaseFailed"})
    cli.ok("verify", "--plan", "example", "--stage", STAGE, "--repair")
    assert carried_out(database, "verify", job) == 0
    eventually(lambda: prometheus.firing() == set())
    assert carried_out(database, "contract", job) == 0
    eventually(lambda: prometheus.value('sum(changeover_source_state{state="archived"} == 1) > 0') is not None)


def _comes_to(prometheus: Prometheus, expression: str, wanted: float) -> None:
    """A scrape that came too late leaves no sample for a moment: what counts is the value that it comes to."""
    found = partial(prometheus.value, expression)
    eventually(lambda: found() == wanted, seen=lambda: f"{expression} is {found()}, not {wanted}")
