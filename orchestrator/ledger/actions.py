"""Actions: the single statements of a phase, recorded with their inverse before they are executed.

The inverse that rollback will execute is the recorded one, not what the plan says by then; that is also why a
statement recorded under an id must stay the statement under that id (`check_drift`). `start` commits before a statement
that cannot run in a transaction and with a statement that can, and `done` commits with the statement where possible.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.ledger import leases, moves
from orchestrator.ledger.errors import DriftError
from orchestrator.ledger.statements import DEFAULT, NOW, equal, given, insert, or_nothing, order, select
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orchestrator.ledger.runs import Run


@dataclass(frozen=True, slots=True)
class Which:
    """The place of an action: stage, phase and its id there."""

    stage: str
    phase: str
    action_id: str


@dataclass(frozen=True, slots=True)
class Text:
    """What an action executes, and how."""

    statement: str
    inverse: str | None
    lock: str = ""
    transactional: bool = True
    role: str = ""

    @property
    def checksum(self) -> str:
        """Changes with the statement or its inverse."""
        return hashlib.sha256(f"{self.statement}\x00{self.inverse or ''}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Action:
    """A row of `changeover.action`."""

    run_id: int
    stage: str
    phase: str
    action_id: str
    seq: int
    statement: str
    inverse: str | None
    checksum: str
    lock: str
    role: str
    transactional: bool
    state: str
    done_at: datetime | None


def start(ledger: Ledger, run: Run, which: Which, text: Text, *, epoch: int) -> None:
    """Record that a statement is about to be executed."""
    with ledger.transaction():
        leases.fence(ledger.conn, run.plan, epoch)
        values = {
            **_key(run, which),
            "statement": text.statement,
            "inverse": text.inverse,
            "checksum": text.checksum,
            "lock": text.lock,
            "role": text.role,
            "transactional": text.transactional,
        }
        fresh = ledger.run(insert("action", values) + or_nothing())
        if fresh:
            ledger.event("action.started", _about(run, which), action=which.action_id)
            return
        found = get(ledger, run, which)
        if found is not None and found.state != "undone":
            check_drift(run, {which.action_id: text}, [found])
        # An undone action may have another text by now; it takes a new place in the order, too: rollback
        # undoes in the order of the last beginning.
        ledger.change(
            "action",
            _key(run, which),
            "started",
            moves.ACTION,
            _about(run, which),
            values={
                "seq": DEFAULT,  # the next number of the identity
                "statement": text.statement,
                "inverse": text.inverse,
                "checksum": text.checksum,
                "role": text.role,
                "done_at": None,
            },
        )


def done(ledger: Ledger, run: Run, which: Which, *, epoch: int, note: str = "") -> None:
    """Record that it was executed; in the statement's own transaction where it has one."""
    _move(ledger, run, which, "done", epoch, note)


def undone(ledger: Ledger, run: Run, which: Which, *, epoch: int, note: str = "") -> None:
    """Record that its inverse was executed; in the inverse's own transaction where it has one."""
    _move(ledger, run, which, "undone", epoch, note)


def get(ledger: Ledger, run: Run, which: Which) -> Action | None:
    """One action, None if it was never started."""
    return ledger.one(select(Action, "action", *equal(**_key(run, which))), Action)


def every(ledger: Ledger, run: Run, stage: str | None = None, phase: str | None = None) -> list[Action]:
    """The recorded actions in the order they were begun; rollback takes them from the end."""
    chosen = select(Action, "action", *equal(run_id=run.id), *given(stage=stage, phase=phase))
    return ledger.all(chosen + order("seq"), Action)


def check_drift(run: Run, at_hand: Mapping[str, Text], recorded: list[Action]) -> None:
    """Compare what was recorded with the plan at hand; stop on a difference.

    An id that is recorded and no longer in the plan is drift as well; one that is new is not: it is still to be done.
    """
    for action in recorded:
        if action.state == "undone":
            continue
        text = at_hand.get(action.action_id)
        if text is not None and text.checksum == action.checksum:
            continue
        change = "is not in the plan at hand" if text is None else "has another text in the plan at hand"
        raise DriftError(
            f"Action {action.action_id} of {action.stage}/{action.phase} was recorded by run {run.id} and {change}.",
            kept="Nothing was changed.",
            todo="Go on with the plan the run was begun with, or roll this phase back first.",
        )


def _key(run: Run, which: Which) -> dict[str, Any]:
    return {"run_id": run.id, "stage": which.stage, "phase": which.phase, "action_id": which.action_id}


def _about(run: Run, which: Which) -> About:
    return About(run.plan, which.stage, which.phase)


def _move(ledger: Ledger, run: Run, which: Which, to: str, epoch: int, note: str) -> None:
    with ledger.transaction():
        leases.fence(ledger.conn, run.plan, epoch)
        done_at = {"done_at": NOW} if to == "done" else {}
        detail = {"note": note} if note else {}
        ledger.change("action", _key(run, which), to, moves.ACTION, _about(run, which), values=done_at, detail=detail)
