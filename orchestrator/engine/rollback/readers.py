"""Readers go back before what they read goes.

A client of the flags learns at its next poll that a flag was lowered; a statement that it has begun before may last.
So after a flag was lowered the way back waits for the polling interval, and then for every transaction that is open at
that moment to end. Both are bounded, and told second by second. When a flag was lowered is read from its history, so
a rollback that is killed here waits again, and one that follows `flag kill` waits as well.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flags import store as flag_store
from flags.errors import UnknownFlagError
from flags.stages import Stage as FlagStage
from flags.stages import rank, reads_new
from orchestrator.engine import queries
from orchestrator.engine.errors import StoppedError
from orchestrator.kernel.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.engine.session import Session
    from orchestrator.ledger.store import Ledger
    from orchestrator.plan.model import Stage

_MARGIN_S: Final = 1.0
"""What a poll itself may take."""
_REMEMBERED_S: Final = 3600
"""Of a flag that was lowered longer ago nobody reads by its former answer."""
_LOOK_S: Final = 0.1
_TELL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class RaisedFlag:
    """A flag above the highest stage that the way back can leave it at."""

    flag: str
    stage: str
    rollout: int
    plan_stage: str

    @property
    def live(self) -> bool:
        """Whether the new tables answer."""
        return reads_new(FlagStage(self.stage))

    def __str__(self) -> str:
        """As a person is told."""
        return f"{self.flag} ({self.stage}, {self.rollout} %)"


def raised(ledger: Ledger, stages: Sequence[Stage], highest: FlagStage) -> list[RaisedFlag]:
    """The flags of stages of a plan that are above `highest`."""
    found = []
    for stage in stages:
        if stage.flag is None:
            continue
        try:
            flag = flag_store.get(ledger.conn, stage.flag)
        except UnknownFlagError:
            continue
        if rank(FlagStage(flag.stage)) > rank(highest):
            found.append(RaisedFlag(flag.flag, flag.stage, flag.rollout, stage.stage))
    return found


def lower(session: Session, stages: Sequence[Stage], highest: FlagStage, *, reason: str) -> None:
    """No flag of these stages is above `highest` any more."""
    for flag in raised(session.ledger, stages, highest):
        session.bus.emit("flag.lowered", flag=flag.flag, before=flag.stage, rollout=flag.rollout, stage=highest.value)
        by = flag_store.By(session.ledger.actor, reason or "what the flag stood on is taken back")
        flag_store.set_flag(session.conn, flag.flag, flag_store.Change(stage=highest), by)


def send_back(session: Session, stages: Sequence[Stage], *, reason: str) -> None:
    """Lower the flags of these stages, and wait until nobody can still read by their former answer."""
    lower(session, stages, FlagStage.DUALWRITE, reason=reason)
    values = {"flags": [stage.flag for stage in stages if stage.flag is not None]}
    row = session.conn.execute(queries.load("flags_lowered.sql"), values).fetchone()
    age = row[0] if row is not None else None
    patience = session.terms.patient_ms / 1000
    if age is None or age >= session.terms.poll_s + _REMEMBERED_S:
        return
    for left in range(math.ceil(session.terms.poll_s + _MARGIN_S - age), 0, -1):
        session.bus.emit("readers.polling", seconds=left)
        _pause(session, _TELL_S)
    _outlast(session, patience)


def _outlast(session: Session, patience: float) -> None:
    """Wait for the transactions that are open now."""
    before = _open(session)
    deadline, told = time.monotonic() + patience, 0.0
    while still := {name: pid for name, pid in _open(session).items() if name in before}:
        now = time.monotonic()
        if now >= deadline:
            raise RetryableError(
                f"Transactions that may still read the new tables are open: pid {_named(still)}.",
                kept="The flags are lowered; every table is as it was.",
                todo="End them, or wait for them; then run the same command again.",
            )
        if now - told >= _TELL_S:
            session.bus.emit("readers.open", pids=_named(still), seconds=round(deadline - now))
            told = now
        _pause(session, _LOOK_S)


def _open(session: Session) -> dict[str, int]:
    rows = session.conn.execute(queries.load("open_transactions.sql")).fetchall()
    return {str(row[0]): int(row[1]) for row in rows}


def _named(still: dict[str, int]) -> str:
    return ", ".join(str(pid) for pid in sorted(set(still.values())))


def _pause(session: Session, seconds: float) -> None:
    if session.stop.wait(seconds):
        raise StoppedError("The way back")
