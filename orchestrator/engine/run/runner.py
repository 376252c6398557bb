"""Carrying out actions: record, execute, record, each statement so that a kill at any point can be resumed.

A transactional statement commits together with its mark in the ledger. One that refuses a transaction
(CREATE INDEX CONCURRENTLY) is recorded before it starts; its probe tells afterwards whether it is done,
and an invalid index that a kill has left behind is dropped and built again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

import psycopg

from orchestrator.engine import queries
from orchestrator.engine.check import broken_rows
from orchestrator.engine.drain import drain
from orchestrator.engine.errors import StoppedError
from orchestrator.engine.run import seeded, standing_index
from orchestrator.kernel import failpoints
from orchestrator.kernel.errors import ChangeoverError, LockTimeoutError, translate
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.kernel.sqllexer import split
from orchestrator.kernel.sqltokens import table_label
from orchestrator.kernel.words import counted
from orchestrator.ledger import actions as ledger_actions
from orchestrator.ledger import sources as ledger_sources
from phases.alter_inverse import parts
from phases.errors import ForeignObjectError, StatementError
from phases.statements import IndexHead, KeyHead, key_head

if TYPE_CHECKING:
    from orchestrator.engine.session import Session
    from orchestrator.ledger.actions import Action as Recorded
    from phases.actions import Action

_STARTED = failpoints.declare("engine.action.started", "an action is recorded as started; nothing is executed")
_EXECUTED = failpoints.declare("engine.action.executed", "an action and its mark are committed")
_UNDONE = failpoints.declare("engine.action.undone", "an action is taken back, and its mark is committed")

_SETTLED = 3


def carry_out(session: Session, stage: str, phase: str, action: Action) -> bool:
    """Execute one action unless it is done; True if something was executed."""
    which = ledger_actions.Which(stage, phase, action.id)
    found = ledger_actions.get(session.ledger, session.run, which)
    there = _probe(session, action)
    if found is not None and found.state == "done" and there is not False:
        return False
    stays = bool(there) and not _begun(found) and (action.unless_there or standing_index.may_stay(action))
    if found is None and not (action.ours or stays) and (there or _occupied(session, action)):
        raise ForeignObjectError(action.id)
    if there and action.index and not action.unless_there:
        standing_index.require_same(session.conn, action)
    text = ledger_actions.Text(
        action.record or action.statement,
        None if stays else _inverse(session, action, found),
        action.lock,
        action.transactional,
        action.role,
    )
    ledger_actions.start(session.ledger, session.run, which, text, epoch=session.epoch)
    failpoints.failpoint(_STARTED)
    if there:
        ledger_actions.done(session.ledger, session.run, which, epoch=session.epoch, note="found done by its probe")
        return False
    session.bus.emit("action.executing", stage=stage, phase=phase, action=action.id, lock=action.lock)

    try:
        if action.head is not None:
            _require_no_broken_rows(session, action)
        _execute(session, which, action)
    except psycopg.errors.IntegrityError as exc:
        raise _not_added(session, which, action, exc) from exc
    except (psycopg.Error, LockTimeoutError) as exc:
        error = translate(exc)
        error.what = f"{stage}/{phase}, {action.id}: {error.what}"
        raise error from exc
    failpoints.failpoint(_EXECUTED)
    session.bus.emit("action.done", stage=stage, phase=phase, action=action.id)
    return True


def _begun(found: Recorded | None) -> bool:
    """Whether this run has begun the action, and not taken it back."""
    return found is not None and found.state != "undone"


def _inverse(session: Session, action: Action, found: Recorded | None) -> str | None:
    """What will take the action back; where it puts something back, what the catalog has of it now."""
    if not action.inverse_query:
        return action.inverse or None
    if found is not None and _begun(found):
        return found.inverse  # asked before a statement that may have been executed since
    row = session.conn.execute(action.inverse_query.encode()).fetchone()
    return None if row is None else row[0] or None


def _require_no_broken_rows(session: Session, action: Action) -> None:
    """Before a key or a unique index is added: no row is in its way, once what waits is drained."""
    assert action.head is not None  # noqa: S101 - the caller has asked
    if broken_rows.count(session.conn, action.head) is None:
        return
    drain.empty_queue(session, ledger_sources.every(session.ledger, session.plan.name))
    broken = broken_rows.count(session.conn, action.head)
    if broken is not None:
        raise _broken(session, action, broken)


def _broken(session: Session, action: Action, broken: broken_rows.Broken) -> ChangeoverError:
    """The rows in the way; of a unique index also the old rows that they come from."""
    from orchestrator.engine.check import old_rows  # noqa: PLC0415 - hardly ever needed

    head = action.head
    old = old_rows.of(session.conn, session.plan.name, head, broken) if isinstance(head, IndexHead) else []
    return broken_rows.BrokenRowsError(action.id, broken, old, _rejected_parents(session, head))


def _rejected_parents(session: Session, head: KeyHead | IndexHead | None) -> str:
    """What a key's rows may refer to: rows that were rejected, and that nobody would find in the new table."""
    if not isinstance(head, KeyHead) or not head.parent:
        return ""
    values = {"plan": session.plan.name, "table": sql_name(head.parent)}
    row = session.conn.execute(queries.load("rejects_of_target.sql"), values).fetchone()
    if row is None or not row[0]:
        return ""
    parent = table_label(values["table"])
    return (
        f"Rejected of {parent}: {counted(row[0], 'old row')} (`changeover rejects list`); mend those that these rows "
        "refer to. A row that is deleted here is deleted in its old table, too. "
    )


def _not_added(session: Session, which: ledger_actions.Which, action: Action, exc: psycopg.Error) -> ChangeoverError:
    """A row came between count and key: what is half there goes again, and the rows are told."""
    if action.index:
        _drop_invalid(session, action)
    if action.validates:
        for added in ledger_actions.every(session.ledger, session.run, which.stage, which.phase):
            if added.action_id == action.adds and added.state == "done":
                take_back(session, added)
    broken = None if action.head is None else broken_rows.count(session.conn, action.head)
    if broken is not None:
        return _broken(session, action, broken)
    error = translate(exc)
    error.what = f"{which.stage}/{which.phase}, {action.id}: {error.what}"
    return error


def _execute(session: Session, which: ledger_actions.Which, action: Action) -> None:
    """The statement with its mark."""

    def mark(conn: psycopg.Connection) -> None:
        if action.seeds:
            seeded.remember(conn, session.plan, action.statement)
        ledger_actions.done(session.ledger, session.run, which, epoch=session.epoch)

    def again(attempt: int, state: str) -> None:
        about = {"stage": which.stage, "phase": which.phase, "action": which.action_id}
        held_by = session.holders.told if session.holders else ""
        session.bus.emit("action.retry", **about, attempt=attempt, sqlstate=state, held_by=held_by)
        if not action.transactional:
            _drop_invalid(session, action)

    if not action.transactional:
        _drop_invalid(session, action)
    for attempt in range(_SETTLED + 1):
        try:
            session.bounded(
                action.statement.encode(),
                patient=action.patient,
                transactional=action.transactional,
                within=mark,
                on_retry=again,
            )
        except psycopg.errors.ForeignKeyViolation:
            # A delete that its mirror could not see (REPEATABLE READ) waits as a queued key: the orphan goes with it.
            if attempt == _SETTLED or not action.validates:
                raise
            drain.empty_queue(session, ledger_sources.every(session.ledger, session.plan.name))
        else:
            return


def take_back(session: Session, recorded: Recorded, first: str = "") -> None:
    """Execute the inverse of a recorded action, and `first` before it in the same transaction."""
    which = ledger_actions.Which(recorded.stage, recorded.phase, recorded.action_id)

    def mark(_conn: psycopg.Connection) -> None:
        ledger_actions.undone(session.ledger, session.run, which, epoch=session.epoch)

    if session.stop.is_set():
        raise StoppedError(f"The way back of stage {recorded.stage}")
    session.bus.emit("action.undoing", stage=recorded.stage, phase=recorded.phase, action=recorded.action_id)
    if not recorded.inverse:
        mark(session.conn)
        return
    *before, last = parts(recorded.inverse)
    concurrent = "CONCURRENTLY" in recorded.inverse
    try:
        for part in before:
            session.bounded(part.encode())
        session.bounded((first + last).encode(), patient=concurrent, transactional=not concurrent, within=mark)
    except (psycopg.Error, LockTimeoutError) as exc:
        if before and isinstance(exc, psycopg.errors.IntegrityError):
            _drop_half_added(session, recorded.inverse)
        error: ChangeoverError = translate(exc)
        if isinstance(exc, psycopg.errors.DependentObjectsStillExist):
            error.what += f" ({'; '.join((exc.diag.message_detail or '').splitlines())})"
            error.todo = "Drop it, or make it refer to the table; then run the same command again."
        error.what = f"taking back {recorded.stage}/{recorded.phase}, {recorded.action_id}: {error.what}"
        raise error from exc
    session.bus.emit("action.undone", stage=recorded.stage, phase=recorded.phase, action=recorded.action_id)
    failpoints.failpoint(_UNDONE)


def _drop_half_added(session: Session, inverse: str) -> None:
    """A constraint that rows do not allow to come back hinders nobody: it is the application's turn."""
    for statement in split(inverse):
        try:
            head = key_head("", statement.text)
        except StatementError:
            continue
        session.bounded(
            f"ALTER TABLE {sql_name(head.table)} DROP CONSTRAINT IF EXISTS {sql_name([head.name])}".encode()
        )


def _probe(session: Session, action: Action) -> bool | None:
    """Whether the object is there; None where only the ledger can know."""
    if not action.probe:
        return None
    row = session.conn.execute(action.probe.encode()).fetchone()
    return bool(row and row[0])


def _occupied(session: Session, action: Action) -> bool:
    """Whether an index stands under the name, valid or not."""
    return bool(action.index and _one(session, "SELECT to_regclass(%s) IS NOT NULL", action.index))


def _drop_invalid(session: Session, action: Action) -> None:
    """Before an index is built again: remove what a broken attempt has left under its name."""
    if _occupied(session, action):
        session.bounded(action.inverse.encode(), patient=True, transactional=False)


def _one(session: Session, query: LiteralString, value: str) -> Any:
    row = session.conn.execute(query, (value,)).fetchone()
    return row and row[0]
