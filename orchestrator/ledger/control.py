"""Control: what an operator wants of the job of a plan, and what the job answers.

One row per plan. The request (`run`, `pause`, `cancel`) and the settings (how the copy is throttled) are written from
any terminal; each write raises the version, appends an event and notifies `changeover_control`, so a listening job acts
within milliseconds and one behind a pooler that swallows notifications within its next look. The job answers with
the version that it has taken in and with what it is doing, so the operator sees whether anybody heard.

A pause outlives the job: the next one starts held, until somebody says `resume`. A cancel does not: it is meant for
the job that runs, so a job that starts finds it and takes it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from orchestrator.ledger import leases
from orchestrator.ledger.statements import (
    NOW,
    Sql,
    equal,
    fixed,
    for_update,
    insert,
    or_nothing,
    or_update,
    order,
    select,
    update,
)
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CHANNEL: Final = "changeover_control"
Request = Literal["run", "pause", "cancel"]
_SILENT: Final[dict[str, Any]] = {
    "state": "running",
    "host": "?",
    "pid": "?",
    "stage": None,
    "phase": None,
    "reason": "",
    "progress": None,
    "probes": {},
    "settings": None,
    "throttled_by": [],
}
"""What is known of a job that has not answered: that somebody holds the lease."""


@dataclass(frozen=True, slots=True)
class Control:
    """A row of `changeover.control`."""

    plan: str
    request: str
    settings: dict[str, Any]
    version: int
    changed_by: str
    changed_at: datetime
    reason: str
    answered: int
    answer: dict[str, Any]
    answered_at: datetime | None


def get(ledger: Ledger, plan: str) -> Control | None:
    """What is wanted of the job of this plan; None if nobody ever wanted anything."""
    return ledger.one(_of(plan), Control)


def every(ledger: Ledger) -> list[Control]:
    """What is wanted of every job."""
    return ledger.all(select(Control, "control") + order("plan"), Control)


def at_work(ledger: Ledger, plan: str, found: Control | None) -> dict[str, Any] | None:
    """What the job of a plan said last, if there is one: the process at work holds the lease."""
    lease = leases.current(ledger.conn, plan)
    if lease is None or lease.state != "held":
        return None
    return {**_SILENT, **(found.answer if found is not None else {})}


def ask(ledger: Ledger, plan: str, wanted: Request, *, reason: str = "") -> Control:
    """Say what the job shall do."""
    return _write(ledger, plan, {"request": wanted}, reason, f"job.{wanted}")


def throttle(ledger: Ledger, plan: str, settings: Mapping[str, Any], *, reason: str = "") -> Control:
    """Replace the settings."""
    return _write(ledger, plan, {"settings": dict(settings)}, reason, "job.throttle")


def answer(ledger: Ledger, plan: str, version: int, said: Mapping[str, Any]) -> None:
    """Say, as the job, what has been taken in."""
    said = {"answered": version, "answer": dict(said), "answered_at": NOW}
    ledger.run(update("control", said, *equal(plan=plan)))


def attend(ledger: Ledger, plan: str) -> Control:
    """The row of this plan, made if there is none: a job begins. A cancel of an earlier job is taken back."""
    with ledger.transaction():
        ledger.run(insert("control", {"plan": plan, "changed_by": ledger.actor}) + or_nothing())
        found = ledger.must(_of(plan) + for_update(), Control)
        if found.request != "cancel":
            return found
        return _write(ledger, plan, {"request": "run"}, "a new job begins", "job.run")


def _write(ledger: Ledger, plan: str, values: dict[str, Any], reason: str, kind: str) -> Control:
    values = {**values, "changed_by": ledger.actor, "changed_at": NOW, "reason": reason}
    newer = {**values, "version": fixed("control.version + 1")}
    with ledger.transaction():
        ledger.run(insert("control", {"plan": plan, "version": 1, **values}) + or_update(["plan"], newer))
        written = ledger.must(_of(plan), Control)
        ledger.event(kind, About(plan), reason=reason, version=written.version, settings=written.settings)
        ledger.conn.execute("SELECT pg_catalog.pg_notify(%s, '')", (CHANNEL,))
    return written


def _of(plan: str) -> Sql:
    return select(Control, "control", *equal(plan=plan))
