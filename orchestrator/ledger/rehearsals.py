"""Rehearsals that were registered: what a plan did on a copy, as the file of `changeover rehearse` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.ledger.statements import at_most, equal, given, insert, order, returning, select
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A row of `changeover.rehearsal`."""

    id: int
    plan: str
    checksum: str
    rehearsed_at: datetime
    imported_by: str
    imported_at: datetime
    document: dict[str, Any]


def register(ledger: Ledger, plan: str, checksum: str, rehearsed_at: datetime, document: dict[str, Any]) -> Rehearsal:
    """Store one."""
    values = {"plan": plan, "checksum": checksum, "rehearsed_at": rehearsed_at, "imported_by": ledger.actor}
    with ledger.transaction():
        new = insert("rehearsal", {**values, "document": document})
        made = ledger.must(new + returning(Rehearsal), Rehearsal)
        about = {"rehearsal": made.id, "checksum": checksum, "rehearsed_at": rehearsed_at.isoformat()}
        ledger.event("rehearsal.imported", About(plan), **about)
    return made


def latest(ledger: Ledger, plan: str, checksum: str | None = None) -> Rehearsal | None:
    """The last rehearsal of a plan; under a checksum, if one is named."""
    chosen = select(Rehearsal, "rehearsal", *equal(plan=plan), *given(checksum=checksum))
    return ledger.one(chosen + order("rehearsed_at", down=True) + at_most(1), Rehearsal)
