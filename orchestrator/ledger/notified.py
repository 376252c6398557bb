"""Notified: what each receiver of notifications was told, so that nothing is told twice or forgotten over a restart.

Several processes may tell the same receiver (a job, the page, a service). A claim for some seconds, taken by a
compare-and-set, lets one of them do it at a time; it holds no transaction and no lock, which would be in the way of
others for as long as somebody's server does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.ledger.statements import equal, fixed, insert, or_nothing, returning, update

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orchestrator.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Notified:
    """A row of `changeover.notified`."""

    sink: str
    state: dict[str, Any]
    claimed_by: str | None
    claimed_until: datetime | None


def claim(ledger: Ledger, sink: str, who: str, seconds: float) -> Notified | None:
    """Be the one who tells a receiver for so long; None while somebody else is. A receiver that is new has no state."""
    ledger.run(insert("notified", {"sink": sink}) + or_nothing())
    free = fixed("(claimed_until IS NULL OR claimed_until < clock_timestamp() OR claimed_by = %s)", who)
    until = fixed("clock_timestamp() + make_interval(secs => %s)", seconds)
    claimed = update("notified", {"claimed_by": who, "claimed_until": until}, *equal(sink=sink), free)
    return ledger.one(claimed + returning(Notified), Notified)


def told(ledger: Ledger, sink: str, who: str, state: Mapping[str, Any], *, release: bool) -> bool:
    """Keep what was told; False if the claim is somebody else's by now."""
    values: dict[str, Any] = {"state": dict(state)}
    if release:
        values["claimed_until"] = None
    return ledger.run(update("notified", values, *equal(sink=sink, claimed_by=who))) == 1
