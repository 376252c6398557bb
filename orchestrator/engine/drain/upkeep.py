"""Upkeep of the ledger: what it may forget is forgotten. Needs no lease: it never touches what a run works with."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.engine.session import open_ledger
from orchestrator.ledger import pruning


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, or would go, by table; and what was older than which moment."""

    before: datetime
    rows: dict[str, int]
    dry_run: bool

    @property
    def total(self) -> int:
        """Of all tables."""
        return sum(self.rows.values())


def prune(
    dsn: str, *, days: float, dry_run: bool = False, stop: threading.Event | None = None, operator: str = "unknown"
) -> Pruned:
    """Forget what is older than so many days and what nobody asks for any more."""
    before = datetime.now(UTC) - timedelta(days=days)
    with open_ledger(dsn, operator) as ledger:
        if dry_run:
            return Pruned(before, pruning.prunable(ledger, before), dry_run=True)
        return Pruned(before, pruning.prune(ledger, before, stop or threading.Event()), dry_run=False)
