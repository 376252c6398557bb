"""Notified: what each receiver of notifications was told, so that nothing is told twice or forgotten over a restart.

Several processes may tell the same receiver (a job, the page, a service). A claim for some seconds, taken by a
compare-and-set, lets one of them do it at a time; it holds no transaction and no lock, which would be in the way of
others for as long as somebody's server does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, update
from sqlalchemy.dialects.postgresql import insert

from orchestrator.ledger import tables
from orchestrator.ledger.store import Ledger, columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Notified:
    """A row of `changeover.notified`."""

    sink: str
    state: dict[str, Any]
    claimed_by: str | None
    claimed_until: datetime | None


def claim(ledger: Ledger, sink: str, who: str, seconds: float) -> Notified | None:
    """Be the one who tells a receiver for so long; None while somebody else is. A receiver that is new has no state."""
    table = tables.notified
    ledger.run(insert(table).values(sink=sink).on_conflict_do_nothing())
    over = table.c.claimed_until < func.clock_timestamp()
    free = or_(table.c.claimed_until.is_(None), over, table.c.claimed_by == who)
    claimed = (
        update(table)
        .where(table.c.sink == sink, free)
        .values(claimed_by=who, claimed_until=func.clock_timestamp() + timedelta(seconds=seconds))
        .returning(*columns(table, Notified))
    )
    return ledger.one(claimed, Notified)


def told(ledger: Ledger, sink: str, who: str, state: Mapping[str, Any], *, release: bool) -> bool:
    """Keep what was told; False if the claim is somebody else's by now."""
    table = tables.notified
    values: dict[str, Any] = {"state": dict(state)}
    if release:
        values["claimed_until"] = None
    return ledger.run(update(table).where(table.c.sink == sink, table.c.claimed_by == who).values(**values)) == 1
