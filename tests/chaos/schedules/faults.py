"""What goes wrong, really: each kind of fault as something that is done to a job, the server, the lines or the disk.

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
from tests.chaos.schedules.schedule import HOUR, Fault, Kind
from tests.support.running import eventually

if TYPE_CHECKING:
    from tests.chaos.schedules.chaos_run import ChaosRun

_THEFTS = 100
_EPOCH = "SELECT coalesce(max(epoch), 0) FROM changeover.lease"
_RUN_OUT = "UPDATE changeover.lease SET expires_at = clock_timestamp() WHERE expires_at > clock_timestamp()"
_JUMP = """
UPDATE changeover.lease SET acquired_at = acquired_at + make_interval(secs => %(by)s),
    heartbeat_at = heartbeat_at + make_interval(secs => %(by)s), expires_at = expires_at + make_interval(secs => %(by)s)
"""
_TARGETS = "SELECT target FROM changeover.mapping ORDER BY id"


def strike(chaos_run: ChaosRun, fault: Fault, job: Job) -> Job:
    """Let it happen; the job to go on with."""
    return _STRIKES[fault.kind](chaos_run, fault, job) or job


def _kill(chaos_run: ChaosRun, _fault: Fault, job: Job) -> None:
    if job.send(signal.SIGKILL):
        chaos_run.may_end[job] |= {-signal.SIGKILL}
        job.wait(chaos_run.patience)


def _term(chaos_run: ChaosRun, _fault: Fault, job: Job) -> None:
    if job.send(signal.SIGTERM):
        chaos_run.may_end[job] |= {130, -signal.SIGTERM}


def _pause(chaos_run: ChaosRun, _fault: Fault, job: Job) -> Job | None:
    before = chaos_run.look(_EPOCH)
    if not job.send(signal.SIGSTOP):
        return None
    try:
        return _taken_over(chaos_run, job, before)
    finally:
        job.send(signal.SIGCONT)


def _partition(chaos_run: ChaosRun, _fault: Fault, job: Job) -> Job:
    before = chaos_run.look(_EPOCH)
    with chaos_run.world.jobs.stalled():
        return _taken_over(chaos_run, job, before)


def _taken_over(chaos_run: ChaosRun, job: Job, before: int) -> Job:
    """Another copy of the same command, once it holds the lease or has found nothing to do."""
    chaos_run.superseded(job)
    second = chaos_run.start(*job.argv, dsn=chaos_run.world.database.dsn)
    eventually(lambda: not second.running or chaos_run.look(_EPOCH) > before, chaos_run.patience)
    return second


def _theft(chaos_run: ChaosRun, _fault: Fault, job: Job) -> None:
    """By the program's own take-over, in the name of somebody who then does nothing and goes."""
    chaos_run.superseded(job, leave=False)
    plan = chaos_run.plan
    with connect(chaos_run.world.database.dsn, role="control") as conn:
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


def _crash(chaos_run: ChaosRun, _fault: Fault, _job: Job) -> None:
    chaos_run.weather.lines_broke = True
    chaos_run.world.ground.server.crash()


def _cut(chaos_run: ChaosRun, _fault: Fault, _job: Job) -> None:
    chaos_run.world.jobs.cut()


def _cut_all(chaos_run: ChaosRun, _fault: Fault, _job: Job) -> None:
    chaos_run.weather.lines_broke = True
    chaos_run.world.jobs.cut()
    chaos_run.world.applications.cut()


def _refuse(chaos_run: ChaosRun, fault: Fault, _job: Job) -> None:
    with chaos_run.world.jobs.refusing():
        time.sleep(fault.lasts)


def _stall(chaos_run: ChaosRun, fault: Fault, _job: Job) -> None:
    with chaos_run.world.jobs.stalled(), chaos_run.world.applications.stalled():
        time.sleep(fault.lasts)


def _disk(chaos_run: ChaosRun, fault: Fault, _job: Job) -> None:
    chaos_run.weather.disk_was_full = True
    tables = [str(row[0]) for row in chaos_run.world.database.rows(_TARGETS)]
    with chaos_run.world.ground.disk.full(chaos_run.world.database, tables):
        time.sleep(fault.lasts)


def _clock(chaos_run: ChaosRun, fault: Fault, _job: Job) -> None:
    with chaos_run.world.database.connect() as conn:
        conn.execute(_JUMP, {"by": fault.sign * HOUR})


_STRIKES: dict[Kind, Callable[[ChaosRun, Fault, Job], Any]] = {
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
