"""Rehearsals that were registered: what a plan did on a copy, as the file of `changeover rehearse` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from orchestrator.ledger import answer_tables as tables
from orchestrator.ledger.store import About, Ledger, columns, select_as

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
    new = insert(tables.rehearsal).values(
        plan=plan, checksum=checksum, rehearsed_at=rehearsed_at, imported_by=ledger.actor, document=document
    )
    with ledger.transaction():
        made = ledger.must(new.returning(*columns(tables.rehearsal, Rehearsal)), Rehearsal)
        about = {"rehearsal": made.id, "checksum": checksum, "rehearsed_at": rehearsed_at.isoformat()}
        ledger.event("rehearsal.imported", About(plan), **about)
    return made


def latest(ledger: Ledger, plan: str, checksum: str | None = None) -> Rehearsal | None:
    """The last rehearsal of a plan; under a checksum, if one is named."""
    table = tables.rehearsal
    where = [table.c.plan == plan, *([] if checksum is None else [table.c.checksum == checksum])]
    return ledger.one(select_as(table, Rehearsal, *where).order_by(table.c.rehearsed_at.desc()).limit(1), Rehearsal)
