"""Approvals: a gate that wants a person is opened by name and for a reason.

An approval is given once per person, stage and gate; giving it again renews its date and reason. Callers ask for
those given `since` the run began, so that the approval of a rehearsal does not open the gate of the cutover.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert

from orchestrator.ledger import tables
from orchestrator.ledger.errors import MoveRefusedError, NotApprovedError
from orchestrator.ledger.store import About, Ledger, select_as

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of a stage."""

    plan: str
    stage: str
    gate: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A row of `changeover.gate_approval`."""

    plan: str
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
        plan=gate.plan, stage=gate.stage, gate=gate.gate, approved_by=by, reason=reason
    )
    with ledger.transaction():
        ledger.run(
            given.on_conflict_do_update(
                index_elements=["plan", "stage", "gate", "approved_by"],
                set_={"reason": reason, "created_at": func.clock_timestamp()},
            )
        )
        ledger.event("gate.approved", About(gate.plan, gate.stage), gate=gate.gate, by=by, reason=reason)


def revoke(ledger: Ledger, gate: Gate, *, by: str, reason: str) -> bool:
    """Take somebody's approval back; False if there was none."""
    table = tables.gate_approval
    with ledger.transaction():
        gone = ledger.run(
            delete(table).where(
                table.c.plan == gate.plan,
                table.c.stage == gate.stage,
                table.c.gate == gate.gate,
                table.c.approved_by == by,
            )
        )
        if gone:
            ledger.event("gate.revoked", About(gate.plan, gate.stage), gate=gate.gate, by=by, reason=reason)
    return bool(gone)


def approvals(ledger: Ledger, gate: Gate, *, since: datetime | None = None) -> list[Approval]:
    """Who has opened a gate."""
    table = tables.gate_approval
    where = [table.c.plan == gate.plan, table.c.stage == gate.stage, table.c.gate == gate.gate]
    if since is not None:
        where.append(table.c.created_at >= since)
    return ledger.all(select_as(table, Approval, *where).order_by(table.c.created_at), Approval)


def require(ledger: Ledger, gate: Gate, *, people: int = 1, since: datetime | None = None) -> list[Approval]:
    """The approvals of a gate; raises NotApprovedError while there are too few."""
    given = approvals(ledger, gate, since=since)
    if len(given) < people:
        wanted = "one person" if people == 1 else f"{people} people"
        raise NotApprovedError(
            f"Gate {gate.gate} of stage {gate.stage} wants the approval of {wanted}; it has {len(given)}.",
            kept="Nothing was changed.",
            todo="Somebody who may decide this has to approve it by name.",
        )
    return given
