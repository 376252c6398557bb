"""Verifications: what was compared, when, under which plan checksum, and what differed.

The ranges that were compared are rows of their own (`verify_range`), written in the transaction that compared them;
a verification that was killed goes on behind them. Its result is computed from them when it ends, not carried along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, delete, func, insert, select

from orchestrator.ledger import moves, tables
from orchestrator.ledger.store import About, Ledger, columns, select_as

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
    table = tables.verification
    with ledger.transaction():
        unfinished = ledger.all(
            select_as(
                table,
                Verification,
                table.c.plan == subject.plan,
                table.c.stage == subject.stage,
                table.c.state == "running",
            )
            .order_by(table.c.id)
            .with_for_update(),
            Verification,
        )
        going_on = [v for v in unfinished if (v.checksum, v.run_id) == (subject.checksum, subject.run_id)][-1:]
        for stale in unfinished:
            if stale not in going_on:
                ledger.run(delete(table).where(table.c.id == stale.id))
                ledger.event(
                    "verification.discarded", _about(stale), verification=stale.id, why="another checksum or run"
                )
        if going_on:
            return going_on[0], True
        new = ledger.must(
            insert(table)
            .values(plan=subject.plan, stage=subject.stage, checksum=subject.checksum, run_id=subject.run_id)
            .returning(*columns(table, Verification)),
            Verification,
        )
        ledger.event("verification.running", _about(new), verification=new.id, checksum=new.checksum)
        return new, False


def finish(ledger: Ledger, verification: Verification, *, detail: Mapping[str, Any]) -> Verification:
    """Add its ranges up and settle the result: clean or different."""
    table, ranges = tables.verification, tables.verify_range
    with ledger.transaction():
        sums = [
            func.coalesce(func.sum(ranges.c[name]), 0).cast(BigInteger).label(name) for name in ("rows", "differences")
        ]
        total = ledger.must(select(*sums).where(ranges.c.verification_id == verification.id), _Total)
        ledger.change(
            table,
            {"id": verification.id},
            "different" if total.differences else "clean",
            moves.VERIFICATION,
            _about(verification),
            values={
                "rows_compared": total.rows,
                "differences": total.differences,
                "detail": dict(detail),
                "ended_at": func.clock_timestamp(),
            },
            detail={"rows": total.rows, "differences": total.differences, "checksum": verification.checksum},
        )
        return ledger.must(select_as(table, Verification, table.c.id == verification.id), Verification)


def latest(ledger: Ledger, plan: str, stage: str) -> Verification | None:
    """The last finished verification of a stage."""
    table = tables.verification
    chosen = select_as(
        table, Verification, table.c.plan == plan, table.c.stage == stage, table.c.state != "running"
    ).order_by(table.c.id.desc())
    return ledger.one(chosen.limit(1), Verification)


def clean(ledger: Ledger, subject: Subject) -> bool:
    """Was the last finished verification of the stage clean, in this run and under this very checksum?"""
    last = latest(ledger, subject.plan, subject.stage)
    return last is not None and (last.state, last.checksum, last.run_id) == ("clean", subject.checksum, subject.run_id)


def discard(ledger: Ledger, plan: str, stage: str, *, why: str) -> int:
    """Forget the verifications of a stage: what they compared has been taken back. Their events stay."""
    table = tables.verification
    with ledger.transaction():
        gone = ledger.run(delete(table).where(table.c.plan == plan, table.c.stage == stage))
        if gone:
            ledger.event("verification.discarded", About(plan, stage), verifications=gone, why=why)
    return gone


def compared(ledger: Ledger, verification: Verification) -> list[Range]:
    """The ranges that have been compared."""
    table = tables.verify_range
    chosen = select_as(table, Range, table.c.verification_id == verification.id)
    return ledger.all(chosen.order_by(table.c.scope, table.c.lo), Range)


def differences(ledger: Ledger, verification: Verification, *, limit: int | None = None) -> list[Difference]:
    """Every row that differed, with the names of its columns."""
    table = tables.difference
    chosen = select_as(table, Difference, table.c.verification_id == verification.id).order_by(table.c.id)
    return ledger.all(chosen if limit is None else chosen.limit(limit), Difference)


def _about(verification: Verification) -> About:
    return About(verification.plan, verification.stage, "verify")
