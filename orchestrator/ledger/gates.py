"""Approvals: a gate that wants a person is opened by name and for a reason.

An approval is given once per person, stage and gate; giving it again renews its date and reason. It belongs to a run,
and a run to one checksum of the plan: what takes a stage back takes its approvals with it, and a new version has none.
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
class Gate:
    """The gate of a stage, in a run."""

    run: Run
    stage: str
    gate: str

    @property
    def about(self) -> About:
        """What an event says of it."""
        return About(self.run.plan, self.stage)


@dataclass(frozen=True, slots=True)
class Approval:
    """A row of `changeover.gate_approval`."""

    run_id: int
    stage: str
    gate: str
    approved_by: str
    reason: str
    created_at: datetime


def approve(ledger: Ledger, gate: Gate, *, by: str, reason: str) -> None:
    """Open a gate in somebody's name."""
    if not by.strip() or not reason.strip():
        raise MoveRefusedError("A gate is approved by a name and for a reason.", kept="Nothing was changed.")
    given = insert(tables.gate_approval).values(
        run_id=gate.run.id, stage=gate.stage, gate=gate.gate, approved_by=by, reason=reason
    )
    with ledger.transaction():
        ledger.run(
            given.on_conflict_do_update(
                index_elements=["run_id", "stage", "gate", "approved_by"],
                set_={"reason": reason, "created_at": func.clock_timestamp()},
            )
        )
        ledger.event("gate.approved", gate.about, gate=gate.gate, by=by, reason=reason)


def revoke(ledger: Ledger, gate: Gate, *, by: str, reason: str) -> bool:
    """Take somebody's approval back; False if there was none."""
    table = tables.gate_approval
    with ledger.transaction():
        gone = ledger.run(
            delete(table).where(
                table.c.run_id == gate.run.id,
                table.c.stage == gate.stage,
                table.c.gate == gate.gate,
                table.c.approved_by == by,
            )
        )
        if gone:
            ledger.event("gate.revoked", gate.about, gate=gate.gate, by=by, reason=reason)
    return bool(gone)


def approvals(ledger: Ledger, gate: Gate) -> list[Approval]:
    """Who has opened a gate."""
    table = tables.gate_approval
    where = [table.c.run_id == gate.run.id, table.c.stage == gate.stage, table.c.gate == gate.gate]
    return ledger.all(select_as(table, Approval, *where).order_by(table.c.created_at), Approval)


def withdraw(ledger: Ledger, run: Run, stage: str) -> None:
    """A stage is taken back: nobody has approved what comes after it."""
    table = tables.gate_approval
    with ledger.transaction():
        gone = ledger.run(delete(table).where(table.c.run_id == run.id, table.c.stage == stage))
        if gone:
            ledger.event("gate.withdrawn", About(run.plan, stage), approvals=gone)
