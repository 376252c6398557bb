"""Where everything stands, read from the ledger alone: it is the same before and after a restart."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from flags import store as flag_store
from flags.errors import UnknownFlagError
from orchestrator.engine import queries
from orchestrator.engine.gates import gates
from orchestrator.engine.report import predicting
from orchestrator.engine.report.waiting import waiting
from orchestrator.engine.results import PlanStatus, SourceStatus, StageStatus, Status
from orchestrator.engine.session import open_ledger
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import ChangeoverError, translate
from orchestrator.ledger import check_results, control, leases, phases, runs, schema, verifications
from orchestrator.ledger import sources as ledger_sources
from orchestrator.plan.loader import LoadedPlan, load
from phases.registry import PHASES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.ledger.runs import Run
    from orchestrator.ledger.store import Ledger


def status(dsn: str, plan: str | None = None, *, folders: Mapping[str, str] | None = None) -> Status:
    """The state of every plan that was ever run here, or of one.

    `folders` says where the plans are that are not shipped: gates and flags stand in the plan, not in the ledger.
    """
    try:
        with connect(dsn) as conn:
            installed = schema.installed(conn) is not None
    except Exception as exc:
        raise translate(exc) from exc
    if not installed:
        return Status(installed=False, plans=[])
    with open_ledger(dsn, "status") as ledger:
        names = dict.fromkeys(r.plan for r in runs.every(ledger, plan))
        latest = [run for name in names if (run := runs.latest(ledger, name)) is not None]
        return Status(installed=True, plans=[_plan(ledger, run, folders or {}) for run in latest])


def _plan(ledger: Ledger, run: Run, folders: Mapping[str, str]) -> PlanStatus:
    recorded = phases.every(ledger, run)
    stages = list(dict.fromkeys(p.stage for p in recorded))
    loaded = _loaded(run, folders)
    if loaded is not None:
        stages = [s.stage for s in loaded.model.stages]
    found = [_stage(ledger, run, loaded, name, recorded) for name in stages]
    wanted = control.get(ledger, run.plan)
    job, asked = control.at_work(ledger, run.plan, wanted), None if wanted is None else _asked(wanted)
    lease = leases.current(ledger.conn, run.plan)
    return PlanStatus(
        plan=run.plan,
        run_id=run.id,
        kind=run.kind,
        state=run.state,
        operator=run.started_by,
        started_at=run.started_at.isoformat(),
        stages=found,
        lease=None
        if lease is None
        else {
            "owner": lease.owner,
            "epoch": lease.epoch,
            "state": lease.state,
            "heartbeat_at": lease.heartbeat_at.isoformat(),
        },
        warnings=[asdict(f) for f in ledger_sources.warnings(ledger, run.plan)],
        job=job,
        control=asked,
        waiting=waiting(*(run.plan, run.state, found, job, asked), argument=folders.get(run.plan, run.plan)),
        expected=predicting.expected(ledger, run.plan, run.checksum),
    )


def _asked(found: control.Control) -> dict[str, Any]:
    return {
        "request": found.request,
        "by": found.changed_by,
        "reason": found.reason,
        "at": found.changed_at.isoformat(),
    }


def _loaded(run: Run, folders: Mapping[str, str]) -> LoadedPlan | None:
    """The plan at hand, if it is the one that was run."""
    try:
        plan = load(folders.get(run.plan) or run.folder or run.plan)
    except ChangeoverError:
        return None
    return plan if plan.checksum == run.checksum else None


def _stage(ledger: Ledger, run: Run, plan: LoadedPlan | None, name: str, recorded: list[phases.Phase]) -> StageStatus:
    mine = {p.phase: p for p in recorded if p.stage == name}
    model = None if plan is None else plan.stage(name)
    last = verifications.latest(ledger, run.plan, name)
    sources = _sources(ledger, run.plan, name)
    return StageStatus(
        stage=name,
        phases={
            p: _phase(mine.get(p), in_plan=p != "contract" or model is None or model.contract is not None)
            for p in PHASES
        },
        sources=sources,
        flag=None if model is None or model.flag is None else _flag(ledger, model.flag),
        gates=[] if plan is None or model is None else gates.status(ledger, plan, run, model),
        verification=None
        if last is None
        else {
            "state": last.state,
            "rows": last.rows_compared,
            "differences": last.differences,
            "tables": len((last.detail or {}).get("counts", [])),
            "checks": sum(1 for each in (last.detail or {}).get("checks", []) if each["ok"]),
            "ended_at": None if last.ended_at is None else last.ended_at.isoformat(),
        },
        checks=[asdict(each) for each in check_results.latest(ledger, run, name)],
        percent=_percent(sources),
    )


def _percent(sources: Sequence[SourceStatus]) -> float:
    """The copied part of all tables, each by its size."""
    weights = [max(source.pages, 1) for source in sources]
    done = sum(source.percent * weight for source, weight in zip(sources, weights, strict=True))
    return round(done / sum(weights), 1) if weights else 0.0


def _phase(phase: phases.Phase | None, *, in_plan: bool = True) -> dict[str, Any]:
    if phase is None:
        return {"state": "pending" if in_plan else "not in the plan", "seconds": None, "detail": {}}
    # Of the work at it; from its first beginning to its end it may have lain for days.
    return {"state": phase.state, "seconds": phase.detail.get("seconds"), "detail": phase.detail}


def _sources(ledger: Ledger, plan: str, stage: str) -> list[SourceStatus]:
    cursor = ledger.conn.cursor(row_factory=dict_row)
    rows = cursor.execute(queries.load("source_status.sql"), {"plan": plan, "stage": stage}).fetchall()
    return [SourceStatus(**row) for row in rows]


def _flag(ledger: Ledger, name: str) -> dict[str, Any] | None:
    try:
        return flag_store.get(ledger.conn, name).as_json()
    except UnknownFlagError:
        return None
