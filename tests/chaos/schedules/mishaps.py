"""What goes wrong, really: each kind of mishap as something that is done to a job, the server, the lines or the disk.

Where another copy takes over, it is the one to go on with; the first one is awakened, or gets its bytes, only when the
lease has another epoch, and then has to end without harm. The server's clock cannot be moved without moving everybody's:
what a jump means for a lease is that all of its times move the other way, and that is what is done.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from orchestrator.kernel.connections import connect
from orchestrator.ledger import leases
from orchestrator.ledger.errors import LeaseHeldError
from orchestrator.ledger.store import Ledger
from tests.chaos.schedules.jobs import Job
from tests.chaos.schedules.schedule import HOUR, Kind, Mishap
from tests.support.running import eventually

if TYPE_CHECKING:
    from tests.chaos.schedules.ordeal import Ordeal

_THEFTS = 100
_EPOCH = "SELECT coalesce(max(epoch), 0) FROM changeover.lease"
_RUN_OUT = "UPDATE changeover.lease SET expires_at = clock_timestamp() WHERE expires_at > clock_timestamp()"
_JUMP = """
UPDATE changeover.lease SET acquired_at = acquired_at + make_interval(secs => %(by)s),
    heartbeat_at = heartbeat_at + make_interval(secs => %(by)s), expires_at = expires_at + make_interval(secs => %(by)s)
"""
_TARGETS = "SELECT target FROM changeover.mapping ORDER BY id"


def strike(ordeal: Ordeal, mishap: Mishap, job: Job) -> Job:
    """Let it happen; the job to go on with."""
    return _STRIKES[mishap.kind](ordeal, mishap, job) or job


def _kill(ordeal: Ordeal, _mishap: Mishap, job: Job) -> None:
    if job.send(signal.SIGKILL):
        ordeal.may_end[job] |= {-signal.SIGKILL}
        job.wait(ordeal.patience)


def _term(ordeal: Ordeal, _mishap: Mishap, job: Job) -> None:
    if job.send(signal.SIGTERM):
        ordeal.may_end[job] |= {130, -signal.SIGTERM}


def _pause(ordeal: Ordeal, _mishap: Mishap, job: Job) -> Job | None:
    before = ordeal.look(_EPOCH)
    if not job.send(signal.SIGSTOP):
        return None
    try:
        return _taken_over(ordeal, job, before)
    finally:
        job.send(signal.SIGCONT)


def _partition(ordeal: Ordeal, _mishap: Mishap, job: Job) -> Job:
    before = ordeal.look(_EPOCH)
    with ordeal.world.jobs.stalled():
        return _taken_over(ordeal, job, before)


def _taken_over(ordeal: Ordeal, job: Job, before: int) -> Job:
    """Another copy of the same command, once it holds the lease or has found nothing to do."""
    ordeal.superseded(job)
    second = ordeal.start(*job.argv, dsn=ordeal.world.database.dsn)
    eventually(lambda: not second.running or ordeal.look(_EPOCH) > before, ordeal.patience)
    return second


def _theft(ordeal: Ordeal, _mishap: Mishap, job: Job) -> None:
    """By the program's own take-over, in the name of somebody who then does nothing and goes."""
    ordeal.superseded(job, leave=False)
    plan = ordeal.plan
    with connect(ordeal.world.database.dsn, role="control") as conn:
        ledger = Ledger(conn, "thief")
        for _ in range(_THEFTS):
            # Between the two statements the job may prolong its lease, which is its right.
            conn.execute(_RUN_OUT)
            with suppress(LeaseHeldError):
                epoch = leases.acquire(ledger, plan, "thief")
                leases.release(ledger, plan, epoch)
                return
    message = f"in {_THEFTS} attempts the lease of {plan} could not be taken"
    raise AssertionError(message)


def _crash(ordeal: Ordeal, _mishap: Mishap, _job: Job) -> None:
    ordeal.weather.lines_broke = True
    ordeal.world.ground.server.crash()


def _cut(ordeal: Ordeal, _mishap: Mishap, _job: Job) -> None:
    ordeal.world.jobs.cut()


def _cut_all(ordeal: Ordeal, _mishap: Mishap, _job: Job) -> None:
    ordeal.weather.lines_broke = True
    ordeal.world.jobs.cut()
    ordeal.world.applications.cut()


def _refuse(ordeal: Ordeal, mishap: Mishap, _job: Job) -> None:
    with ordeal.world.jobs.refusing():
        time.sleep(mishap.lasts)


def _stall(ordeal: Ordeal, mishap: Mishap, _job: Job) -> None:
    with ordeal.world.jobs.stalled(), ordeal.world.applications.stalled():
        time.sleep(mishap.lasts)


def _disk(ordeal: Ordeal, mishap: Mishap, _job: Job) -> None:
    ordeal.weather.disk_was_full = True
    tables = [str(row[0]) for row in ordeal.world.database.rows(_TARGETS)]
    with ordeal.world.ground.disk.full(ordeal.world.database, tables):
        time.sleep(mishap.lasts)


def _clock(ordeal: Ordeal, mishap: Mishap, _job: Job) -> None:
    with ordeal.world.database.connect() as conn:
        conn.execute(_JUMP, {"by": mishap.sign * HOUR})


_STRIKES: dict[Kind, Callable[[Ordeal, Mishap, Job], Any]] = {
    Kind.KILL: _kill,
    Kind.TERM: _term,
    Kind.PAUSE: _pause,
    Kind.PARTITION: _partition,
    Kind.THEFT: _theft,
    Kind.CRASH: _crash,
    Kind.CUT: _cut,
    Kind.CUT_ALL: _cut_all,
    Kind.REFUSE: _refuse,
    Kind.STALL: _stall,
    Kind.DISK: _disk,
    Kind.CLOCK: _clock,
}
