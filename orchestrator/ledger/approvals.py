"""Approvals: a person says yes to a control of a stage, by name, in a role, and for a reason.

An approval is given once per person and control; giving it again renews its date, role and reason. It belongs to a run
and to one checksum of the plan: what takes a stage back takes its approvals with it, and a new version has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert

from orchestrator.ledger import answer_tables as tables
from orchestrator.ledger.errors import MoveRefusedError
from orchestrator.ledger.store import About, Ledger, select_as

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
    given = insert(tables.approval).values(
        run_id=run.id,
        stage=subject.stage,
        control=subject.control,
        approved_by=by,
        role=role,
        checksum=run.checksum,
        reason=reason,
    )
    new = {"role": role, "checksum": run.checksum, "reason": reason, "created_at": func.clock_timestamp()}
    with ledger.transaction():
        ledger.run(given.on_conflict_do_update(index_elements=["run_id", "stage", "control", "approved_by"], set_=new))
        ledger.event("gate.approved", subject.about, gate=subject.control, by=by, role=role, reason=reason)


def revoke(ledger: Ledger, subject: Subject, *, by: str, reason: str) -> bool:
    """Take somebody's approval back; False if there was none."""
    table = tables.approval
    with ledger.transaction():
        gone = ledger.run(
            delete(table).where(
                table.c.run_id == subject.run.id,
                table.c.stage == subject.stage,
                table.c.control == subject.control,
                table.c.approved_by == by,
            )
        )
        if gone:
            ledger.event("gate.revoked", subject.about, gate=subject.control, by=by, reason=reason)
    return bool(gone)


def every(ledger: Ledger, run: Run, stage: str) -> list[Approval]:
    """Every approval of a stage, the first one first."""
    table = tables.approval
    chosen = select_as(table, Approval, table.c.run_id == run.id, table.c.stage == stage)
    return ledger.all(chosen.order_by(table.c.created_at, table.c.control), Approval)


def withdraw(ledger: Ledger, run: Run, stage: str) -> None:
    """A stage is taken back: nobody has approved what comes after it."""
    table = tables.approval
    with ledger.transaction():
        gone = ledger.run(delete(table).where(table.c.run_id == run.id, table.c.stage == stage))
        if gone:
            ledger.event("gate.withdrawn", About(run.plan, stage), approvals=gone)
