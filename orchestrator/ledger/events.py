"""Events: who did what, when and why; appended by every change of state, in its own transaction, and only appended.

The database refuses to change or delete them (trigger `append_only`). `history` reads them for people and machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_

from orchestrator.ledger import tables
from orchestrator.ledger.store import Ledger, select_as

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of `changeover.event`."""

    id: int
    at: datetime
    actor: str
    plan: str | None
    stage: str | None
    phase: str | None
    kind: str
    detail: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The shape that `history --json` prints."""
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "actor": self.actor,
            "plan": self.plan,
            "stage": self.stage,
            "phase": self.phase,
            "kind": self.kind,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Which:
    """A choice of events; what is None does not restrict it. A kind also chooses what is below it (`phase`)."""

    plan: str | None = None
    stage: str | None = None
    kinds: Sequence[str] | None = None
    after: int = 0


def history(ledger: Ledger, which: Which, *, limit: int = 100) -> list[Entry]:
    """The last `limit` events of a choice, oldest first."""
    table = tables.event
    where = [table.c.id > which.after]
    if which.plan is not None:
        where.append(table.c.plan == which.plan)
    if which.stage is not None:
        where.append(table.c.stage == which.stage)
    if which.kinds is not None:
        any_kind = [table.c.kind == kind for kind in which.kinds]
        any_kind += [table.c.kind.startswith(f"{kind}.", autoescape=True) for kind in which.kinds]
        where.append(or_(*any_kind))
    newest = select_as(table, Entry, *where).order_by(table.c.id.desc()).limit(limit)
    return ledger.all(newest, Entry)[::-1]
