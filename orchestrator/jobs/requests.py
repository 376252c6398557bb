"""Requests to a job from another terminal: write the request, wait a moment for the answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.session import open_ledger
from orchestrator.jobs import throttle_settings
from orchestrator.kernel.errors import RefusedError, UsageError
from orchestrator.ledger import control, runs
from orchestrator.plan.loader import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestrator.ledger.control import Control, Request
    from orchestrator.ledger.store import Ledger
    from orchestrator.settings import Settings

_LOOK_S: Final = 0.05


@dataclass(frozen=True)
class Answered:
    """What came back. `job` is what the job says of itself; None when none is running."""

    heard: bool
    seconds: float
    job: dict[str, Any] | None


def known_plan(dsn: str, given: str) -> str:
    """The name of a plan that is shipped, lies in a folder, or has had a run here; RefusedError where none is it."""
    try:
        return load(given).name
    except UsageError as exc:
        with open_ledger(dsn, "request") as ledger:
            if runs.latest(ledger, given) is not None:
                return given
        raise RefusedError(
            f"There is no plan {given!r}: it is not shipped, no folder, and had no run in this database.",
            kept="Nothing was changed.",
            todo="`changeover status` and `changeover plan list` show the plans.",
        ) from exc


def ask(dsn: str, plan: str, wanted: Request, *, reason: str, operator: str, patience: float) -> Answered:
    """Say what the job shall do."""
    with open_ledger(dsn, operator) as ledger:
        return _answer(ledger, control.ask(ledger, plan, wanted, reason=reason), patience)


def throttle(
    dsn: str,
    plan: str,
    changes: Iterable[str],
    probes: Mapping[str, Mapping[str, Any]],
    *,
    reset: bool,
    reason: str,
    operator: str,
    patience: float,
) -> Answered:
    """Change how the copy is throttled."""
    with open_ledger(dsn, operator) as ledger:
        found = control.get(ledger, plan)
        stored = {} if found is None or reset else found.settings
        written = control.throttle(ledger, plan, throttle_settings.changed(stored, changes, probes), reason=reason)
        return _answer(ledger, written, patience)


def look(dsn: str, plan: str, settings: Settings) -> dict[str, Any]:
    """What is wanted, what was set, and what the job that runs says of itself."""
    with open_ledger(dsn, "throttle") as ledger:
        found = control.get(ledger, plan)
        job = control.at_work(ledger, plan, found)
    stored = {} if found is None else found.settings
    counts = throttle_settings.shown(throttle_settings.read(stored).applied(throttle_settings.base(settings)))
    return {
        "plan": plan,
        "request": "run" if found is None else found.request,
        "set": stored,
        "by": None if found is None else found.changed_by,
        "reason": "" if found is None else found.reason,
        "settings": counts if job is None or job["settings"] is None else job["settings"],
        "job": job,
    }


def _answer(ledger: Ledger, written: Control, patience: float) -> Answered:
    begun = time.monotonic()
    while True:
        found = control.get(ledger, written.plan)
        waited = time.monotonic() - begun
        if found is not None and found.answered >= written.version:
            return Answered(heard=True, seconds=round(waited, 3), job=found.answer)
        job = control.at_work(ledger, written.plan, found)
        if job is None or waited >= patience:
            return Answered(heard=False, seconds=round(waited, 3), job=job)
        time.sleep(_LOOK_S)
