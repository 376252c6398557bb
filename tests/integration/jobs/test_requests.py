"""A running job does what another terminal says."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.running import Running, eventually, moving, nothing_is_lost, seen, slow

pytestmark = pytest.mark.newest


def shown(cli: Cli) -> dict[str, Any]:
    """What the job says of itself."""
    job: dict[str, Any] = cli.ok("throttle", "show", "example", "--json").json["job"]
    return job


def rests(database: Database) -> None:
    """Wait until no worker is within a transaction."""
    at_work = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'changeover/rows' AND state <> 'idle'"
    )
    eventually(lambda: database.value(at_work) == 0)


def test_pause_holds_the_batches_and_not_the_mirror(mirrored: Database, cli: Cli) -> None:
    slow(cli)
    with Running(mirrored.dsn, "backfill") as job:
        moving(mirrored)
        cli.ok("pause", "example", "--reason", "lunch")
        eventually(lambda: shown(cli)["state"] == "paused")
        rests(mirrored)  # when the batch in hand is done
        before = seen(mirrored)
        mirrored.run("INSERT INTO public.customers_old (id, mail, name) VALUES (7, 'late@example.com', 'Nlate')")
        assert mirrored.value("SELECT count(*) FROM public.customers WHERE name = 'Nlate'") == 1
        time.sleep(1)
        assert seen(mirrored) == before
        assert shown(cli)["state"] == "paused"
        assert "lunch" in shown(cli)["reason"]
        mirrored.run("DELETE FROM public.customers_old WHERE id = 7")
        cli.ok("resume", "example")
        eventually(lambda: seen(mirrored) > before)
        cli.ok("throttle", "set", "example", "--reset")
        assert job.ended() == 0
    nothing_is_lost(mirrored)


def test_a_pause_waits_for_the_next_job(mirrored: Database, cli: Cli) -> None:
    assert "begin paused" in cli.ok("pause", "example").out
    with Running(mirrored.dsn, "backfill") as job:
        job.until("job.paused")
        time.sleep(0.5)
        assert seen(mirrored) == 0
        cli.ok("resume", "example")
        assert job.ended() == 0


def test_cancel_ends_it_with_5_and_the_next_one_goes_on(mirrored: Database, cli: Cli) -> None:
    slow(cli)
    with Running(mirrored.dsn, "backfill") as job:
        moving(mirrored)
        cli.ok("cancel", "example", "--reason", "wrong night")
        assert job.ended() == 5
        assert "wrong night" in job.text
    before = seen(mirrored)
    assert before > 0
    nothing_is_lost(mirrored)
    assert seen(mirrored) >= before


def test_the_throttle_is_changed_while_it_runs(mirrored: Database, cli: Cli) -> None:
    slow(cli)
    with Running(mirrored.dsn, "backfill") as job:
        moving(mirrored)
        cli.ok("throttle", "set", "example", "--sql-probe", "queue=SELECT 9", "limit.queue=5")
        paused = job.until("backfill.paused")
        assert paused["probes"] == ["queue"]
        eventually(lambda: shown(cli)["throttled_by"] == ["queue"])
        cli.ok("throttle", "set", "example", "limit.queue=20", "rest=off", "target_ms=200", "ceiling_pages=off")
        assert job.ended() == 0


def test_a_start_takes_requests_as_well(cli: Cli) -> None:
    cli.ok("cancel", "example")
    cli.ok("pause", "example")
    cli.ok("resume", "example")
    assert cli("start", "example", "--until", "verify").code == 0
    kinds = [event["kind"] for event in cli.ok("history", "--json", "--limit", "500").json]
    assert [kind for kind in kinds if kind.startswith("job.")] == ["job.cancel", "job.pause", "job.run"]


@pytest.mark.parametrize(
    "change",
    [
        "rest=-1",
        "give_way=-1",
        "rest",
        "limit.nobody=3",
        "target_ms=soon",
        "nobody=1",
        "--http-probe=x=ftp://h/",
        "--canary=Q=SELECT 1",
    ],
)
def test_a_setting_that_does_not_exist_is_refused(mirrored: Database, cli: Cli, change: str) -> None:
    done = cli("throttle", "set", "example", change, "limit.x=1", "limit.Q=1")
    assert done.code == 2, done.err
    assert mirrored.rows("SELECT settings FROM changeover.control WHERE settings <> '{}'") == []
