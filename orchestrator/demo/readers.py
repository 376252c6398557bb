"""The readers' way from the old tables to the new ones, by the flags, with a defect to be caught on it.

The first build of the new report has a defect that somebody planted. At `shadow` both sides are read and the old one
answers, so what differs is seen by the guard and by no user: it takes the flag back, and nobody here helps it. Then the
mended build is deployed, a person releases the flag, and it goes on by percentage until everybody reads the new tables.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flags import guard, store
from flags.stages import EVERYBODY, Stage
from orchestrator.demo.application.reads import AUDITS, FIRST_ATTEMPT, LEGACY
from orchestrator.demo.moved import MENDED, Caught, Moved, Step
from orchestrator.kernel.connections import connect
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import psycopg

    from flags.store import Flag
    from orchestrator.demo.application import Application, Request
    from orchestrator.demo.narrator import Narrator

_ROLLOUTS: Final = (10, 50, EVERYBODY)
_ENOUGH: Final = 40  # reports that have to agree before anybody is answered by the new tables
_PATIENCE_S: Final = 90.0
_LOOK_S: Final = 0.2
_GUARD: Final = "guard"
# A machine that migrates a database and plays its application as well is no measure of latency.
_LIMITS: Final = guard.Limits(slower=20, floor_ms=2000, errors=0.1)
_READS: Final = ("report", "lookup")


@dataclass
class Readers:
    """Moves the readers of an application, all flags together."""

    dsn: str
    flags: Sequence[str]
    operator: str
    application: Application
    voice: Narrator
    idle: Callable[[], None]
    """Called again and again while it waits."""
    _steps: list[tuple[str, dict[str, int]]] = field(default_factory=list)
    """The label of each step, and the version that each flag moved had then."""
    _retreat: tuple[Flag, Flag] | None = None
    """The flag as it was set, and as the guard left it."""

    def move(self, seconds: float) -> None:
        """To `live`, everybody; each percentage is watched for so many seconds."""
        with self._open() as conn:
            for flag in self.flags:
                guard.set_limits(conn, flag, _LIMITS)
        self.all_to(Stage.DUALWRITE)
        self.all_to(Stage.SHADOW, "shadow, first attempt")
        self._wait_for_the_guard()
        self.application.deploy("mended")
        mended = store.Change(Stage.SHADOW, rollout=EVERYBODY, release=True)
        (version,) = self._to(MENDED, [AUDITS], mended, "the report is mended")
        self._wait(_PATIENCE_S, lambda: self._readings(AUDITS).get(version, (0,))[0] >= _ENOUGH)
        for rollout in _ROLLOUTS:
            self.all_to(Stage.LIVE, f"live {rollout} %", rollout)
            self._wait(seconds)

    def all_to(self, stage: Stage, label: str | None = None, rollout: int = EVERYBODY) -> None:
        """Move every flag."""
        self._to(label or stage.value, self.flags, store.Change(stage, rollout=rollout), "the demo goes on")

    def moved(self, requests: Iterable[Request]) -> Moved:
        """What came of it, by the application's own record and by what its shadow reads have reported."""
        answered: dict[str, list[str]] = defaultdict(list)
        for request in requests:
            if request.kind in _READS and request.version == "new" and request.error is None:
                answered[request.phase].append(request.source)
        with self._open() as conn:
            stages = {flag: store.get(conn, flag).stage for flag in self.flags}
        readings = {flag: self._readings(flag) for flag in self.flags}
        steps = []
        for label, versions in self._steps:
            seen = [readings[flag].get(version, (0, 0, 0)) for flag, version in versions.items()]
            compared, different, failed = (sum(numbers) for numbers in zip(*seen, strict=True))
            new = sum(source != LEGACY for source in answered[label])
            steps.append(Step(label, len(answered[label]), new, compared, different, failed))
        caught = None
        if self._retreat is not None:
            was, now = self._retreat
            compared, different, _ = readings[AUDITS].get(was.version, (0, 0, 0))
            seconds = (now.updated_at - was.updated_at).total_seconds()
            caught = Caught(AUDITS, was.stage, now.stage, compared, different, seconds)
        defective = sum(source == FIRST_ATTEMPT for sources in answered.values() for source in sources)
        return Moved(tuple(steps), caught, defective, stages)

    def _to(self, label: str, flags: Sequence[str], change: store.Change, why: str) -> list[int]:
        self.application.phase(label)
        with self._open() as conn:
            moved = {flag: store.set_flag(conn, flag, change, store.By(self.operator, why)).version for flag in flags}
        self._steps.append((label, moved))
        self.voice.say(f"{' and '.join(flags)}: {label}")
        return list(moved.values())

    def _wait_for_the_guard(self) -> None:
        was = self._flag()
        if not self._wait(_PATIENCE_S, lambda: self._flag().updated_by == _GUARD):
            self.voice.say("the planted defect was NOT caught")
            return
        now = self._flag()
        self._retreat = was, now
        self.voice.say(f"the guard takes {AUDITS} from {was.stage} back to {now.stage}: {now.hold}")

    def _wait(self, seconds: float, until: Callable[[], bool] = bool) -> bool:
        """False if the time was up before."""
        end = time.monotonic() + seconds
        while not (done := until()) and time.monotonic() < end:
            self.idle()
            time.sleep(_LOOK_S)
        return done

    def _flag(self) -> Flag:
        with self._open() as conn:
            return store.get(conn, AUDITS)

    def _readings(self, flag: str) -> dict[int, tuple[int, int, int]]:
        """Compared, different and failed reads, by the version of the flag."""
        with self._open() as conn:
            rows = conn.execute(load(__package__, "readings.sql"), {"flag": flag})
            return {version: (compared, different, failed) for version, compared, different, failed in rows}

    def _open(self) -> psycopg.Connection[Any]:
        return connect(self.dsn, role="demo")
