"""Carrying out actions: record, execute, record, each statement so that a kill at any point can be resumed.

A transactional statement commits together with its mark in the ledger. One that refuses a transaction
(CREATE INDEX CONCURRENTLY) is recorded before it starts; its probe tells afterwards whether it is done,
and an invalid index that a kill has left behind is dropped and built again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from orchestrator.engine import settling
from orchestrator.kernel import failpoints, locks
from orchestrator.kernel.errors import ChangeoverError, translate
from orchestrator.ledger import actions as ledger_actions
from orchestrator.ledger import sources as ledger_sources
from phases.errors import ForeignObjectError

if TYPE_CHECKING:
    from orchestrator.engine.session import Session
    from orchestrator.ledger.actions import Action as Recorded
    from phases.actions import Action

_STARTED = failpoints.declare("engine.action.started", "an action is recorded as started; nothing is executed")
_EXECUTED = failpoints.declare("engine.action.executed", "an action and its mark are committed")
_UNDONE = failpoints.declare("engine.action.undone", "an action is taken back, and its mark is committed")

_PATIENT_MS = 600_000
_PATIENT_ATTEMPTS = 3
_SETTLED = 3


def carry_out(session: Session, stage: str, phase: str, action: Action) -> bool:
    """Execute one action unless it is done; True if something was executed."""
    which = ledger_actions.Which(stage, phase, action.id)
    text = ledger_actions.Text(
        action.record or action.statement, action.inverse or None, action.lock, action.transactional
    )
    found = ledger_actions.get(session.ledger, session.run, which)
    there = _probe(session, action)
    if found is not None and found.state == "done" and there is not False:
        return False
    if found is None and there and not action.ours:
        raise ForeignObjectError(action.id)
    ledger_actions.start(session.ledger, session.run, which, text, epoch=session.epoch)
    failpoints.failpoint(_STARTED)
    if there:
        ledger_actions.done(session.ledger, session.run, which, epoch=session.epoch, note="found done by its probe")
        return False
    session.bus.emit("action.executing", stage=stage, phase=phase, action=action.id, lock=action.lock)

    def mark(_conn: psycopg.Connection) -> None:
        ledger_actions.done(session.ledger, session.run, which, epoch=session.epoch)

    try:
        if not action.transactional:
            _drop_invalid(session, action)
        for attempt in range(_SETTLED + 1):
            try:
                locks.run_bounded(
                    session.conn,
                    action.statement.encode(),
                    lock_timeout_ms=_PATIENT_MS if action.patient else locks.LOCK_TIMEOUT_MS,
                    attempts=_PATIENT_ATTEMPTS if action.patient else locks.ATTEMPTS,
                    transactional=action.transactional,
                    within=mark,
                    on_retry=lambda n, state: session.bus.emit(
                        "action.retry", stage=stage, phase=phase, action=action.id, attempt=n, sqlstate=state
                    ),
                )
                break
            except psycopg.errors.ForeignKeyViolation:
                # A delete that its mirror could not see (REPEATABLE READ) waits as a recheck: the orphan goes with it.
                if attempt == _SETTLED or not action.validates:
                    raise
                settling.settle(session, ledger_sources.every(session.ledger, session.plan.name))
    except psycopg.Error as exc:
        error = translate(exc)
        error.what = f"{stage}/{phase}, {action.id}: {error.what}"
        raise error from exc
    failpoints.failpoint(_EXECUTED)
    session.bus.emit("action.done", stage=stage, phase=phase, action=action.id)
    return True


def take_back(session: Session, recorded: Recorded) -> None:
    """Execute the inverse of a recorded action."""
    which = ledger_actions.Which(recorded.stage, recorded.phase, recorded.action_id)

    def mark(_conn: psycopg.Connection) -> None:
        ledger_actions.undone(session.ledger, session.run, which, epoch=session.epoch)

    session.bus.emit("action.undoing", stage=recorded.stage, phase=recorded.phase, action=recorded.action_id)
    if not recorded.inverse:
        mark(session.conn)
        return
    concurrent = "CONCURRENTLY" in recorded.inverse
    try:
        locks.run_bounded(
            session.conn,
            recorded.inverse.encode(),
            lock_timeout_ms=_PATIENT_MS if concurrent else locks.LOCK_TIMEOUT_MS,
            attempts=_PATIENT_ATTEMPTS if concurrent else locks.ATTEMPTS,
            transactional=not concurrent,
            within=mark,
        )
    except psycopg.Error as exc:
        error: ChangeoverError = translate(exc)
        error.what = f"taking back {recorded.stage}/{recorded.phase}, {recorded.action_id}: {error.what}"
        raise error from exc
    failpoints.failpoint(_UNDONE)


def _probe(session: Session, action: Action) -> bool | None:
    """Whether the object is there; None where only the ledger can know."""
    if not action.probe:
        return None
    row = session.conn.execute(action.probe.encode()).fetchone()
    return bool(row and row[0])


def _drop_invalid(session: Session, action: Action) -> None:
    """Before an index is built again: remove what a broken attempt has left under its name."""
    if action.statement.lstrip().upper().startswith("CREATE") and action.inverse:
        session.conn.execute(action.inverse.encode())
