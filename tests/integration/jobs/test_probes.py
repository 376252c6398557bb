"""What a copy gives way to, each against the real thing: the job stands still and says why, the mirror goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from psycopg import sql

from orchestrator.demo.server import FAST, EmbeddedServer
from orchestrator.kernel.connections import connect
from tests.support.cli import Cli
from tests.support.database import Database, Databases
from tests.support.replica import Replica
from tests.support.running import Running, eventually, nothing_is_lost, prepare, seen, slow

pytestmark = pytest.mark.newest

WRITE = "INSERT INTO public.customers_old (id, mail, name) VALUES (%s, 'w@example.com', 'Wlate')"
LAG = "SELECT coalesce(max(extract(epoch FROM replay_lag)), 0) FROM pg_stat_replication"
OLDEST = "SELECT max(extract(epoch FROM now() - xact_start)) FROM pg_stat_activity WHERE state = 'idle in transaction'"
MIRRORED = "SELECT count(*) FROM public.customers WHERE name = 'Wlate'"


@contextmanager
def throttled(database: Database, probe: str, *settings: str) -> Iterator[Running]:
    """A job that stands still for this probe while the block lasts, and carries on to the end afterwards."""
    cli = Cli(database.dsn)
    slow(cli)
    if settings:
        cli.ok("throttle", "set", "example", *settings)
    with Running(database.dsn, "backfill") as job:
        eventually(lambda: probe in (job.heard("backfill.paused") or {}).get("probes", ()), seen=lambda: job.text)
        shown = partial(cli.ok, "throttle", "show", "example", "--json")
        eventually(lambda: probe in shown().json["job"]["throttled_by"], seen=lambda: shown().out)
        here = seen(database)
        yield job
        assert seen(database) - here < 1000, "it stood still"
        job.until("backfill.unpaused")
        cli.ok("throttle", "set", "example", "rest=off", "target_ms=200", "ceiling_pages=off")
        assert job.ended() == 0, job.text


def has_reached(database: Database, measured: str, limit: float) -> None:
    """The copy may be done within a second: what is to hold it is there before it begins."""
    with database.connect("admin") as admin:
        eventually(lambda: admin.execute(measured).fetchall()[0][0] > limit)


def still_mirrored(database: Database) -> None:
    """A pause holds the batches, never the mirror."""
    with database.connect("owner") as conn:
        conn.execute(WRITE, (7_000_000,))
        assert database.value(MIRRORED) == 1
        conn.execute("DELETE FROM public.customers_old WHERE id = 7000000")
        assert database.value(MIRRORED) == 0


@pytest.fixture(scope="module")
def watched() -> Iterator[EmbeddedServer]:
    """A server that is archived and may be replicated. Nothing is archived while there is a file `hold` in its folder."""
    settings = {"wal_level": "replica", "max_wal_senders": "5", "archive_mode": "on"}
    with EmbeddedServer({**FAST, **settings}) as server, connect(server.admin_dsn()) as admin:
        command = sql.Literal(f"test ! -e {server.identity()[1] / 'hold'}")
        admin.execute(sql.SQL("ALTER SYSTEM SET archive_command = {}").format(command))
        admin.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def copying(watched: EmbeddedServer) -> Iterator[Database]:
    """The example plan on that server, its mirrors on, nothing copied."""
    databases = Databases(watched, {})
    database = databases.create()
    prepare(database)
    try:
        yield database
    finally:
        databases.close()


def test_a_replica_that_falls_behind(watched: EmbeddedServer, copying: Database) -> None:
    copying.connect("admin").execute(sql.SQL("GRANT pg_read_all_stats TO {}").format(sql.Identifier(watched.owner)))
    with Replica(watched) as replica, Database(replica, copying.name).connect("admin") as standby:
        standby.execute("SELECT pg_wal_replay_pause()")
        copying.connect("admin").execute("SELECT pg_switch_wal()")
        has_reached(copying, LAG, 1)
        with throttled(copying, "replica_lag_seconds", "limit.replica_lag_seconds=1") as job:
            assert "replica_lag_seconds is " in job.until("backfill.paused")["reason"]
            still_mirrored(copying)
            standby.execute("SELECT pg_wal_replay_resume()")
            job.until("backfill.unpaused")
        Cli(copying.dsn).ok("throttle", "set", "example", "--reset")
        nothing_is_lost(copying)


def test_a_lag_that_may_not_be_seen_counts_as_too_much(watched: EmbeddedServer, copying: Database) -> None:
    with copying.connect("admin") as admin:
        admin.execute(sql.SQL("REVOKE pg_read_all_stats FROM {}").format(sql.Identifier(watched.owner)))
    with Replica(watched), throttled(copying, "replica_lag_seconds") as job:
        assert "unreadable" in job.until("backfill.paused")["reason"]
        Cli(copying.dsn).ok("throttle", "set", "example", "limit.replica_lag_seconds=off")
        job.until("backfill.unpaused")


def test_an_archive_that_fails(watched: EmbeddedServer, copying: Database) -> None:
    hold = watched.identity()[1] / "hold"
    with copying.connect("admin") as admin:
        admin.execute("SELECT pg_switch_wal()")
        eventually(lambda: copying.value("SELECT archived_count FROM pg_stat_archiver") > 0)
        hold.touch()
        for number in range(3):
            admin.execute("SELECT pg_logical_emit_message(false, 'test', %s)", (str(number),))
            admin.execute("SELECT pg_switch_wal()")
        with throttled(copying, "archive_backlog_segments", "limit.archive_backlog_segments=1") as job:
            still_mirrored(copying)
            hold.unlink()
            admin.execute("SELECT pg_switch_wal()")  # wakes the archiver, which waits a minute after failures
            job.until("backfill.unpaused")


def test_a_transaction_that_stays_open(copying: Database) -> None:
    with copying.connect("app", autocommit=False) as open_one:
        open_one.execute("SELECT 1")
        has_reached(copying, OLDEST, 1)
        with throttled(copying, "oldest_transaction_seconds", "limit.oldest_transaction_seconds=1") as job:
            still_mirrored(copying)
            open_one.rollback()
            job.until("backfill.unpaused")


def test_many_sessions_at_work(copying: Database) -> None:
    busy = [copying.connect("app", autocommit=False) for _ in range(4)]
    for each in busy:
        each.execute("SELECT 1")
    with throttled(copying, "active_sessions", "limit.active_sessions=3") as job:
        for each in busy:
            each.rollback()
        job.until("backfill.unpaused")


def test_a_canary_that_sings_slowly(copying: Database) -> None:
    copying.run("CREATE TABLE public.slow (seconds float); INSERT INTO public.slow VALUES (0.2)")
    canary = "--canary=login=SELECT pg_sleep(seconds) FROM public.slow"
    with throttled(copying, "login", canary, "limit.login=100") as job:
        still_mirrored(copying)
        copying.run("UPDATE public.slow SET seconds = 0")
        job.until("backfill.unpaused")


def test_a_query_and_a_page_of_the_operators_own(copying: Database) -> None:
    copying.run("CREATE TABLE public.queue AS SELECT generate_series(1, 9)")
    probe = "--sql-probe=queue=SELECT count(*) FROM public.queue"
    with throttled(copying, "queue", probe, "limit.queue=5") as job:
        copying.run("DELETE FROM public.queue")
        job.until("backfill.unpaused")


def test_a_page_that_is_not_there(copying: Database) -> None:
    with page("7") as (url, say), throttled(copying, "load", f"--http-probe=load={url}", "limit.load=5") as job:
        assert "load is 7" in job.until("backfill.paused")["reason"]
        say("nothing of use")
        eventually(lambda: "load is unreadable" in Cli(copying.dsn).ok("throttle", "show", "example").out)
        say("1")
        job.until("backfill.unpaused")


@contextmanager
def page(first: str) -> Iterator[tuple[str, Callable[[str], None]]]:
    """A page that answers what it is told to."""
    saying = [first]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(saying[-1].encode())

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", saying.append
        finally:
            server.shutdown()
