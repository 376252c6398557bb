"""Replaying rejects: their keys are drained like any queue, under the same lock and the same rules.

A reject without a key (a row that has no usable key) is found again under the empty key. A row that was
mended in the old table has been migrated by the mirror already; replay is for what changed elsewhere: a
reference row that was missing, a rule of the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.engine import queries
from orchestrator.engine.drain import drain
from orchestrator.engine.results import ReplayResult
from orchestrator.kernel.errors import RetryableError
from orchestrator.kernel.words import counted
from orchestrator.ledger import rejects
from orchestrator.ledger.store import About

if TYPE_CHECKING:
    from orchestrator.ledger.store import Ledger

_KEYS: Final = 1000
_ROUNDS: Final = 10_000


def replay(ledger: Ledger, which: rejects.Which) -> ReplayResult:
    """Derive the rejected rows again. Raises UnknownRejectError where one is named that is not there."""
    rejects.refuse_unknown(ledger, which)
    chosen = rejects.every(ledger, which)
    if not chosen:
        return ReplayResult(0, 0, 0)
    sources = sorted({r.source_id for r in chosen})
    with ledger.transaction():
        for reject in chosen:
            ledger.conn.execute(queries.load("replay_key.sql"), {"source": reject.source_id, "key": reject.key or ""})
        ledger.event("rejects.replayed", About(which.plan, which.stage), rejects=len(chosen))
    for source in sources:
        _drain(ledger, source)
    left = rejects.every(ledger, rejects.Which(ids=[r.id for r in chosen]))
    return ReplayResult(len(chosen), len(chosen) - len(left), len(left))


def _drain(ledger: Ledger, source: int) -> None:
    for _ in range(_ROUNDS):
        with ledger.transaction():
            ledger.conn.execute("SET LOCAL lock_timeout = '5s'")
            settled, remaining = drain.drain_source(ledger.conn, source, _KEYS)
        if remaining == 0:
            return
        if settled == 0:
            keys = counted(remaining, "key")
            raise RetryableError(
                f"{keys}{' or more' if remaining >= drain.COUNTED else ''} of source {source} could not be settled.",
                kept="They wait in changeover.queue with their errors.",
                todo="Run the same command again; `changeover status` shows what hinders them.",
            )
