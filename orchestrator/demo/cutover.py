"""The first database: migrated from start to contract while both versions of the application work on it.

The application never stops and is never told anything: the old version goes on under the legacy names, which are
views in the end; the new version asks its flags. Only when all is over it is stopped, and then everything is counted
twice: what is in the new tables, and, with contract taken back, what is in the old tables themselves, by rules that are
written down independently of the plan.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flags.stages import Stage as FlagStage
from orchestrator.demo import queries
from orchestrator.demo.application import Application, check_acknowledged
from orchestrator.demo.legacy import expect, find, grant_application
from orchestrator.demo.meddler import Meddler
from orchestrator.demo.parts import PhaseTime, Verified
from orchestrator.demo.pictures import Copied
from orchestrator.demo.readers import Readers
from orchestrator.demo.verdict import Verdict
from orchestrator.engine import commands
from orchestrator.engine.session import Terms
from orchestrator.kernel.connections import connect
from orchestrator.kernel.events import Bus
from orchestrator.kernel.sqlfiles import load
from orchestrator.kernel.words import compared

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.demo.application import Request
    from orchestrator.demo.legacy import Found, Planted
    from orchestrator.demo.moved import Moved
    from orchestrator.demo.narrator import Narrator
    from orchestrator.demo.report import QueryTime

PLAN: Final = "cqms"
OPERATOR: Final = "demo"
BEFORE: Final = "before"
AFTER: Final = "after"
_DISTURBED: Final = "audits"
_SETTLE_S: Final = 1.0


@dataclass(frozen=True)
class Place:
    """A database of the demo: how its owner and the application reach it."""

    owner: str
    application: str
    role: str


@dataclass(frozen=True)
class Pace:
    """How busy the application is, and how long it is watched."""

    rate: float
    undisturbed: float
    """Seconds of watching before and after."""
    step: float
    """Seconds at each step of the flags."""


@dataclass(frozen=True)
class Outcome:
    """All that the report wants to know of it."""

    planted: Planted
    found: Found
    verified: tuple[Verified, ...]
    verdict: Verdict
    requests: tuple[Request, ...]
    phases: tuple[PhaseTime, ...]
    queries: tuple[QueryTime, ...]
    hindered: dict[str, int]
    unsettled: int
    moved: Moved
    copied: tuple[tuple[float, float], ...] = ()
    """When how many rows were copied: seconds since the epoch, rows."""


@dataclass
class Cutover:
    """One migration under load."""

    place: Place
    folder: Path
    voice: Narrator
    pace: Pace
    planted: Planted
    seed: int
    _bus: Bus = field(default_factory=Bus)
    _phases: list[PhaseTime] = field(default_factory=list)
    _verified: list[Verified] = field(default_factory=list)
    _hindered: Counter[str] = field(default_factory=Counter)
    _settled: float = 0.0
    _copied: Copied = field(default_factory=Copied)

    def play(self) -> Outcome:
        """Go all the way."""
        self._bus.subscribe(self.voice.listen)
        self._bus.subscribe(self._copied.listen)
        self._stages = [stage.stage for stage in commands.open_plan(PLAN).model.stages]
        before = queries.legacy(self.place.application)
        self.voice.say(f"one employee's report takes {before.employee:.1f} ms, in {before.queries} queries")
        with Application(
            self.place.application, self.folder, rate=self.pace.rate, old=5, new=5, seed=self.seed
        ) as application:
            self._watch(
                application, BEFORE, "the application works as ever: 5 clients of the old version, 5 of the new"
            )
            self._migrate(application)
            flags = [stage.flag for stage in commands.open_plan(PLAN).model.stages if stage.flag is not None]
            readers = Readers(self.place.owner, flags, OPERATOR, application, self.voice, self._settle)
            readers.move(self.pace.step)
            self._put_away(application, readers)
            self._watch(
                application, AFTER, "the application works on: the old version on views, the new one on the new tables"
            )
        self.voice.say("the application is stopped; now everything is counted")
        self._verify("at the end")
        after = queries.unified(self.place.application)
        self.voice.say(f"one employee's report takes {after.employee:.1f} ms, in one query")
        moved = readers.moved(application.requests())
        return self._examine(application, queries.compare(before, after), moved)

    # ------------------------------------------------------------------------------ under load

    def _watch(self, application: Application, label: str, sentence: str) -> None:
        application.phase(label)
        self.voice.say(sentence)
        time.sleep(self.pace.undisturbed)

    def _migrate(self, application: Application) -> None:
        """Every stage, phase by phase, up to the verification."""
        application.phase("init")
        commands.init(self.place.owner)
        grant_application(self.place.owner, self.place.role)
        meddler = Meddler(self.place.owner, _DISTURBED, self.voice)
        self._bus.subscribe(meddler.listen)
        for stage in self._stages:
            for phase in ("expand", "dual-write", "backfill", "verify"):
                self._run(application, stage, phase)
                if phase == "backfill" and stage == _DISTURBED:
                    meddler.finish()

    def _run(self, application: Application, stage: str, phase: str) -> None:
        application.phase(f"{stage}, {phase}")
        self._note_hindered()
        done = commands.run_phase(
            self.place.owner, PLAN, stage, phase, kind="cutover", bus=self._bus, operator=OPERATOR
        )
        self._phases.append(PhaseTime(stage, phase, done.seconds))
        if phase == "verify":
            self._verified.append(
                Verified(stage, int(done.detail["rows"]), int(done.detail["differences"]), done.seconds)
            )

    def _settle(self) -> None:
        """What `changeover drain --every 1` does beside the jobs, as is right where writers use REPEATABLE READ."""
        if time.monotonic() - self._settled > _SETTLE_S:
            self._note_hindered()
            commands.drain(self.place.owner, plan=PLAN, operator=OPERATOR)
            self._settled = time.monotonic()

    def _put_away(self, application: Application, readers: Readers) -> None:
        """Answer for the rejects, then archive the old tables; views stand under their names."""
        readers.all_to(FlagStage.RAMPDOWN)
        self._verify("reads moved")
        # A write that is going to be rejected would leave an open reject between the waiver and the gate.
        application.mischief(on=False)
        time.sleep(self.pace.step / 2)
        readers.all_to(FlagStage.COMPLETE)
        waived = commands.rejects_waive(
            self.place.owner, plan=PLAN, reason="dirt of years, looked at and left behind", operator=OPERATOR
        )
        self.voice.say(f"{len(waived):,} rejected rows are waived by name; they stay in the ledger, whole")
        for stage in reversed(self._stages):
            self._run(application, stage, "contract")
        self._verify("contracted")

    def _verify(self, when: str) -> None:
        self._note_hindered()
        for result in commands.verify(self.place.owner, PLAN, bus=self._bus, operator=OPERATOR):
            self._verified.append(Verified(f"{result.stage}, {when}", result.rows, result.differences, result.seconds))
            self.voice.say(f"{result.stage}: {compared(result.rows, result.differences)}")

    def _note_hindered(self) -> None:
        """What mirrors have left for the drain since it last went round."""
        if self._phases:
            self._hindered.update(self._waiting())

    def _waiting(self) -> dict[str, int]:
        with connect(self.place.owner, role="demo") as conn:
            return dict(conn.execute(load(__package__, "queue.sql")).fetchall())

    # ------------------------------------------------------------------------------ afterwards

    def _examine(self, application: Application, measured: tuple[QueryTime, ...], moved: Moved) -> Outcome:
        """Count both sides, when nobody writes."""
        entries = list(application.entries())
        behind_views = check_acknowledged(self.place.owner, entries)
        self.voice.say("contract is taken back: the old tables themselves are counted and compared")
        nobody_reads = Terms(poll_s=0)
        commands.rollback(self.place.owner, PLAN, to="verify", bus=self._bus, operator=OPERATOR, terms=nobody_reads)
        planted = expect(self.place.owner, troubles=self.planted.troubles)
        found = find(self.place.owner, [*planted.sources, "public.people", "public.users"])
        verdict = _together(behind_views, check_acknowledged(self.place.owner, entries))
        return Outcome(
            planted=planted,
            found=found,
            verified=tuple(self._verified),
            verdict=verdict,
            requests=tuple(application.requests()),
            phases=tuple(self._phases),
            queries=measured,
            hindered=dict(self._hindered),
            unsettled=sum(self._waiting().values()),
            moved=moved,
            copied=tuple(self._copied.marks),
        )


def _together(contracted: Verdict, restored: Verdict) -> Verdict:
    """One verdict of two looks: with views under the legacy names, and with the old tables back."""
    names = {"legacy": "the views under the legacy names", "unified": "the unified tables"}
    places = {names.get(place, place): number for place, number in contracted.places.items()}
    names = {"legacy": "the old tables themselves", "compat": "the compatibility views"}
    places |= {names[place]: number for place, number in restored.places.items() if place in names}
    differences = (*contracted.differences, *restored.differences)
    return Verdict(restored.writes, restored.rows, restored.doubtful, places, differences)
