"""One schedule, carried out: commands as processes, faults at their moments, and at the end the judgement.

A command is given again as an operator or a scheduler would, for as long as its exit code and its words allow that:
1 and 7 say so themselves, after a signal or a lost lease it is what the documentation says. Which ends are to be
understood is known, because what was done to the job is; every other end fails the test, and so does a "fault in
Changeover", a false alarm of verify, and a command that is not done after a bounded number of attempts.

Judged is what the promises say: P1 and P5 by the harness (`Lifecycle.check` and `check_lossless`, and `verify`), P2
by the writers, P3 by coming to the end, P4 by the dump after the way back, P6 by the epochs of the ledger's events.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.engine import commands
from tests.chaos.schedules.faults import strike
from tests.chaos.schedules.jobs import Job
from tests.chaos.schedules.schedule import Fault, Schedule, Step
from tests.chaos.schedules.uncertain_writer import UncertainWriter, Weather
from tests.chaos.schedules.world import World
from tests.support.lifecycle import Lifecycle, same
from tests.support.running import SHORT_LEASE, eventually

_FAULT = ("fault in Changeover", "Traceback")
_AGAIN = frozenset({1, 7})
_LEASE_LOST = 5
_LOOK_S = 0.01
_EPOCHS = "SELECT id, kind, (detail ->> 'epoch')::bigint FROM changeover.event WHERE detail ? 'epoch' ORDER BY id"
_STRAYS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'app/%%' AND state <> 'idle'"
_ENVIRONMENT = {
    **SHORT_LEASE,
    "CHANGEOVER_JOB__WAIT_S": "60",
    "CHANGEOVER_JOB__RECONNECT_S": "30",
    "CHANGEOVER_JOB__GRACE_S": "10",
    "CHANGEOVER_LOG__LEVEL": "debug",
}


class Judged(Lifecycle):
    """The harness, whose writers have doubts."""

    def learn(self) -> None:
        """What became of the doubts, by the old side; from then on both sides must say the same."""
        found = {str(row[0]) for row in self.database.rows(self.case.old_tags)}
        odd = [each for writer in uncertain_writer(self) for each in writer.resolve(found)]
        assert not odd, "\n".join(odd)

    def settle(self) -> None:
        """Who was cut off may still be at work on the server."""
        eventually(lambda: not self.database.value(_STRAYS))
        super().settle()

    def copied(self) -> None:
        """Rows are on both sides."""
        self._copied = True

    def at_work(self, stage: str) -> None:
        """The mirrors of this stage stand."""
        self._put_to_work(stage)

    def taken_back(self) -> None:
        """The new version is gone where its tables go."""
        for stage in self.case.stages:
            self._send_away(stage)
        self._copied = self._live = False

    def uninstalled(self) -> None:
        """The ledger goes too, and nothing is left."""
        commands.uninstall(self.database.dsn)
        same(self.database.schema_dump(), self.first_dump, "after everything was taken back")


@dataclass
class ChaosRun:
    """One schedule on its world."""

    schedule: Schedule
    world: World
    weather: Weather
    life: Judged
    patience: float = 120.0
    events: list[str] = field(default_factory=list)
    struck: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    may_end: dict[Job, set[int]] = field(default_factory=lambda: defaultdict(lambda: set(_AGAIN | {0})))
    _left: deque[Fault] = field(default_factory=deque)
    _former: list[Job] = field(default_factory=list)

    @property
    def plan(self) -> str:
        """The name under which the ledger knows it."""
        return commands.open_plan(self.schedule.case.plan).name

    def undergo(self) -> None:
        """The whole schedule."""
        life = self.life
        before = life.dump()
        self.world.ground.disk.use(self.world.database)
        settings = ("target_ms=10", "ceiling_pages=2", f"rest={self.schedule.rest}")
        assert self.start("throttle", "set", str(self.schedule.case.plan), *settings).wait(self.patience) == 0
        for step in self.schedule.forward:
            self.give(step)
            self._follow(step)
        life.check()
        life.check_lossless()
        if self.schedule.contract:
            life.before_contract()
            for step in self.schedule.contract:
                self.give(step)
            assert life.contracted
            life.check()
        for step in self.schedule.back:
            if step.argv[-1] == "verify":
                self.give(step)
                life.check()
                life.check_lossless()
            else:
                life.taken_back()
                self.give(step)
                life.check()
                same(life.dump(), before, "after the way back")
        wrong = out_of_order(self.world.database.rows(_EPOCHS))
        assert not wrong, wrong
        if self.schedule.back:
            life.traffic.end()
            life.uninstalled()

    def _follow(self, step: Step) -> None:
        """Who may write now."""
        stages = self.schedule.case.stages
        whole = step.argv[0] == "start"
        if whole or "dual-write" in step.argv:
            for stage in stages if whole else [step.argv[step.argv.index("--stage") + 1]]:
                self.life.at_work(stage)
        if whole or ("backfill" in step.argv and stages[0] in step.argv):
            self.life.copied()

    # -- one command

    def give(self, step: Step) -> None:
        """Give a command until it is done, while what is to happen happens."""
        self._left.extend(step.faults)
        most = 2 * len(self._left) + 6
        disturbed = False
        for attempt in range(most):
            job = self.start(*step.argv, clock=() if attempt else step.clock)
            job, happened = self._accompany(job)
            code = self._ended(job)
            disturbed = disturbed or happened
            if code == 0:
                self._wait_for_former()
                return
            assert disturbed or code == 7, (
                f"{step.argv} ended with {code}, and nothing had happened:\n{job.said[-3000:]}"
            )
        message = f"{step.argv} is not done after {most} attempts:\n{job.said[-3000:]}"
        raise AssertionError(message)

    def start(self, *argv: str, dsn: str | None = None, clock: tuple[tuple[float, float], ...] = ()) -> Job:
        """Start a command; its line is the one that breaks unless told otherwise."""
        job = self.world.ground.launcher.start(dsn or self.world.dsn, *argv, env=_ENVIRONMENT, clock=clock)
        self.tell(f"{job.name}: {' '.join(argv)}")
        return job

    def superseded(self, job: Job, *, leave: bool = True) -> None:
        """Somebody else takes its lease: it may say so and go."""
        self.may_end[job] |= {_LEASE_LOST}
        if leave:
            self._former.append(job)

    def told(self) -> list[str]:
        """What happened, with its times."""
        server = self.world.ground.server
        excused = sum(each.excused for each in uncertain_writer(self.life))
        return [
            f"PostgreSQL {server.major}; a disk is full {self.world.ground.disk.how}",
            *sorted([*self.events, *self.weather.failures[:40]]),
            f"struck {sum(self.struck.values())} times: {dict(self.struck)}; not reached: {len(self._left)}",
            f"{self.life.traffic.acknowledged} requests answered, {excused} met a broken line or a full disk",
        ]

    def look(self, query: str) -> Any:
        """A value of the ledger."""
        return self.world.database.value(query)

    def tell(self, what: str) -> None:
        """Keep it for whoever has to find out."""
        self.events.append(f"{self.weather.now}  {what}")

    def _accompany(self, job: Job) -> tuple[Job, bool]:
        """Let happen to it what is due, until it ends."""
        happened = False
        ripe: float | None = None
        while job.running:
            if not self._left:
                job.ended.wait(self.patience)
                break
            fault, now = self._left[0], time.monotonic()
            if ripe is None and job.lines >= fault.lines:
                ripe = now
            if ripe is None or now < ripe + fault.after:
                job.ended.wait(_LOOK_S)
                continue
            self._left.popleft()
            self.tell(f"  {fault}, {job.name} has logged {job.lines} lines")
            self.struck[fault.kind.name] += 1
            job, happened, ripe = strike(self, fault, job), True, None
        return job, happened

    def _ended(self, job: Job) -> int:
        code = job.wait(self.patience)
        self.tell(f"{job.name} ends with {code}, {job.lines} lines{_last_words(job.said) if code else ''}")
        assert not any(word in job.said for word in _FAULT), f"{job.argv}: {code}\n{job.said[-5000:]}"
        assert code in self.may_end[job], f"{job.argv} ended with {code}:\n{job.said[-3000:]}"
        return code

    def _wait_for_former(self) -> None:
        """Who was superseded comes to its end too, whatever it finds."""
        while self._former:
            self._ended(self._former.pop())


def out_of_order(events: Iterable[tuple[Any, ...]]) -> list[str]:
    """P6: once somebody holds the lease under a later epoch, nothing more is committed under an earlier one."""
    highest, wrong = 0, []
    for number, kind, epoch in events:
        if epoch < highest:
            wrong.append(f"event {number} ({kind}) of epoch {epoch} after one of epoch {highest}")
        highest = max(highest, epoch)
    return wrong


def uncertain_writer(life: Lifecycle) -> list[UncertainWriter]:
    """Its writers."""
    return [each for each in life.traffic.writers if isinstance(each, UncertainWriter)]


def _last_words(said: str) -> str:
    lines = said.strip().splitlines() or [""]
    return ": " + next((line for line in lines if line.startswith("Error:")), lines[-1])[:200]
