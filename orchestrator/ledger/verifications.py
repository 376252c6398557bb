"""Verifications: what was compared, when, under which plan checksum, and what differed.

The ranges that were compared are rows of their own (`verify_range`), written in the transaction that compared them;
a verification that was killed goes on behind them. Its result is computed from them when it ends, not carried along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.kernel import sqlfiles
from orchestrator.ledger import moves
from orchestrator.ledger.statements import (
    NOW,
    at_most,
    delete,
    equal,
    fixed,
    for_update,
    insert,
    order,
    returning,
    select,
)
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Verification:
    """A row of `changeover.verification`."""

    id: int
    run_id: int | None
    plan: str
    stage: str
    checksum: str
    started_at: datetime
    ended_at: datetime | None
    state: str
    rows_compared: int
    differences: int
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Range:
    """A row of `changeover.verify_range`."""

    verification_id: int
    scope: str
    lo: int
    hi: int
    rows: int
    differences: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of `changeover.difference`."""

    id: int
    verification_id: int
    source: str
    key: str | None
    kind: str
    columns: list[str]
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class _Total:
    rows: int
    differences: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What is verified, and under which plan."""

    plan: str
    stage: str
    checksum: str
    run_id: int | None = None


def start_or_resume(ledger: Ledger, subject: Subject) -> tuple[Verification, bool]:
    """The unfinished verification of this very subject, or a new one; True when it goes on.

    Unfinished ones of the stage under another checksum or run are discarded: nobody will go on with them.
    """
    running = select(Verification, "verification", *equal(plan=subject.plan, stage=subject.stage, state="running"))
    with ledger.transaction():
        unfinished = ledger.all(running + order("id") + for_update(), Verification)
        going_on = [v for v in unfinished if (v.checksum, v.run_id) == (subject.checksum, subject.run_id)][-1:]
        for stale in unfinished:
            if stale not in going_on:
                ledger.run(delete("verification", *equal(id=stale.id)))
                ledger.event(
                    "verification.discarded", _about(stale), verification=stale.id, why="another checksum or run"
                )
        if going_on:
            return going_on[0], True
        values = {"plan": subject.plan, "stage": subject.stage, "checksum": subject.checksum, "run_id": subject.run_id}
        new = ledger.must(insert("verification", values) + returning(Verification), Verification)
        ledger.event("verification.running", _about(new), verification=new.id, checksum=new.checksum)
        return new, False


def finish(ledger: Ledger, verification: Verification, *, detail: Mapping[str, Any]) -> Verification:
    """Add its ranges up and settle the result: clean or different."""
    with ledger.transaction():
        total = ledger.must(fixed(sqlfiles.load(__package__, "verify_total.sql"), verification.id), _Total)
        ledger.change(
            "verification",
            {"id": verification.id},
            "different" if total.differences else "clean",
            moves.VERIFICATION,
            _about(verification),
            values={
                "rows_compared": total.rows,
                "differences": total.differences,
                "detail": dict(detail),
                "ended_at": NOW,
            },
            detail={"rows": total.rows, "differences": total.differences, "checksum": verification.checksum},
        )
        return ledger.must(select(Verification, "verification", *equal(id=verification.id)), Verification)


def latest(ledger: Ledger, plan: str, stage: str) -> Verification | None:
    """The last finished verification of a stage."""
    chosen = select(Verification, "verification", *equal(plan=plan, stage=stage), fixed("state <> 'running'"))
    return ledger.one(chosen + order("id", down=True) + at_most(1), Verification)


def clean(ledger: Ledger, subject: Subject) -> bool:
    """Was the last finished verification of the stage clean, in this run and under this very checksum?"""
    last = latest(ledger, subject.plan, subject.stage)
    return last is not None and (last.state, last.checksum, last.run_id) == ("clean", subject.checksum, subject.run_id)


def discard(ledger: Ledger, plan: str, stage: str, *, why: str) -> int:
    """Forget the verifications of a stage: what they compared has been taken back. Their events stay."""
    with ledger.transaction():
        gone = ledger.run(delete("verification", *equal(plan=plan, stage=stage)))
        if gone:
            ledger.event("verification.discarded", About(plan, stage), verifications=gone, why=why)
    return gone


def compared(ledger: Ledger, verification: Verification) -> list[Range]:
    """The ranges that have been compared."""
    chosen = select(Range, "verify_range", *equal(verification_id=verification.id))
    return ledger.all(chosen + order("scope", "lo"), Range)


def differences(ledger: Ledger, verification: Verification, *, limit: int | None = None) -> list[Difference]:
    """Every row that differed, with the names of its columns."""
    chosen = select(Difference, "difference", *equal(verification_id=verification.id))
    return ledger.all(chosen + order("id") + at_most(limit), Difference)


def _about(verification: Verification) -> About:
    return About(verification.plan, verification.stage, "verify")
