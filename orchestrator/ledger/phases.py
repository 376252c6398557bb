"""Phases of a run: what each stage goes through, and where it stands.

Only the holder of the lease moves a phase: each move passes the fence in its own transaction and records the
epoch it was made under, so a runner that was paused and superseded cannot report success for somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.ledger import leases, moves
from orchestrator.ledger.statements import NOW, equal, fixed, insert, or_nothing, order, select
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orchestrator.ledger.runs import Run


@dataclass(frozen=True, slots=True)
class Phase:
    """A row of `changeover.phase`."""

    run_id: int
    stage: str
    phase: str
    state: str
    epoch: int
    started_at: datetime | None
    ended_at: datetime | None
    detail: dict[str, Any]

    @property
    def going_back(self) -> bool:
        """Whether somebody has begun to take it back, and has not finished."""
        return self.state == "going_back"


def begin(ledger: Ledger, run: Run, stage: str, phase: str, *, epoch: int) -> str:
    """Set a phase running; the state it had before ('pending' the first time)."""
    with ledger.transaction():
        ledger.run(insert("phase", {"run_id": run.id, "stage": stage, "phase": phase}) + or_nothing())
        first = fixed("coalesce(started_at, clock_timestamp())")
        return _move(ledger, run, (stage, phase), "running", epoch, {"started_at": first, "ended_at": None})


def finish(ledger: Ledger, run: Run, stage: str, phase: str, *, epoch: int, detail: Mapping[str, Any]) -> None:
    """Report a phase done, with what it has to say (rows, times)."""
    _move(ledger, run, (stage, phase), "done", epoch, _ended(detail), detail)


def fail(ledger: Ledger, run: Run, stage: str, phase: str, *, epoch: int, detail: Mapping[str, Any]) -> None:
    """Report that a phase stopped with an error."""
    _move(ledger, run, (stage, phase), "failed", epoch, _ended(detail), detail)


def stop(ledger: Ledger, run: Run, stage: str, phase: str, *, epoch: int, detail: Mapping[str, Any]) -> None:
    """Report that somebody stopped a phase before its end."""
    _move(ledger, run, (stage, phase), "stopped", epoch, _ended(detail), detail)


def wait(ledger: Ledger, run: Run, stage: str, phase: str, *, epoch: int, detail: Mapping[str, Any]) -> None:
    """Report that a phase stopped at a gate before it did anything."""
    _move(ledger, run, (stage, phase), "pending", epoch, {"started_at": None, "detail": dict(detail)}, detail)


def begin_back(ledger: Ledger, run: Run, stage: str, phase: str, *, epoch: int) -> None:
    """Say that a phase is being taken back: before its first inverse, so that nobody takes it for done."""
    _move(ledger, run, (stage, phase), "going_back", epoch, _ended({}))


def roll_back(ledger: Ledger, run: Run, stage: str, phase: str, *, epoch: int) -> None:
    """Report that everything a phase did has been taken back."""
    _move(ledger, run, (stage, phase), "rolled_back", epoch, _ended({}))


def get(ledger: Ledger, run: Run, stage: str, phase: str) -> Phase | None:
    """One phase, None if it was never begun."""
    return ledger.one(select(Phase, "phase", *equal(run_id=run.id, stage=stage, phase=phase)), Phase)


def every(ledger: Ledger, run: Run) -> list[Phase]:
    """The phases of a run that were ever begun, in the order of their first beginning."""
    return ledger.all(select(Phase, "phase", *equal(run_id=run.id)) + order("started_at", "stage", "phase"), Phase)


def _ended(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {"ended_at": NOW, "detail": dict(detail)}


def _move(
    ledger: Ledger,
    run: Run,
    which: tuple[str, str],
    to: str,
    epoch: int,
    values: Mapping[str, Any],
    detail: Mapping[str, Any] | None = None,
) -> str:
    stage, phase = which
    with ledger.transaction():
        leases.fence(ledger.conn, run.plan, epoch)
        return ledger.change(
            "phase",
            {"run_id": run.id, "stage": stage, "phase": phase},
            to,
            moves.PHASE,
            About(run.plan, stage, phase),
            values={"epoch": epoch, **values},
            detail={"epoch": epoch, **(detail or {})},
        )
