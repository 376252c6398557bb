"""Gates: what must hold before the old tables are put away. Measured here, decided by pure functions.

A rehearsal is for trying the whole way on a copy: only the clean verification is asked for, the gates of
time and of people are reported and pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flags import stages as flag_stages
from flags import store as flag_store
from flags.errors import UnknownFlagError
from orchestrator.engine.results import GateStatus
from orchestrator.ledger import gates as ledger_gates
from orchestrator.ledger import rejects, verifications

if TYPE_CHECKING:
    from orchestrator.ledger.runs import Run
    from orchestrator.ledger.store import Ledger
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Gates, Stage


@dataclass(frozen=True)
class Facts:
    """What the gates are decided by."""

    verified: bool
    verified_at: datetime | None
    flag: str | None
    flag_stage: str | None
    open_rejects: int
    approvals: int
    now: datetime


def measure(ledger: Ledger, plan: LoadedPlan, run: Run, stage: Stage) -> Facts:
    """Read the facts of a stage."""
    subject = verifications.Subject(plan.name, stage.stage, plan.checksum, run.id)
    last = verifications.latest(ledger, plan.name, stage.stage)
    counts = rejects.counts(ledger, rejects.Which(plan=plan.name, stage=stage.stage, state="open"))
    gate = ledger_gates.Gate(plan.name, stage.stage, "approval")
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
        open_rejects=sum(c.rows for c in counts),
        approvals=len(ledger_gates.approvals(ledger, gate)),
        now=datetime.now(UTC),
    )


def decide(facts: Facts, wanted: Gates, kind: str, stage: str) -> list[GateStatus]:
    """Each gate with its answer; in a rehearsal only the verification binds."""
    rehearsal = kind == "rehearsal"
    decided = [
        GateStatus(
            "verified",
            facts.verified,
            "the last verification is clean"
            if facts.verified
            else f"no clean verification under this plan: run `changeover verify --stage {stage}`",
        )
    ]
    if wanted.flag != "none" and facts.flag is not None:
        need = flag_stages.rank(flag_stages.Stage(wanted.flag))
        have = -1 if facts.flag_stage is None else flag_stages.rank(flag_stages.Stage(facts.flag_stage))
        decided.append(
            GateStatus(
                "flag",
                rehearsal or have >= need,
                f"flag {facts.flag} is {facts.flag_stage or 'not set'}, wanted is {wanted.flag} or later: "
                f"`changeover flag set {facts.flag} --stage {wanted.flag}`",
            )
        )
    if wanted.rejects:
        decided.append(
            GateStatus(
                "rejects",
                rehearsal or facts.open_rejects == 0,
                f"{facts.open_rejects} open rejects: mend them and `changeover rejects replay`, or waive them",
            )
        )
    if wanted.soak_hours:
        hours = 0.0 if facts.verified_at is None else (facts.now - facts.verified_at).total_seconds() / 3600
        decided.append(
            GateStatus(
                "soak",
                rehearsal or hours >= wanted.soak_hours,
                f"{hours:.1f} of {wanted.soak_hours} hours since the verification",
            )
        )
    if wanted.approvals:
        decided.append(
            GateStatus(
                "approval",
                rehearsal or facts.approvals >= wanted.approvals,
                f"{facts.approvals} of {wanted.approvals} approvals: `changeover approve`",
            )
        )
    return decided


def status(ledger: Ledger, plan: LoadedPlan, run: Run, stage: Stage) -> list[GateStatus]:
    """The gates of a stage's contract as they stand."""
    if stage.contract is None:
        return []
    return decide(measure(ledger, plan, run, stage), stage.contract.gates, run.kind, stage.stage)
