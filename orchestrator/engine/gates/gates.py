"""Gates: what must hold before the old tables are put away. Measured here, decided by pure functions.

A rehearsal is for trying the whole way on a copy: the verification and the checks are asked for, the gates of time and
of people are reported and pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flags import stages as flag_stages
from flags import store as flag_store
from flags.errors import UnknownFlagError
from orchestrator.engine.errors import StageGateError
from orchestrator.engine.gates import controls
from orchestrator.engine.results import GateStatus
from orchestrator.kernel.words import counted, in_a_line
from orchestrator.ledger import approvals, check_results, rehearsals, rejects, verifications, waivers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.ledger.approvals import Approval
    from orchestrator.ledger.check_results import Result
    from orchestrator.ledger.rehearsals import Rehearsal
    from orchestrator.ledger.runs import Run
    from orchestrator.ledger.store import Ledger
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage


@dataclass(frozen=True)
class Facts:
    """What the gates are decided by."""

    verified: bool
    verified_at: datetime | None
    flag: str | None
    flag_stage: str | None
    open_rejects: Mapping[str, int]
    """How many rejects are open, by their reason."""
    now: datetime
    approvals: Sequence[Approval] = ()
    rehearsal: Rehearsal | None = None
    same_rehearsal: Rehearsal | None = None
    checks: Sequence[Result] = field(default_factory=tuple)
    """What the checks of contract answered last."""


def measure(ledger: Ledger, plan: LoadedPlan, run: Run, stage: Stage) -> Facts:
    """Read the facts of a stage."""
    subject = verifications.Subject(plan.name, stage.stage, plan.checksum, run.id)
    last = verifications.latest(ledger, plan.name, stage.stage)
    counts = rejects.counts(ledger, rejects.Which(plan=plan.name, stage=stage.stage, state="open"))
    flag_stage = None
    if stage.flag is not None:
        try:
            flag_stage = flag_store.get(ledger.conn, stage.flag).stage
        except UnknownFlagError:
            flag_stage = None
    return Facts(
        verified=verifications.clean(ledger, subject),
        verified_at=None if last is None else last.ended_at,
        flag=stage.flag,
        flag_stage=flag_stage,
        open_rejects=_by_reason(counts),
        now=datetime.now(UTC),
        approvals=approvals.every(ledger, run, stage.stage),
        rehearsal=rehearsals.latest(ledger, plan.name),
        same_rehearsal=rehearsals.latest(ledger, plan.name, plan.checksum),
        checks=[each for each in check_results.latest(ledger, run, stage.stage) if each.moment == "contract"],
    )


def decide(facts: Facts, stage: Stage, run: Run, checksum: str, argument: str = "") -> list[GateStatus]:
    """Each gate with its answer; in a rehearsal only those that judge the data bind: verification and checks."""
    wanted = stage.contract.gates if stage.contract is not None else None
    where = f"--plan {run.plan} --stage {stage.stage}"
    asked = [each.check for each in stage.checks if "contract" in each.when and each.otherwise == "refuse"]
    binding = [
        _verified(facts, f"--plan {argument or run.plan} --stage {stage.stage}"),
        *(_check(facts, name, argument or run.plan) for name in asked),
    ]
    decided: list[GateStatus] = []
    if wanted is not None and wanted.flag != "none" and facts.flag is not None:
        decided.append(_flag(facts, facts.flag, wanted.flag))
    if wanted is not None and wanted.rejects:
        decided.append(_rejects(facts, where))
    if wanted is not None and wanted.soak_hours:
        decided.append(_soak(facts, wanted.soak_hours))
    said = controls.Said(
        argument or run.plan, stage.stage, checksum, facts.now, facts.approvals, facts.rehearsal, facts.same_rehearsal
    )
    decided += [controls.decide(each, said) for each in stage.all_controls]
    if run.kind == "rehearsal":
        decided = [gate if gate.met else _not_asked(gate) for gate in decided]
    return [*binding, *decided]


def status(ledger: Ledger, plan: LoadedPlan, run: Run, stage: Stage) -> list[GateStatus]:
    """The gates of a stage's contract as they are."""
    if stage.contract is None:
        return []
    return decide(measure(ledger, plan, run, stage), stage, run, plan.checksum, plan.argument)


def require(ledger: Ledger, plan: LoadedPlan, run: Run, stage: Stage, *, kept: str) -> None:
    """Raise StageGateError with every gate of a stage's contract that is not met."""
    waivers.apply(ledger, plan.name)
    found = list(controls.unmet(status(ledger, plan, run, stage)))
    if found:
        words = "; ".join(f"gate {gate.gate} is not met: {gate.words}" for gate in found)
        todo = " ".join(gate.todo for gate in found)
        raise StageGateError(
            f"Stage {stage.stage}, contract: {words}.", kept=kept, todo=f"{todo} Then run the same command again."
        )


def _verified(facts: Facts, where: str) -> GateStatus:
    if facts.verified:
        return GateStatus("verified", met=True, words="the last verification is clean")
    words = "there is no clean verification under this plan"
    return GateStatus("verified", met=False, words=words, todo=f"`changeover verify {where}` compares both sides.")


def _check(facts: Facts, name: str, plan: str) -> GateStatus:
    gate = f"check {name}"
    found = next((each for each in facts.checks if each.check_name == name), None)
    if found is None:
        todo = f"`changeover start {plan}` asks it before it changes anything."
        return GateStatus(gate, met=False, words="is asked when contract begins", todo=todo)
    if found.ok:
        return GateStatus(gate, met=True, words=found.words)
    shown = "".join(f"; {in_a_line(row)}" for row in found.sample[:3])
    todo = (
        f"Mend what it finds, or the plan; `changeover status --json` has its rows. {gate.capitalize()} is asked again."
    )
    return GateStatus(gate, met=False, words=f"{found.words}{shown}", todo=todo)


def _flag(facts: Facts, flag: str, need: str) -> GateStatus:
    have = -1 if facts.flag_stage is None else flag_stages.rank(flag_stages.Stage(facts.flag_stage))
    words = f"flag {flag} is {facts.flag_stage or 'not set'}"
    if have >= flag_stages.rank(flag_stages.Stage(need)):
        return GateStatus("flag", met=True, words=words)
    return GateStatus(
        "flag",
        met=False,
        words=f"{words}, wanted is {need} or later",
        todo=f"Move the readers: `changeover flag promote {flag}`, stage by stage, to {need}.",
    )


def _by_reason(counts: Sequence[rejects.Count]) -> dict[str, int]:
    reasons = sorted({each.reason for each in counts})
    return {reason: sum(each.rows for each in counts if each.reason == reason) for reason in reasons}


def _rejects(facts: Facts, where: str) -> GateStatus:
    if not facts.open_rejects:
        return GateStatus("rejects", met=True, words="no reject is open")
    first, *others = facts.open_rejects
    rest = f", and so for {', '.join(others)}" if others else ""
    return GateStatus(
        "rejects",
        met=False,
        words=f"{counted(sum(facts.open_rejects.values()), 'reject')} open: {', '.join(facts.open_rejects)}",
        todo="Mend their rows, or answer for them by name: "
        f"`changeover rejects waive {where} --of-reason {first} --from-now-on --reason …`{rest}.",
    )


def _soak(facts: Facts, hours: float) -> GateStatus:
    passed = 0.0 if facts.verified_at is None else (facts.now - facts.verified_at).total_seconds() / 3600
    if passed >= hours:
        return GateStatus("soak", met=True, words=f"{passed:.1f} hours since the verification")
    words = f"{passed:.1f} of {hours} hours have passed since the verification"
    return GateStatus("soak", met=False, words=words, todo=f"Wait {hours - passed:.1f} hours more.")


def _not_asked(gate: GateStatus) -> GateStatus:
    return GateStatus(gate.gate, met=True, words=f"not asked of a rehearsal ({gate.words})")
