"""Approvals: a person says yes to a control of a stage, by name, in a role, and for a reason.

An approval is given once per person and control; giving it again renews its date, role and reason. It belongs to a run
and to one checksum of the plan: what takes a stage back takes its approvals with it, and a new version has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.ledger.errors import MoveRefusedError
from orchestrator.ledger.statements import NOW, delete, equal, insert, or_update, order, select
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from datetime import datetime

    from orchestrator.ledger.runs import Run


@dataclass(frozen=True, slots=True)
class Subject:
    """A control of a stage, in a run."""

    run: Run
    stage: str
    control: str

    @property
    def about(self) -> About:
        """What an event says of it."""
        return About(self.run.plan, self.stage)


@dataclass(frozen=True, slots=True)
class Approval:
    """A row of `changeover.approval`."""

    run_id: int
    stage: str
    control: str
    approved_by: str
    role: str
    checksum: str
    reason: str
    created_at: datetime

    @property
    def person(self) -> str:
        """Who it is, however the name is written."""
        return self.approved_by.strip().casefold()

    @property
    def words(self) -> str:
        """Who, as what, when and why."""
        role = f" as {self.role}" if self.role else ""
        return f"{self.approved_by}{role} on {self.created_at:%Y-%m-%d %H:%M} UTC ({self.reason})"


def approve(ledger: Ledger, subject: Subject, *, by: str, reason: str, role: str = "") -> None:
    """Say yes in somebody's name."""
    if not by.strip() or not reason.strip():
        raise MoveRefusedError("A control is approved by a name and for a reason.", kept="Nothing was changed.")
    run = subject.run
    key = {"run_id": run.id, "stage": subject.stage, "control": subject.control, "approved_by": by}
    new = {"role": role, "checksum": run.checksum, "reason": reason}
    with ledger.transaction():
        ledger.run(insert("approval", {**key, **new}) + or_update(list(key), {**new, "created_at": NOW}))
        ledger.event("gate.approved", subject.about, gate=subject.control, by=by, role=role, reason=reason)


def revoke(ledger: Ledger, subject: Subject, *, by: str, reason: str) -> bool:
    """Take somebody's approval back; False if there was none."""
    key = equal(run_id=subject.run.id, stage=subject.stage, control=subject.control, approved_by=by)
    with ledger.transaction():
        gone = ledger.run(delete("approval", *key))
        if gone:
            ledger.event("gate.revoked", subject.about, gate=subject.control, by=by, reason=reason)
    return bool(gone)


def every(ledger: Ledger, run: Run, stage: str) -> list[Approval]:
    """Every approval of a stage, the first one first."""
    chosen = select(Approval, "approval", *equal(run_id=run.id, stage=stage))
    return ledger.all(chosen + order("created_at", "control"), Approval)


def withdraw(ledger: Ledger, run: Run, stage: str) -> None:
    """A stage is taken back: nobody has approved what comes after it."""
    with ledger.transaction():
        gone = ledger.run(delete("approval", *equal(run_id=run.id, stage=stage)))
        if gone:
            ledger.event("gate.withdrawn", About(run.plan, stage), approvals=gone)
