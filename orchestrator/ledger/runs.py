"""Runs: one execution of a plan against this database, at most one of them active.

`start_or_resume` is the only way in. Two operators who start at the same moment meet in the partial unique
index: one inserts, the other finds the run that was inserted. A run goes on only with the plan it was begun with
(name, version, checksum); with any other it would compare its marks with actions that mean something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from orchestrator.kernel import failpoints
from orchestrator.ledger import moves
from orchestrator.ledger.errors import DriftError, MoveRefusedError
from orchestrator.ledger.statements import (
    NOW,
    at_most,
    equal,
    fixed,
    given,
    insert,
    order,
    returning,
    select,
    update,
)
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["rehearsal", "cutover"]
ENDED: Final = failpoints.declare("engine.run.ended", "a run is recorded as finished, or as rolled back")


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `changeover.run`."""

    id: int
    plan: str
    plan_version: int
    checksum: str
    kind: Kind
    state: str
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    folder: str | None = None
    """Where the plan's files were when it was last begun or gone on with; None of a shipped plan."""


@dataclass(frozen=True, slots=True)
class PlanMark:
    """What identifies the plan at hand."""

    plan: str
    version: int
    checksum: str
    folder: str | None = None


def start_or_resume(ledger: Ledger, mark: PlanMark, kind: Kind) -> tuple[Run, bool]:
    """The active run of this plan, begun now if there is none; True when it was there already.

    Raises DriftError when the active run was begun with another version, checksum or kind.
    """
    with ledger.transaction():
        values = {
            "plan": mark.plan,
            "plan_version": mark.version,
            "checksum": mark.checksum,
            "kind": kind,
            "folder": mark.folder,
        }
        new = insert("run", {**values, "started_by": ledger.actor})
        none = fixed("ON CONFLICT (plan) WHERE state = 'active' DO NOTHING")
        begun = ledger.one(new + none + returning(Run), Run)
        if begun is not None:
            ledger.event("run.active", About(mark.plan), run=begun.id, kind=kind, checksum=mark.checksum)
            return begun, False
    run = active(ledger, mark.plan)
    if run is None:  # it ended between the two statements
        raise MoveRefusedError(
            f"A run of plan {mark.plan} ended at this very moment.", kept="Nothing was changed.", todo="Start again."
        )
    check_drift(run, mark, kind)
    return run, True


def _from(folder: str | None) -> str:
    return "" if folder is None else f", from {folder}"


def check_drift(run: Run, mark: PlanMark, kind: Kind | None = None) -> None:
    """Refuse to go on with a plan other than the one the run was begun with."""
    if (run.plan_version, run.checksum) != (mark.version, mark.checksum):
        raise DriftError(
            f"Run {run.id} was begun with plan {run.plan} version {run.plan_version}, checksum {run.checksum[:12]}"
            f"{_from(run.folder)}; the plan at hand is version {mark.version}, checksum {mark.checksum[:12]}"
            f"{_from(mark.folder)}.",
            kept="Nothing was changed; the run stands where it stood.",
            todo="Put the plan's files back as they were when the run began. With them go on, or roll the run back; "
            "after a rollback `changeover start` takes the changed plan.",
        )
    if kind is not None and kind != run.kind:
        raise DriftError(
            f"Run {run.id} of plan {run.plan} is a {run.kind}, not a {kind}.",
            kept="Nothing was changed.",
            todo=f"Go on with --kind {run.kind}, or roll that run back first.",
        )


def remember_folder(ledger: Ledger, run: Run, folder: str | None) -> None:
    """The plan's files are somewhere else now."""
    if folder != run.folder:
        ledger.run(update("run", {"folder": folder}, *equal(id=run.id)))


def active(ledger: Ledger, plan: str) -> Run | None:
    """The active run of a plan."""
    return ledger.one(select(Run, "run", *equal(plan=plan, state="active")), Run)


def latest(ledger: Ledger, plan: str) -> Run | None:
    """The last run of a plan, whatever became of it."""
    return ledger.one(select(Run, "run", *equal(plan=plan)) + order("id", down=True) + at_most(1), Run)


def current(ledger: Ledger, plan: str) -> Run | None:
    """The run whose objects are in the database: the active one, or a finished one."""
    last = latest(ledger, plan)
    return last if last is not None and last.state in {"active", "finished"} else None


def every(ledger: Ledger, plan: str | None = None) -> list[Run]:
    """All runs, the newest first."""
    return ledger.all(select(Run, "run", *given(plan=plan)) + order("id", down=True), Run)


def move(ledger: Ledger, run: Run, to: str, *, reason: str = "") -> None:
    """End a run (finished, rolled_back, abandoned), or take a finished one up again (active)."""
    ended = None if to == "active" else NOW
    detail = {"reason": reason} if reason else {}
    ledger.change("run", {"id": run.id}, to, moves.RUN, About(run.plan), values={"ended_at": ended}, detail=detail)
