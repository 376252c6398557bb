"""The first database of a scripted demo: from start to contract while both versions of the application work on it.

The phases are the engine's own, in one `start` up to the verification and one beyond it. What the report says of them
comes from its events. The new version begins with each stage when that has been verified. Then the readers move by the
flags, people answer for the controls, the rejects are waived, old tables go to the archive. When all is over the
application is stopped and everything is counted, by the rules of the script and not of the plan.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flags import store
from flags.stages import EVERYBODY
from flags.stages import Stage as FlagStage
from orchestrator.demo.parts import PhaseTime, Verified
from orchestrator.demo.pictures import Copied
from orchestrator.demo.scripted import database
from orchestrator.demo.verdict import Verdict
from orchestrator.engine import commands
from orchestrator.engine.session import Terms
from orchestrator.kernel.connections import connect
from orchestrator.kernel.events import Bus
from orchestrator.kernel.words import counted

if TYPE_CHECKING:
    from orchestrator.demo.application import Request
    from orchestrator.demo.cutover import Pace, Place
    from orchestrator.demo.narrator import Narrator
    from orchestrator.demo.scripted.process import ScriptedApplication
    from orchestrator.demo.scripted.script import Script
    from orchestrator.engine.results import VerifyResult
    from orchestrator.kernel.events import Event
    from orchestrator.plan.controls import Control
    from orchestrator.plan.loader import LoadedPlan

OPERATOR: Final = "demo"
BEFORE: Final = "before"
AFTER: Final = "after"
_STEPS: Final = (
    (FlagStage.DUALWRITE, EVERYBODY),
    (FlagStage.SHADOW, EVERYBODY),
    (FlagStage.LIVE, 10),
    (FlagStage.LIVE, 50),
    (FlagStage.LIVE, EVERYBODY),
    (FlagStage.RAMPDOWN, EVERYBODY),
    (FlagStage.COMPLETE, EVERYBODY),
)
_BACK: Final = ", contract taken back"
_TERMS: Final = Terms(wait=60.0)
"""A runner that was killed holds the lease for as long as its server process has a statement in hand."""


@dataclass(frozen=True)
class Check:
    """What a check of the plan answered, the last time that it was asked."""

    stage: str
    check: str
    ok: bool
    binding: bool
    words: str


@dataclass
class Outcome:
    """All that the report wants to know of it."""

    legacy: dict[str, int]
    planted: dict[str, dict[str, int]]
    migrated: dict[str, int]
    rejects: dict[str, dict[str, int]]
    verified: list[Verified]
    verdict: Verdict
    requests: list[Request]
    phases: list[PhaseTime]
    checks: list[Check]
    answers: list[tuple[str, str, str]]
    """Control, role, person."""
    hindered: dict[str, int]
    unsettled: int
    copied: tuple[tuple[float, float], ...]


@dataclass
class Cutover:
    """One migration under load."""

    plan: LoadedPlan
    script: Script
    place: Place
    pace: Pace
    voice: Narrator
    _bus: Bus = field(default_factory=Bus)
    _phases: list[PhaseTime] = field(default_factory=list)
    _verified: list[Verified] = field(default_factory=list)
    _checks: dict[tuple[str, str], Check] = field(default_factory=dict)
    _answers: list[tuple[str, str, str]] = field(default_factory=list)
    _hindered: Counter[str] = field(default_factory=Counter)
    _copied: Copied = field(default_factory=Copied)

    def play(self, application: ScriptedApplication) -> None:
        """Go all the way; `application` is at work, and is stopped in the end."""
        self._application = application
        for listener in (self.voice.listen, self._copied.listen, self._listen):
            self._bus.subscribe(listener)
        self._watch(BEFORE, "the old version works as ever")
        application.phase("init")
        commands.init(self.place.owner)
        self.forward()
        self._move_readers()
        self._verify("reads moved")
        self.answer()
        self.contract()
        self._watch(AFTER, "both versions work on: the old one by the old names, the new one on the new tables")
        application.stop()

    def forward(self) -> None:
        """Every stage to its verification."""
        for stage in self.plan.model.stages:
            self.forward_to(stage.stage, "verify")

    def forward_to(self, stage: str, phase: str) -> None:
        """One stage to a phase."""
        commands.start(
            *(self.place.owner, self.plan),
            stage=stage,
            until=phase,
            kind="cutover",
            bus=self._bus,
            operator=OPERATOR,
            terms=_TERMS,
        )

    def contract(self) -> None:
        """Old tables to the archive."""
        commands.start(self.place.owner, self.plan, kind="cutover", bus=self._bus, operator=OPERATOR, terms=_TERMS)

    # ------------------------------------------------------------------------------ under load

    def _listen(self, event: Event) -> None:
        """What the engine says."""
        if event.kind not in {"phase.started", "phase.done"}:
            return
        stage, phase = str(event.fields["stage"]), str(event.fields["phase"])
        if event.kind == "phase.started":
            self.entered(stage, phase)
        else:
            self.left(stage, phase, float(event.fields["seconds"]))

    def entered(self, stage: str, phase: str) -> None:
        """Label the requests."""
        self._application.phase(f"{stage}, {phase}")

    def left(self, stage: str, phase: str, seconds: float) -> None:
        """Let the application in to what a phase has made."""
        self._phases.append(PhaseTime(stage, phase, seconds))
        if phase == "expand":
            database.grant(self.place.owner, self.place.role)
        elif phase == "verify":
            self._application.open(stage)

    def _watch(self, label: str, sentence: str) -> None:
        self._application.phase(label)
        self.voice.say(sentence)
        time.sleep(self.pace.undisturbed)

    def _move_readers(self) -> None:
        """Every flag to the end, step by step; meanwhile what the mirrors left is derived again."""
        flags = [stage.flag for stage in self.plan.model.stages if stage.flag is not None]
        for stage, rollout in _STEPS if flags else ():
            label = stage.value if stage is not FlagStage.LIVE else f"{stage.value} {rollout} %"
            self._application.phase(label)
            with connect(self.place.owner, role="demo") as conn:
                for flag in flags:
                    by = store.By(OPERATOR, "the demo goes on")
                    store.set_flag(conn, flag, store.Change(stage, rollout=rollout), by)
            self.voice.say(f"{' and '.join(flags)}: {label}")
            time.sleep(self.pace.step)
            self._drain()

    def _drain(self) -> None:
        self._hindered.update(database.waiting(self.place.owner))
        commands.drain(self.place.owner, plan=self.plan.name, operator=OPERATOR)

    def answer(self) -> None:
        """Dirt is mended as the script says, people say yes to the controls, somebody answers for what is left."""
        if self.script.mend:
            database.run(self.place.owner, self.script.mend)
            self._drain()
            self.voice.say(f"{counted(len(self.script.mend), 'statement')} mended old rows that were rejected")
        for stage in self.plan.model.stages:
            for control in stage.controls:
                self._approve(stage.stage, control)
        waived = commands.rejects_waive(
            self.place.owner, plan=self.plan.name, reason="looked at and left behind", operator=OPERATOR
        )
        self.voice.say(f"{counted(len(waived), 'rejected row')} waived by name, kept whole in the ledger")

    def _approve(self, stage: str, control: Control) -> None:
        for role in () if control.rehearsed is not None else control.wanted:
            anybody = [f"{role or 'person'} {number + 1}" for number in range(control.people)]
            for name in (control.validators.get(role) or anybody)[: control.people]:
                commands.gate_approve(
                    self.place.owner,
                    self.plan,
                    control.control,
                    stage=stage,
                    role=role or None,
                    operator=name,
                    reason="looked at",
                )
                self._answers.append((control.title or control.control, role, name))

    def _verify(self, when: str) -> None:
        self._hindered.update(database.waiting(self.place.owner))
        for result in commands.verify(self.place.owner, self.plan, bus=self._bus, operator=OPERATOR):
            self._note(result, when)

    def _note(self, result: VerifyResult, when: str) -> None:
        if result.rows:
            self._verified.append(Verified(f"{result.stage}, {when}", result.rows, result.differences, result.seconds))
        for check in result.checks:
            name, good, binding = str(check["check"]), bool(check["ok"]), bool(check.get("binding", True))
            # What the catalog is asked has no words of its own.
            self._checks[result.stage, name] = Check(result.stage, name, good, binding, str(check.get("words", "")))

    # ------------------------------------------------------------------------------ afterwards

    def examine(self) -> Outcome:
        """Count both sides, when nobody writes; contract is taken back in the end."""
        self.voice.say("the application is stopped; now everything is counted")
        self._drain()
        self._verify("at the end")
        contracted = self._application.check(self.place.owner, self.script)
        legacy, planted = database.planted(self.place.owner, self.script)
        migrated, rejects = database.migrated(self.place.owner, self.script)
        self.voice.say("contract is taken back: the old tables themselves are read")
        commands.rollback(self.place.owner, self.plan, to="verify", bus=self._bus, operator=OPERATOR)
        restored = self._application.check(self.place.owner, self.script, after=_BACK)
        places = {**contracted.places, **restored.places}
        differences = (*contracted.differences, *restored.differences)
        return Outcome(
            legacy=legacy,
            planted=planted,
            migrated=migrated,
            rejects=rejects,
            verified=self._verified,
            verdict=Verdict(contracted.writes, contracted.rows, contracted.doubtful, places, differences),
            requests=list(self._application.requests()),
            phases=self._phases,
            checks=list(self._checks.values()),
            answers=self._answers,
            hindered=dict(self._hindered),
            unsettled=sum(database.waiting(self.place.owner).values()),
            copied=tuple(self._copied.marks),
        )
