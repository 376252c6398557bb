"""P6: one runner. The second one is told who the first is; one that was paused too long can do no more harm."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from random import Random

import psycopg
import pytest

from orchestrator.engine import commands
from orchestrator.engine.errors import RunEndedError, StoppedError
from orchestrator.engine.session import Terms, open_session
from orchestrator.kernel.events import Bus
from orchestrator.ledger.errors import LeaseLostError
from tests.chaos.facts import facts
from tests.chaos.killing import KILLED, ForkServer
from tests.support.cases import EXAMPLE
from tests.support.cli import spawn
from tests.support.database import Database, Databases
from tests.support.running import SHORT_LEASE, eventually

pytestmark = pytest.mark.newest

DUAL_WRITE = ("run", "dual-write", "--plan", "example", "--stage", "customers")
START = ("start", "example", "--until", "verify")
# The sessions of the test itself are called changeover/test-….
OURS = (
    "FROM pg_stat_activity WHERE application_name LIKE 'changeover/%' AND application_name NOT LIKE 'changeover/test-%'"
)
WAITS = f"SELECT count(*) {OURS} AND wait_event_type = 'Lock'"
CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s"
EPOCH = "SELECT epoch FROM changeover.lease"


@pytest.fixture
def expanded(databases: Databases, fork_server: ForkServer) -> Database:
    database = databases.clone("chaos example", EXAMPLE.build)
    for command in (("init",), ("start", "example", "--until", "expand")):
        assert fork_server.run(database.dsn, *command).code == 0
    return database


@contextmanager
def held(database: Database) -> Iterator[None]:
    """A transaction of the application in the way of the triggers."""
    conn = database.connect("app", autocommit=False)
    conn.execute("UPDATE public.customers_old SET name = name WHERE id = 1")
    try:
        yield
    finally:
        if not conn.closed:
            conn.rollback()


@contextmanager
def job(database: Database, *argv: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the program, which waits for the lock that is held."""
    process = spawn(database.dsn, *argv, env=SHORT_LEASE)
    try:
        eventually(lambda: bool(database.value(WAITS)))
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "second",
    [DUAL_WRITE, START, ("verify", "--plan", "example"), ("rollback", "--yes", "--plan", "example")],
    ids=lambda c: c[0],
)
def test_the_second_runner_is_told_who_the_first_is(
    expanded: Database, fork_server: ForkServer, second: tuple[str, ...]
) -> None:
    with held(expanded), job(expanded, *DUAL_WRITE) as first:
        before = expanded.rows("SELECT stage, phase, state FROM changeover.phase ORDER BY 1, 2"), expanded.value(EPOCH)
        done = fork_server.run(expanded.dsn, *second, env={"CHANGEOVER_JOB__WAIT_S": "0"})
        assert done.code == 1
        assert f"pid {first.pid} on " in done.err
        assert "holds the lease of plan example" in done.err
        assert "Nothing was changed" in done.err
        after = expanded.rows("SELECT stage, phase, state FROM changeover.phase ORDER BY 1, 2"), expanded.value(EPOCH)
        assert after == before


def test_a_runner_that_was_paused_beyond_its_lease_commits_nothing_more(
    expanded: Database, fork_server: ForkServer
) -> None:
    with held(expanded), job(expanded, *DUAL_WRITE) as first:
        first.send_signal(signal.SIGSTOP)
        epoch = expanded.value(EPOCH)
        with job(expanded, *DUAL_WRITE, "--wait", "60") as second:
            eventually(lambda: expanded.value(EPOCH) > epoch)
            expanded.close()
            assert second.wait(60) == 0
        before = facts(expanded)
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate(timeout=60)
        # 5: it learns that the lease is lost; 0: it lost its connections, began anew and found everything done.
        assert first.returncode in {0, 5}
        assert "lease" in said
        assert facts(expanded) == before
    assert fork_server.patiently(expanded.dsn, *START).code == 0


@contextmanager
def waiting(database: Database, work: Callable[[Bus], object]) -> Iterator[Future[object]]:
    """Another command, which waits for the lease until the block ends."""
    plan, waits, bus = commands.open_plan("example"), threading.Event(), Bus()
    bus.subscribe(lambda event: waits.set() if event.kind == "lease.waiting" else None)
    with ThreadPoolExecutor(1) as pool, open_session(database.dsn, plan, operator="first", bus=Bus()):
        other = pool.submit(work, bus)
        assert waits.wait(60)
        yield other


def test_who_has_waited_for_the_lease_goes_on_from_what_stands_then(expanded: Database) -> None:
    def expand(bus: Bus) -> object:
        terms = Terms(wait=60)
        return commands.run_phase(expanded.dsn, "example", "customers", "expand", bus=bus, operator="2", terms=terms)

    def back(bus: Bus) -> object:
        return commands.rollback(expanded.dsn, "example", bus=bus, operator="2", terms=Terms(wait=60))

    runs, all_done = (
        "SELECT array_agg(state ORDER BY id) FROM changeover.run",
        "UPDATE changeover.phase SET state = 'done'",
    )
    with waiting(expanded, expand) as other:
        expanded.run(f"{all_done}; UPDATE changeover.run SET state = 'finished', ended_at = now()")
    assert other.result(60)
    assert expanded.value(runs) == ["finished"]

    with waiting(expanded, back) as other:
        expanded.run("UPDATE changeover.run SET state = 'rolled_back'")
    assert other.result(60) == []

    expanded.run("UPDATE changeover.run SET state = 'active', ended_at = NULL")
    with waiting(expanded, expand) as other:
        expanded.run("UPDATE changeover.run SET state = 'rolled_back', ended_at = now()")
    with pytest.raises(RunEndedError, match="rolled back by somebody else while this command waited"):
        other.result(60)
    assert expanded.value(runs) == ["rolled_back"]


def test_a_rollback_that_loses_its_lease_does_not_pass_for_interrupted(expanded: Database) -> None:
    """Ctrl-C (130) and a lost lease (5) both stop it; a scheduler gives the one again and leaves the other alone."""
    asked, plan = threading.Event(), commands.open_plan("example")

    def lose(error: Exception | None) -> None:
        terms = Terms(ttl=30, beat=0.05)
        with open_session(expanded.dsn, plan, operator="test", bus=Bus(), stop=asked, terms=terms) as session:
            expanded.run("UPDATE changeover.lease SET epoch = epoch + 1")
            assert session.stop.wait(60)
            if error is not None:
                raise error

    for error in (StoppedError("The way back"), psycopg.errors.AdminShutdown()):
        with pytest.raises(LeaseLostError):
            lose(error)
    lose(None)  # it was done, and there was nothing that somebody else could have kept it from
    assert not asked.is_set()


def test_each_connection_of_ours_is_cut_in_turn(expanded: Database) -> None:
    with held(expanded), job(expanded, *DUAL_WRITE) as process:
        for name in ("changeover/heartbeat", "changeover/control"):
            eventually(lambda: bool(expanded.value(CUT, (name,))))  # noqa: B023 - called at once
            eventually(lambda: bool(expanded.value(WAITS)))
            assert process.poll() is None
        expanded.close()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said


def test_start_is_killed_at_any_moment(databases: Databases, fork_server: ForkServer) -> None:
    """Not at a place of ours, but whenever, as the dice fall; then to the end."""
    killed, spared = (databases.clone("chaos example", EXAMPLE.build) for _ in range(2))
    for database in (killed, spared):
        assert fork_server.run(database.dsn, "init").code == 0
    dice, deaths = Random(7), 0
    for longest in (0.4, 0.8, 1.2, 1.6, 2.4):
        deaths += fork_server.patiently(killed.dsn, *START, seconds=dice.uniform(0.05, longest)).code == KILLED
    assert deaths
    for database in (killed, spared):
        done = fork_server.patiently(database.dsn, *START)
        assert done.code == 0, done.err
    is_now, should_be = facts(killed), facts(spared)
    assert is_now == should_be
