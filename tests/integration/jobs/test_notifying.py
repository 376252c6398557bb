"""Notifications end to end: what receivers are told of a real job, once, and what that costs the job."""

from __future__ import annotations

import threading
import time

import pytest

from flags.stages import Stage
from flags.store import By, Change, set_flag
from orchestrator import settings
from orchestrator.jobs.delivery import Webhook
from orchestrator.jobs.notifier import Notifier
from orchestrator.kernel.events import Bus, Event
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.receiver import Receiver, receiver
from tests.support.running import Running

FLAG = "USE_UNIFIED_CUSTOMERS"


def _notifier(database: Database, found: Receiver, heard: list[Event] | None = None, **given: object) -> Notifier:
    bus = Bus()
    if heard is not None:
        bus.subscribe(heard.append)
    wanted = settings.NotifySettings.model_validate({"every_s": 0.2, "attempts": 1, **given})
    return Notifier(database.dsn, wanted, bus, sinks=[Webhook(found.url, timeout_s=20)])


def test_a_job_tells_what_has_happened_and_each_thing_once(mirrored: Database) -> None:
    with receiver() as found:
        environment = {"CHANGEOVER_NOTIFY__URLS": found.url, "CHANGEOVER_NOTIFY__EVERY_S": "0.5"}
        for phase in ("backfill", "verify"):
            with Running(mirrored.dsn, phase, env=environment) as job:
                assert job.ended() == 0
        told = [each["text"] for each in found.got if each["kind"] == "phase.done"]
        assert [text.partition(" is done")[0] for text in told] == [
            "example, customers: backfill",
            "example, customers: verify",
        ]
        assert [each["detail"]["reason"] for each in found.got if each["kind"] == "rejects.growing"] == ["no_mail"]
        assert found.kinds.count("gate.waiting") == 1
        assert [text for text in told if "expand" in text] == []  # before anybody was to be told
        before = len(found.got)
        notifier = _notifier(mirrored, found)
        assert notifier.look(attempts=1) == 0
        assert len(found.got) == before
        # What others do is told as well, without a job.
        conn = mirrored.connect()
        set_flag(conn, FLAG, Change(Stage.SHADOW), By("ann", "look"))
        version = mirrored.value("SELECT version FROM changeover.feature_flags")
        assert conn.execute(
            "SELECT changeover.flag_retreat(%s, %s, '9 of 10 reads differ')", (FLAG, version)
        ).fetchone()
        assert notifier.look(attempts=1) == 1
        assert found.got[-1]["kind"] == "flag.retreated"
        assert "from shadow to dualwrite: 9 of 10 reads differ" in found.got[-1]["text"]


def test_drift_is_told(mirrored: Database, cli: Cli) -> None:
    with receiver() as found:
        notifier = _notifier(mirrored, found)
        notifier.look(attempts=1)
        mirrored.connect().execute("ALTER TABLE public.customers_old DISABLE TRIGGER ALL")
        trigger = mirrored.value(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'public.customers_old'::regclass AND NOT tgisinternal LIMIT 1"
        )
        mirrored.connect().execute(f'DROP TRIGGER "{trigger}" ON public.customers_old')
        assert cli("run", "backfill", "--plan", "example", "--stage", "customers").code == 5
        assert notifier.look(attempts=1) >= 1
        assert "drift.found" in found.kinds


def test_two_processes_tell_a_receiver_once_and_what_fails_is_told_later(mirrored: Database) -> None:
    with receiver() as found:
        heard: list[Event] = []
        first, second = _notifier(mirrored, found, heard), _notifier(mirrored, found)
        first.look(attempts=1)
        for number in range(8):
            mirrored.connect().execute(
                "INSERT INTO changeover.event (actor, plan, stage, phase, kind, detail) "
                "VALUES ('t', 'example', 'customers', %s, 'phase.done', '{}')",
                (f"phase {number}",),
            )
        found.statuses += [200, 200, 503]
        assert first.look(attempts=1) == 2
        assert [event.kind for event in heard][-1] == "notification.failed"
        assert found.url not in str(heard)
        workers = [threading.Thread(target=each.look, kwargs={"attempts": 1}) for each in (first, second)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        first.look(attempts=1)
        second.look(attempts=1)
        assert [each["phase"] for each in found.got] == [f"phase {number}" for number in range(8)]
        only = _notifier(mirrored, found, kinds="drift.found")
        mirrored.connect().execute(
            "INSERT INTO changeover.event (actor, plan, kind) VALUES ('t', 'example', 'phase.done')"
        )
        assert only.look(attempts=1) == 0
        assert first.look(attempts=1) == 0, "who tells a receiver decides what it is told"


def test_a_receiver_that_hangs_does_not_hold_the_job(mirrored: Database) -> None:
    with receiver(*[None] * 20) as found:
        environment = {"CHANGEOVER_NOTIFY__URLS": found.url, "CHANGEOVER_NOTIFY__TIMEOUT_S": "60"}
        with Running(mirrored.dsn, "backfill", env=environment) as job:
            job.until("phase.done")
            begun = time.monotonic()
            assert job.ended() == 0
            assert time.monotonic() - begun < 50, "it has not waited for the answer"
        assert mirrored.value("SELECT count(*) FROM changeover.phase WHERE phase = 'backfill' AND state = 'done'") == 1


@pytest.mark.newest
def test_the_command_tests_the_receivers(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = cli("notify")
    assert (nobody.code, "Nobody is to be told" in nobody.err) == (2, True)
    with receiver(200, 403) as found:
        monkeypatch.setenv("CHANGEOVER_NOTIFY__URLS", found.url)
        assert cli.ok("notify", "--test", "--json").json[0]["taken"] is True
        assert found.kinds == ["test"]
        refused = cli("notify", "--test")
        assert refused.code == 1
        assert "it answered 403" in refused.out
        assert found.url not in refused.out + refused.err
        assert cli.ok("notify", "--json").json == {"sent": 0}
