"""`changeover report`: what a migration was to bring, measured on this very database.

The plan's own measures (times and numbers, each with its figure) come first. Then what holds of every plan, read from
the ledger: completeness and rows lost by the last verification, orphans by its queries, downtime and the time of a way
back by the rehearsal that is registered. What nobody can know here is said to be not known, never assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg

from orchestrator.engine import plans
from orchestrator.engine.report import measuring
from orchestrator.engine.report.measuring import Figure
from orchestrator.engine.session import open_ledger
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import translate
from orchestrator.kernel.words import compared, counted
from orchestrator.ledger import check_results, rehearsals, runs, verifications

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.ledger.runs import Run
    from orchestrator.ledger.store import Ledger
    from orchestrator.plan.loader import LoadedPlan

_BACK_S: Final = 15 * 60


@dataclass(frozen=True)
class Report:
    """The figures of a plan, and when they were taken."""

    plan: str
    version: int
    checksum: str
    taken_at: str
    figures: list[Figure]

    @property
    def unmet(self) -> int:
        """How many figures are not met."""
        return sum(1 for figure in self.figures if figure.met is False)


def report(dsn: str, plan_name: str, *, requests_failed: int | None = None) -> Report:
    """Take every figure; `requests_failed` is what the application has counted, where somebody knows."""
    plan = plans.find(dsn, plan_name)
    try:
        with connect(dsn, role="report") as conn:
            figures = [figure for measure in plan.model.measures for figure in measuring.take(conn, plan, measure)]
    except psycopg.Error as exc:
        raise translate(exc) from exc
    with open_ledger(dsn, "report") as ledger:
        run = runs.current(ledger, plan.name)
        figures += [] if run is None else list(_of_run(ledger, plan, run))
        figures += list(_rehearsed(ledger, plan))
    figures.append(_failed(requests_failed))
    taken = datetime.now(UTC).isoformat(timespec="seconds")
    return Report(plan.name, plan.model.version, plan.checksum, taken, figures)


def _of_run(ledger: Ledger, plan: LoadedPlan, run: Run) -> Iterator[Figure]:
    """What the last verification of each stage says."""
    for stage in plan.model.stages:
        last = verifications.latest(ledger, plan.name, stage.stage)
        if not stage.mappings:
            continue
        if last is None:
            words = "the stage is not verified"
            yield Figure(
                f"{stage.stage} complete", f"{stage.stage}: complete", None, "%", "100 %", "", met=False, words=words
            )
            continue
        counts: list[dict[str, Any]] = last.detail.get("counts") or []
        legacy = sum(int(each["legacy"]) for each in counts)
        kept = sum(int(each["migrated"]) + int(each["rejected"]) for each in counts)
        rejected = sum(int(each["rejected"]) for each in counts)
        share = 100.0 if not legacy else 100.0 * kept / legacy
        sum_words = f"{legacy:,} old rows = {kept - rejected:,} migrated + {rejected:,} rejected and kept"
        words = f"{sum_words}, by {last.ended_at:%Y-%m-%d %H:%M} UTC"
        yield _fact(stage.stage, "complete", round(share, 6), "%", "100 %", met=kept == legacy, words=words)
        lost = legacy - kept
        yield _fact(stage.stage, "rows lost", float(lost), "rows", "0", met=lost == 0, words=counted(lost, "row"))
        differ = last.differences
        words = f"{compared(last.rows_compared, differ)}, {last.state}"
        yield _fact(stage.stage, "rows that differ", float(differ), "rows", "0", met=last.state == "clean", words=words)
        keys = [
            each
            for each in check_results.latest(ledger, run, stage.stage)
            if each.check_name.startswith(check_results.ORPHANS)
        ]
        if keys:
            orphans = sum(each.rows or 0 for each in keys)
            words = f"{counted(orphans, 'row')} without a parent, over {counted(len(keys), 'foreign key')}"
            met = all(each.ok for each in keys)
            yield _fact(stage.stage, "orphans", float(orphans), "rows", "0", met=met, words=words)


def _fact(stage: str, name: str, value: float, unit: str, target: str, *, met: bool, words: str) -> Figure:
    return Figure(f"{stage} {name}", f"{stage}: {name}", value, unit, target, "", met, words)


def _rehearsed(ledger: Ledger, plan: LoadedPlan) -> Iterator[Figure]:
    """What only a rehearsal can measure: how long the way back takes, and how long the application waited."""
    found = rehearsals.latest(ledger, plan.name)
    none = "not known: no rehearsal is registered (`changeover rehearse`)"
    back = None if found is None else found.document.get("rollback_seconds")
    waits = None if found is None else found.document.get("longest_wait_seconds")
    when = "" if found is None else f", rehearsed {found.rehearsed_at:%Y-%m-%d}"
    words = none if back is None else f"{back:.1f} s{when}"
    met = None if back is None else back <= _BACK_S
    yield Figure("rollback", "Way back, whole", back, "s", "at most 900 s", "", met, words)
    words = none if waits is None else f"nobody waited longer than {waits:.2f} s for a lock of ours{when}"
    yield Figure(
        "downtime",
        "Downtime: longest wait",
        waits,
        "s",
        "at most 1 s",
        "",
        None if waits is None else waits <= 1,
        words,
    )


def _failed(requests: int | None) -> Figure:
    words = (
        "not known: the application counts its own; give the number with --requests-failed"
        if requests is None
        else counted(requests, "request")
    )
    value, met = (None, None) if requests is None else (float(requests), requests == 0)
    return Figure("requests failed", "Requests that failed", value, "requests", "0", "", met, words)
