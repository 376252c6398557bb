"""However a job ends, nothing is lost and the next one goes on."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from orchestrator.demo.server import EmbeddedServer
from orchestrator.kernel.connections import connect
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.running import Running, eventually, moving, nothing_is_lost, prepare, seen, slow
from tests.support.servers import SETTINGS

pytestmark = pytest.mark.newest


@pytest.fixture
def lonely() -> Iterator[tuple[EmbeddedServer, Database]]:
    """A server of our own, which may be crashed without disturbing others."""
    # With asynchronous commits a crash forgets the last half second, the lease's epoch included: then it is lost.
    with EmbeddedServer({**SETTINGS, "synchronous_commit": "on"}) as server:
        server.create_database("lonely")
        database = Database(server, "lonely")
        prepare(database)
        yield server, database
        database.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_batch(mirrored: Database, cli: Cli, number: signal.Signals) -> None:
    slow(cli)
    with Running(mirrored.dsn, "backfill") as job:
        moving(mirrored)
        job.send(number)
        assert job.ended() == 130
    arrived = "SELECT (SELECT count(*) FROM public.customers) + (SELECT count(*) FROM changeover.reject)"
    assert mirrored.value(arrived) == seen(mirrored)
    assert mirrored.rows("SELECT expires_at = '-infinity' FROM changeover.lease") == [(True,)]
    # Nothing has failed: nobody is to be alarmed, and the operator reads how to go on.
    assert mirrored.value("SELECT state FROM changeover.phase WHERE phase = 'backfill'") == "stopped"
    assert job.heard("phase.stopped")
    assert job.heard("phase.failed") is None
    (plan,) = cli.ok("status", "--json").json["plans"]
    assert plan["waiting"]["state"] == "interrupted"
    assert "backfill: was stopped" in plan["waiting"]["words"]
    nothing_is_lost(mirrored)


def test_a_wait_for_a_lock_says_for_whom_and_ends_when_asked(mirrored: Database, cli: Cli) -> None:
    cli.ok("rollback", "--yes", "--plan", "example", "--to", "expand")
    holder = mirrored.connect(autocommit=False)
    holder.execute("LOCK TABLE public.customers_old IN ROW EXCLUSIVE MODE")
    with Running(mirrored.dsn, "dual-write") as job:
        eventually(lambda: "pid" in (job.heard("action.retry") or {}).get("held_by", ""), seen=lambda: job.text)
        assert f"pid {holder.info.backend_pid} (" in job.until("action.retry")["held_by"]
        tried = job.until("action.retry")["attempt"]
        job.send(signal.SIGTERM)
        assert job.ended() == 130
        assert job.until("action.retry")["attempt"] <= tried + 1, "the attempt in hand was the last"
    assert mirrored.value("SELECT state FROM changeover.phase WHERE phase = 'dual-write'") == "stopped"


def test_what_does_not_end_in_time_is_cut(mirrored: Database, cli: Cli) -> None:
    cli.ok("run", "backfill", "--plan", "example", "--stage", "customers")
    cli.ok("rollback", "--yes", "--plan", "example", "--to", "dual-write")
    holder = mirrored.connect(autocommit=False)
    # CREATE INDEX CONCURRENTLY waits for whoever has a snapshot and writes, for as long as that takes.
    holder.execute("CREATE TEMP TABLE held (i int); LOCK TABLE public.customers IN ROW EXCLUSIVE MODE")
    with Running(mirrored.dsn, "backfill", "--grace", "1") as job:
        eventually(lambda: "index" in (job.heard("action.executing") or {}).get("action", ""))
        begun = time.monotonic()
        job.send(signal.SIGTERM)
        assert job.ended() == 130, "although who is waited for is still there"
        assert time.monotonic() - begun > 0.9
        assert job.heard("job.grace_over")
    assert mirrored.value("SELECT state FROM changeover.phase WHERE phase = 'backfill'") == "stopped"
    holder.rollback()
    nothing_is_lost(mirrored)


def test_kill_9_costs_a_batch_at_most(mirrored: Database, cli: Cli) -> None:
    slow(cli)
    with Running(mirrored.dsn, "backfill") as job:
        moving(mirrored)
        job.send(signal.SIGKILL)
        assert job.ended() == -signal.SIGKILL
    kept = seen(mirrored)
    assert kept > 0
    nothing_is_lost(mirrored)


def test_a_second_copy_leaves_or_waits(mirrored: Database, cli: Cli) -> None:
    slow(cli)
    with Running(mirrored.dsn, "backfill") as first:
        moving(mirrored)
        with Running(mirrored.dsn, "backfill") as second:
            assert second.ended() == 1
            assert "holds the lease of plan example" in second.text
        with Running(mirrored.dsn, "backfill", "--wait", "60") as third:
            third.until("lease.waiting")
            cli.ok("throttle", "set", "example", "--reset")
            assert first.ended() == 0
            assert third.ended() == 0
    nothing_is_lost(mirrored)


def test_a_job_that_was_stopped_cannot_commit_after_it_lost_the_lease(mirrored: Database, cli: Cli) -> None:
    slow(cli)
    with Running(mirrored.dsn, "backfill") as first:
        moving(mirrored)
        first.send(signal.SIGSTOP)
        with Running(mirrored.dsn, "backfill", "--wait", "30") as second:
            second.until("lease.acquired")
            cli.ok("throttle", "set", "example", "--reset")
            assert second.ended() == 0
        kept = mirrored.rows("SELECT * FROM changeover.chunk ORDER BY 1, 2")
        first.send(signal.SIGCONT)
        # 5, or 0 when it lost its connections first: then it asks for the lease anew, and finds everything done.
        assert first.ended() in {0, 5}
        assert mirrored.rows("SELECT * FROM changeover.chunk ORDER BY 1, 2") == kept
    assert mirrored.value("SELECT epoch FROM changeover.lease") > 1
    nothing_is_lost(mirrored)


def test_a_server_that_crashes_is_waited_for(lonely: tuple[EmbeddedServer, Database]) -> None:
    server, database = lonely
    cli = Cli(database.dsn)
    slow(cli)
    with Running(database.dsn, "backfill") as job:
        moving(database)
        server.crash()
        before = seen(database)
        eventually(lambda: seen(database) > before)
        cli.ok("throttle", "set", "example", "--reset")
        assert job.ended() == 0, job.text
        assert job.heard("session.reconnecting") or job.heard("job.reconnecting")
    nothing_is_lost(database)


def test_a_server_that_stays_away_is_given_up(lonely: tuple[EmbeddedServer, Database]) -> None:
    server, database = lonely
    slow(Cli(database.dsn))
    with Running(database.dsn, "backfill", env={"CHANGEOVER_JOB__RECONNECT_S": "2"}) as job:
        moving(database)
        begun = time.monotonic()
        server.stop()
        assert job.ended() == 1
        assert time.monotonic() - begun > 1
        assert "Run the same command again" in job.text or "run the same command again" in job.text


def test_connections_that_are_cut_are_replaced(mirrored: Database, cli: Cli) -> None:
    slow(cli)
    with Running(mirrored.dsn, "backfill") as job:
        moving(mirrored)
        with connect(mirrored.admin_dsn) as admin:
            for _ in range(3):
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name LIKE 'changeover/%' "
                    "AND pid <> pg_backend_pid()"
                )
                before = seen(mirrored)
                eventually(lambda known=before: seen(mirrored) > known)  # type: ignore[misc]
        cli.ok("throttle", "set", "example", "--reset")
        assert job.ended() == 0, job.text
    nothing_is_lost(mirrored)
