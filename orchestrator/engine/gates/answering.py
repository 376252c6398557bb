"""What people answer for: rejects that may stay behind. A waiver belongs to a run."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from orchestrator.engine.session import open_ledger
from orchestrator.kernel.errors import ChangeoverError, RefusedError, UsageError
from orchestrator.ledger import rejects, runs, waivers
from orchestrator.ledger.store import repeated
from orchestrator.plan.loader import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestrator.ledger.runs import Run
    from orchestrator.ledger.store import Ledger


def rejects_waive(  # noqa: PLR0913 - the options of the command
    dsn: str,
    *,
    ids: Sequence[int] | None = None,
    plan: str | None = None,
    stage: str | None = None,
    source: str | None = None,
    reject_reason: str | None = None,
    from_now_on: bool = False,
    reason: str,
    operator: str,
) -> list[int]:
    """Answer for rejects by name, and for those to come; the ids that were waived now, none if no open one matches."""
    which = rejects.Which(plan=plan, stage=stage, source=source, reason=reject_reason, ids=ids)

    def waive(ledger: Ledger) -> list[int]:
        with ledger.transaction():
            if reject_reason is not None and not from_now_on:
                _refuse_unknown(ledger, plan, reject_reason)
            waived = rejects.waive(ledger, which, by=operator, reason=reason)
            if from_now_on:
                _waive_from_now_on(ledger, which, by=operator, reason=reason)
        return waived

    with open_ledger(dsn, operator) as ledger:
        return repeated(partial(waive, ledger))


def rejects_waivers(dsn: str, *, plan: str | None = None) -> list[waivers.Waiver]:
    """The waivers of a reason: who answers for what, from when on."""
    with open_ledger(dsn, "rejects") as ledger:
        return waivers.every(ledger, rejects.Which(plan=plan))


def rejects_revoke(
    dsn: str,
    *,
    ids: Sequence[int] | None = None,
    plan: str | None = None,
    stage: str | None = None,
    source: str | None = None,
    reject_reason: str | None = None,
    reason: str,
    operator: str,
) -> tuple[list[waivers.Waiver], list[int]]:
    """Take waivers back: those of a reason, and the rejects that are open again."""
    which = rejects.Which(plan=plan, stage=stage, source=source, reason=reject_reason, ids=ids)
    with open_ledger(dsn, operator) as ledger:
        return repeated(partial(waivers.revoke, ledger, which, by=operator, reason=reason))


def _waive_from_now_on(ledger: Ledger, which: rejects.Which, *, by: str, reason: str) -> list[Run]:
    """Answer for a reason as long as the run lasts; of every plan that has one, unless one is named."""
    if which.reason is None or which.ids is not None:
        raise UsageError(
            "What is waived from now on is a reason.", kept="Nothing was changed.", todo="Name it: --of-reason CODE."
        )
    names = dict.fromkeys(run.plan for run in runs.every(ledger, which.plan))
    found = [run for name in names if (run := runs.current(ledger, name)) is not None]
    if not found:
        raise _no_run("No plan has a run whose rejects could be waived from now on.")
    for run in found:
        waivers.give(ledger, run, waivers.Covers(which.reason, which.stage, which.source), by=by, reason=reason)
    return found


def _refuse_unknown(ledger: Ledger, plan: str | None, reason: str) -> None:
    """Refuse a reason for which no row was ever rejected and that no plan at hand gives: it is a slip of the pen."""
    there = {each.reason for each in rejects.counts(ledger, rejects.Which(plan=plan))}
    if _is_known(ledger, plan, reason):
        return
    known = f"The reasons that there are: {', '.join(sorted(there))}." if there else "There is no reject at all."
    raise UsageError(
        f"No row is rejected for {reason!r}.",
        kept="Nothing was changed.",
        todo=f"{known} `changeover rejects summary` counts them.",
    )


def rejects_reason_is_known(dsn: str, reason: str, *, plan: str | None = None) -> bool:
    """Whether a row was ever rejected for it, or a plan at hand gives it."""
    with open_ledger(dsn, "rejects") as ledger:
        return _is_known(ledger, plan, reason)


def _is_known(ledger: Ledger, plan: str | None, reason: str) -> bool:
    there = {each.reason for each in rejects.counts(ledger, rejects.Which(plan=plan))}
    return reason in there | _declared({run.folder or run.plan for run in runs.every(ledger, plan)})


def _declared(plans: Iterable[str]) -> set[str]:
    """The reasons that the plans of these names or folders give, as far as they are on this machine."""
    found: set[str] = set()
    for name in plans:
        with suppress(ChangeoverError):
            stages = load(name).model.stages
            found.update(reason for stage in stages for mapping in stage.mappings for reason in mapping.rejects)
    return found


def _no_run(what: str) -> RefusedError:
    return RefusedError(
        what,
        kept="Nothing was changed.",
        todo="`changeover status` shows what there is; `changeover start PLAN` begins a run.",
    )
