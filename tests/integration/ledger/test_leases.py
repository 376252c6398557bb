"""One runner, and nothing committed by one that lost its lease. Every test has two real connections at least."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from orchestrator.kernel.connections import connect_rows
from orchestrator.ledger import leases
from orchestrator.ledger.errors import LeaseHeldError, LeaseLostError
from orchestrator.ledger.store import Ledger
from tests.support.running import eventually

if TYPE_CHECKING:
    from tests.support.database import Database


def _run_out(ledger: Ledger) -> None:
    """Let the lease run out, without waiting for it."""
    ledger.conn.execute("UPDATE changeover.lease SET expires_at = clock_timestamp() - interval '1 second'")


def _wait_until_blocked(ledger: Ledger, pid: int) -> None:
    blocking = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    eventually(lambda: ledger.conn.execute(blocking, (pid,)).fetchone() == (True,))


def test_first_comes_first(ledger: Ledger, rival: Ledger) -> None:
    assert leases.acquire(ledger, "p", "ann@host:1") == 1
    with pytest.raises(LeaseHeldError, match="ann@host:1 holds the lease"):
        leases.acquire(rival, "p", "bob@host:2")
    assert leases.acquire(rival, "q", "bob@host:2") == 1  # another plan is another lease
    lease = leases.current(rival.conn, "p")
    assert lease is not None
    assert (lease.owner, lease.epoch, lease.state) == ("ann@host:1", 1, "held")


def test_of_two_at_once_one_wins(installed: Database) -> None:
    results: list[int | str] = []

    def attempt(ledger: Ledger) -> None:
        try:
            results.append(leases.acquire(ledger, "p", ledger.actor))
        except LeaseHeldError:
            results.append("held")

    for round_ in range(5):
        results.clear()
        threads = [
            threading.Thread(target=attempt, args=(Ledger(installed.connect(), f"{name}{round_}"),)) for name in "abc"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(results, key=str) == [round_ + 1, "held", "held"]
        _run_out(Ledger(installed.connect(), "clock"))


def test_release_and_take_again(ledger: Ledger, rival: Ledger) -> None:
    epoch = leases.acquire(ledger, "p", "ann")
    assert leases.release(ledger, "p", epoch)
    assert not leases.release(ledger, "p", epoch)
    lease = leases.current(rival.conn, "p")
    assert lease is not None
    assert (lease.state, lease.expires_at) == ("released", None)
    assert leases.acquire(rival, "p", "bob") == epoch + 1
    with pytest.raises(LeaseLostError):
        leases.heartbeat(ledger.conn, "p", epoch)
    assert not leases.release(ledger, "p", epoch)
    assert leases.current(rival.conn, "p").state == "held"  # type: ignore[union-attr]  # there is one


def test_heartbeat_prolongs_and_revives_what_nobody_took(ledger: Ledger, rival: Ledger) -> None:
    epoch = leases.acquire(ledger, "p", "ann")
    _run_out(ledger)
    leases.heartbeat(ledger.conn, "p", epoch)
    with pytest.raises(LeaseHeldError):
        leases.acquire(rival, "p", "bob")


def test_a_released_lease_passes_no_fence(ledger: Ledger) -> None:
    epoch = leases.acquire(ledger, "p", "ann")
    leases.release(ledger, "p", epoch)
    with ledger.transaction(), pytest.raises(LeaseLostError, match="lease lost"):
        leases.fence(ledger.conn, "p", epoch)
    with pytest.raises(LeaseLostError):
        leases.enlist(ledger.conn, "p", epoch)


def test_fence_wants_a_transaction(ledger: Ledger) -> None:
    epoch = leases.acquire(ledger, "p", "ann")
    with pytest.raises(ValueError, match="transaction"):
        leases.fence(ledger.conn, "p", epoch)
    with ledger.transaction(), pytest.raises(ValueError, match="outside of any transaction"):
        leases.acquire(ledger, "p", "ann")


def test_a_heartbeat_does_not_wait_for_a_batch(ledger: Ledger, rival: Ledger) -> None:
    epoch = leases.acquire(ledger, "p", "ann")
    rival.conn.execute("SET lock_timeout = '500ms'")
    with ledger.transaction():
        leases.fence(ledger.conn, "p", epoch)
        leases.heartbeat(rival.conn, "p", epoch)


def test_a_held_batch_that_lost_its_lease_cannot_commit(installed: Database, ledger: Ledger, rival: Ledger) -> None:
    installed.run("CREATE TABLE public.t (i int)")
    epoch = leases.acquire(ledger, "p", "ann")
    worker = installed.connect()
    pid = worker.info.backend_pid
    leases.enlist(worker, "p", epoch)
    worker.execute("BEGIN")
    leases.fence(worker, "p", epoch)
    worker.execute("INSERT INTO public.t VALUES (1)")
    _run_out(rival)
    # The runner is paused here; the other one does not wait for it.
    assert leases.acquire(rival, "p", "bob") == epoch + 1
    with pytest.raises(psycopg.OperationalError):
        worker.execute("COMMIT")
    assert installed.rows("SELECT * FROM public.t") == []
    again = installed.connect()
    with pytest.raises(LeaseLostError), again.transaction():
        leases.fence(again, "p", epoch)
    taken = installed.value("SELECT detail FROM changeover.event WHERE kind = 'lease.taken'")
    assert taken["from"] == "ann"
    assert taken["because"] == "expired"
    assert pid in taken["ended"]


def test_a_batch_that_nobody_enlisted_is_ended_too(installed: Database, ledger: Ledger, rival: Ledger) -> None:
    epoch = leases.acquire(ledger, "p", "ann")
    worker = installed.connect()
    worker.execute("BEGIN")
    leases.fence(worker, "p", epoch)
    _run_out(rival)
    assert leases.acquire(rival, "p", "bob") == epoch + 1
    with pytest.raises(psycopg.OperationalError):
        worker.execute("COMMIT")


def test_the_workers_of_another_plan_are_left_alone(installed: Database, ledger: Ledger, rival: Ledger) -> None:
    installed.run("CREATE TABLE public.t (i int)")
    epoch = leases.acquire(ledger, "p", "ann")
    third = installed.connect()
    other_epoch = leases.acquire(Ledger(third, "cat"), "q", "cat")
    stuck = installed.connect()
    with third.transaction():
        leases.fence(third, "q", other_epoch)
        third.execute("INSERT INTO public.t VALUES (1)")
        stuck.execute("BEGIN")
        leases.fence(stuck, "p", epoch)
        rival.conn.execute("UPDATE changeover.lease SET expires_at = now() WHERE plan = 'p'")
        assert leases.acquire(rival, "p", "bob") == epoch + 1
    assert installed.rows("SELECT * FROM public.t") == [(1,)]
    with pytest.raises(psycopg.OperationalError):
        stuck.execute("SELECT")


def test_a_takeover_waits_for_a_commit_on_its_way(installed: Database, ledger: Ledger, rival: Ledger) -> None:
    """The batch is quicker than the takeover: its rows are kept, and the next epoch comes after them."""
    installed.run("CREATE TABLE public.t (i int)")
    epoch = leases.acquire(ledger, "p", "ann")
    leases.release(ledger, "p", epoch)
    installed.run("UPDATE changeover.lease SET expires_at = now() + interval '1 hour'")
    epochs: list[int] = []
    with ledger.transaction():
        leases.fence(ledger.conn, "p", epoch)
        ledger.conn.execute("INSERT INTO public.t VALUES (1)")
        installed.run("UPDATE changeover.lease SET expires_at = '-infinity'")
        taker = threading.Thread(target=lambda: epochs.append(leases.acquire(rival, "p", "bob")))
        taker.start()
        _wait_until_blocked(Ledger(installed.connect(), "eye"), rival.conn.info.backend_pid)
    taker.join(60)
    assert epochs == [epoch + 1]
    assert installed.rows("SELECT * FROM public.t") == [(1,)]


def test_a_fence_that_waited_for_a_takeover_finds_nothing(installed: Database, ledger: Ledger, rival: Ledger) -> None:
    """The takeover is quicker: the fence waits for it and sees the new epoch, not the one it first found."""
    epoch = leases.acquire(ledger, "p", "ann")
    outcome: list[str] = []

    def batch() -> None:
        try:
            with ledger.transaction():
                leases.fence(ledger.conn, "p", epoch)
                outcome.append("passed")
        except LeaseLostError:
            outcome.append("lost")

    worker = threading.Thread(target=batch)
    with rival.transaction():
        rival.conn.execute("SELECT FROM changeover.lease FOR UPDATE")
        rival.conn.execute("UPDATE changeover.lease SET epoch = epoch + 1, owner = 'bob'")
        worker.start()
        _wait_until_blocked(Ledger(installed.connect(), "eye"), ledger.conn.info.backend_pid)
    worker.join(60)
    assert outcome == ["lost"]


def test_after_a_kill_nobody_waits_for_the_clock(installed: Database, rival: Ledger) -> None:
    dying = Ledger(installed.connect(), "ann")
    epoch = leases.acquire(dying, "p", "ann", ttl=3600)
    worker = installed.connect()
    leases.enlist(worker, "p", epoch)
    dying.conn.close()
    with pytest.raises(LeaseHeldError):  # one of its backends is still there
        leases.acquire(rival, "p", "bob")
    worker.close()
    # A backend takes a moment to leave.
    eventually(lambda: leases.current(rival.conn, "p").state == "abandoned")  # type: ignore[union-attr]  # there is one
    assert leases.acquire(rival, "p", "bob") == epoch + 1


def test_heartbeat_remembers_who_works_and_forgets_who_left(installed: Database, ledger: Ledger) -> None:
    epoch = leases.acquire(ledger, "p", "ann")
    worker = installed.connect()
    leases.enlist(worker, "p", epoch)
    leases.enlist(worker, "p", epoch)
    own, theirs = ledger.conn.info.backend_pid, worker.info.backend_pid
    assert sorted(leases.current(ledger.conn, "p").pids) == sorted([own, theirs])  # type: ignore[union-attr]
    worker.close()

    def is_forgotten() -> bool:
        leases.heartbeat(ledger.conn, "p", epoch)
        return leases.current(ledger.conn, "p").pids == [own]  # type: ignore[union-attr]

    eventually(is_forgotten)


def test_asyncpg_uses_the_same_fence(installed: Database, ledger: Ledger, rival: Ledger) -> None:
    installed.run("CREATE TABLE public.t (i int)")
    epoch = leases.acquire(ledger, "p", "ann")

    async def batches() -> tuple[object, object, object]:
        rows = await connect_rows(installed.dsn)
        try:
            enlisted = await rows.fetchval(leases.ENLIST_SQL, "p", epoch)
            async with rows.transaction():
                ours = await rows.fetchval(leases.FENCE_SQL, "p", epoch)
                await rows.execute("INSERT INTO public.t VALUES (1)")
        finally:
            await rows.close()
        leases.release(ledger, "p", epoch)
        leases.acquire(rival, "p", "bob")
        rows = await connect_rows(installed.dsn)
        try:
            async with rows.transaction():
                lost = await rows.fetchval(leases.FENCE_SQL, "p", epoch)
        finally:
            await rows.close()
        return enlisted, ours, lost

    assert asyncio.run(batches()) == (epoch, epoch, None)
