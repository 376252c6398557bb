"""Events: who did what, when and why; appended by every change of state, in its own transaction, and only appended.

The database refuses to change or delete them (trigger `append_only`). `history` reads them for people and machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.ledger.statements import at_most, fixed, given, order, select

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orchestrator.ledger.store import Ledger


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
    where = [fixed("id > %s", which.after), *given(plan=which.plan, stage=which.stage)]
    if which.kinds is not None:
        where.append(
            fixed("(kind = ANY (%s) OR kind LIKE ANY (%s))", list(which.kinds), [_below(kind) for kind in which.kinds])
        )
    newest = select(Entry, "event", *where) + order("id", down=True) + at_most(limit)
    return ledger.all(newest, Entry)[::-1]


def _below(kind: str) -> str:
    """A pattern of the kinds below a kind."""
    return kind.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + ".%"
