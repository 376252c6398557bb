"""Waivers of a reason: a person answers for every row that is rejected for it, now and as long as the run lasts.

`changeover.waiver` also holds one row for each reject that was waived by itself. The database reads both when a reject
is written (`sql/waivers.sql`): a mirror deletes a reject and writes it anew whenever its row is written. A waiver
belongs to a run, and a run to one checksum of the plan; what takes a stage back takes the waivers with it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row

from orchestrator.kernel import sqlfiles
from orchestrator.kernel.errors import RefusedError
from orchestrator.ledger import rejects
from orchestrator.ledger.errors import MoveRefusedError
from orchestrator.ledger.statements import among, delete, equal, fixed, insert
from orchestrator.ledger.store import About, Ledger, repeated

if TYPE_CHECKING:
    from datetime import datetime

    from orchestrator.ledger.runs import Run
    from orchestrator.ledger.statements import Sql


@dataclass(frozen=True, slots=True)
class Covers:
    """What a waiver of a reason covers; None is every one."""

    reason: str
    stage: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A waiver of a reason."""

    id: int
    plan: str
    stage: str | None
    source: str | None
    reason: str
    waived_by: str
    waived_reason: str
    created_at: datetime
    rejects: int
    """How many rejects it covers now."""

    def as_json(self) -> dict[str, Any]:
        """The shape that `rejects waivers --json` prints."""
        return {**asdict(self), "created_at": self.created_at.isoformat()}


def give(ledger: Ledger, run: Run, covers: Covers, *, by: str, reason: str) -> None:
    """Answer for a reason from now on. An answer that is given again has the newer words."""
    if not by.strip() or not reason.strip():
        raise MoveRefusedError("A reason is waived by a name and for a reason.", kept="Nothing was changed.")
    with ledger.transaction():
        ledger.run(delete("waiver", *_same(run, covers)))
        words = {"waived_by": by, "waived_reason": reason}
        ledger.run(insert("waiver", {"run_id": run.id, **asdict(covers), **words}))
        about = About(run.plan, covers.stage)
        ledger.event("waiver.given", about, of_reason=covers.reason, source=covers.source, by=by, reason=reason)
        apply(ledger, run.plan)


def apply(ledger: Ledger, plan: str) -> None:
    """Waive what was rejected in a transaction that could not see the waiver yet."""
    repeated(partial(_apply, ledger, plan))


def _apply(ledger: Ledger, plan: str) -> None:
    with ledger.transaction():
        ledger.conn.execute(sqlfiles.load(__package__, "waiver_apply.sql"), {"plan": plan})


def every(ledger: Ledger, which: rejects.Which) -> list[Waiver]:
    """The waivers of a reason that a choice of rejects meets, the oldest first."""
    chosen = {name: getattr(which, name) for name in ("plan", "stage", "source", "reason")}
    rows = ledger.conn.cursor(row_factory=class_row(Waiver))
    return rows.execute(sqlfiles.load(__package__, "waiver_every.sql"), chosen).fetchall()


def revoke(ledger: Ledger, which: rejects.Which, *, by: str, reason: str) -> tuple[list[Waiver], list[int]]:
    """Take back the waivers of a choice: those of a reason, and the rejects that are open again."""
    if not by.strip() or not reason.strip():
        raise MoveRefusedError(
            "A waiver is taken back by a name and for a reason.",
            kept="Nothing was changed.",
            todo='Give both: `--reason "…"`, and CHANGEOVER_ACTOR for the name.',
        )
    with ledger.transaction():
        rejects.refuse_unknown(ledger, which)
        ids = [each.id for each in rejects.every(ledger, which) if each.state == "waived"]
        found = every(ledger, which) if which.ids is None else _covering(ledger, ids)
        for waiver in found:
            _refuse_wider(waiver, which)
        ledger.run(delete("waiver", among("id", [waiver.id for waiver in found])))
        ledger.conn.execute(sqlfiles.load(__package__, "waiver_revoke.sql"), {"ids": ids})
        if found or ids:
            about = About(which.plan, which.stage)
            reasons = sorted({waiver.reason for waiver in found})
            ledger.event("waiver.revoked", about, of_reasons=reasons, ids=ids, by=by, reason=reason)
    return found, ids


def withdraw(ledger: Ledger, run: Run, stage: str) -> None:
    """A stage is taken back: its waivers go, and what is still rejected of it is open."""
    repeated(partial(_withdraw, ledger, run, stage))


def _withdraw(ledger: Ledger, run: Run, stage: str) -> None:
    values = {"run": run.id, "plan": run.plan, "stage": stage}
    with ledger.transaction():
        row = ledger.conn.execute(sqlfiles.load(__package__, "waiver_withdraw.sql"), values).fetchone()
        if row is not None and row[0]:
            ledger.event("waiver.withdrawn", About(run.plan, stage), rejects=row[0])


def _covering(ledger: Ledger, ids: list[int]) -> list[Waiver]:
    """The waivers of a reason that cover one of these rejects."""
    reasons = {reject.reason for reject in rejects.every(ledger, rejects.Which(ids=ids))}
    found = [waiver for reason in sorted(reasons) for waiver in every(ledger, rejects.Which(reason=reason))]
    return [
        waiver
        for waiver in found
        if rejects.every(
            ledger, rejects.Which(waiver.plan, waiver.stage, waiver.source, reason=waiver.reason, ids=ids), limit=1
        )
    ]


def _refuse_wider(waiver: Waiver, which: rejects.Which) -> None:
    """A waiver is taken back whole, or it stays."""
    wider = which.ids is not None or any(
        getattr(which, name) is not None and getattr(waiver, name) is None for name in ("stage", "source")
    )
    if wider:
        where = "".join(f" --{name} {value}" for name in ("stage", "source") if (value := getattr(waiver, name)))
        whole = f"--plan {waiver.plan} --of-reason {waiver.reason}{where}"
        raise RefusedError(
            f"Waiver {waiver.id} covers more than that: every row of plan {waiver.plan} that is rejected "
            f"for {waiver.reason}, now and later.",
            kept="Nothing was changed.",
            todo=f"Take it back whole: `changeover rejects revoke {whole} --reason …`. Then waive what may stay.",
        )


def _same(run: Run, covers: Covers) -> tuple[Sql, ...]:
    """The conditions on the waiver of a run that covers just this."""
    scope = (
        fixed("stage IS NOT DISTINCT FROM %s", covers.stage),
        fixed("source IS NOT DISTINCT FROM %s", covers.source),
    )
    return (*equal(run_id=run.id, reason=covers.reason), fixed("key IS NULL"), *scope)
