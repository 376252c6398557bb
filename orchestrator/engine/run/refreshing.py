"""Refreshing: the materialized views that a plan's stages name, when they are due.

CONCURRENTLY, because readers must not wait for it; only what was never filled, and cannot be read yet, is filled
otherwise. A view that has no unique index cannot be refreshed beside its readers, and is refused. The refresh and the
event that tells its moment are one transaction, so that the age in status and metrics is the view's own.

Needs no lease: it changes nothing that a run works with. Of two refreshes at once the second finds the view locked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psycopg import sql
from psycopg.rows import class_row

from orchestrator.engine import plans, queries
from orchestrator.engine.run import partitioning, refresh_due
from orchestrator.engine.session import open_ledger
from orchestrator.kernel import locks
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import qualified
from orchestrator.kernel.sqltokens import table_name
from orchestrator.ledger.store import About

if TYPE_CHECKING:
    import threading
    from datetime import datetime

    from orchestrator.kernel.events import Bus
    from orchestrator.ledger.store import Ledger
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.refresh import Refresh


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A view, and what became of it."""

    stage: str
    view: str
    """Or the partition that was made."""
    state: Literal["refreshed", "young", "absent", "made"]
    """`young`: not due yet; `absent`: its stage has not made it yet; `made`: it is a partition."""
    age: float | None
    """Seconds since the refresh before; None if there was none."""
    seconds: float | None
    """What it took; None if it was left alone."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A view as the database has it (`view_refresh.sql`)."""

    there: bool
    populated: bool
    keyed: bool
    now: datetime
    as_of: datetime | None
    writes: str | None
    behind: bool

    @property
    def age(self) -> float | None:
        return None if self.as_of is None else (self.now - self.as_of).total_seconds()


def refresh(
    dsn: str,
    plan_name: str | LoadedPlan,
    *,
    stage: str | None = None,
    if_due: bool = False,
    bus: Bus,
    stop: threading.Event,
    operator: str = "unknown",
) -> list[Refreshed]:
    """Make the partitions that are to be there, and refresh a plan's views; with `if_due` those that are due."""
    plan = plans.find(dsn, plan_name)
    stages = plan.model.stages if stage is None else [plan.stage(stage)]
    done: list[Refreshed] = []
    with open_ledger(dsn, operator) as ledger:
        for each in stages:
            for made in partitioning.keep_ahead(ledger, About(plan.name, each.stage), each):
                bus.emit(
                    "partition.made", stage=each.stage, table=made.table, partition=made.partition, moved=made.moved
                )
                done.append(Refreshed(each.stage, made.partition, "made", None, None))
            for wanted in each.refresh:
                if stop.is_set():
                    return done
                done.append(refresh_one(ledger, About(plan.name, each.stage), wanted, if_due=if_due, bus=bus))
    return done


def refresh_one(ledger: Ledger, about: About, wanted: Refresh, *, if_due: bool, bus: Bus) -> Refreshed:
    """Refresh one view, unless it is not there, or not due."""
    stage = about.stage or ""
    name = qualified(*table_name(wanted.view))
    found = _look(ledger, about, wanted, name)
    if not found.there:
        return Refreshed(stage, wanted.view, "absent", found.age, None)
    content = refresh_due.Content(found.as_of, found.behind)
    if if_due and found.populated and not refresh_due.is_due(wanted, content, found.now):
        return Refreshed(stage, wanted.view, "young", found.age, None)
    if found.populated and not found.keyed:
        raise RefusedError(
            f"{wanted.view} has no unique index over plain columns: refreshing it would keep its readers out.",
            kept="It stands as it was.",
            todo=f"Give stage {stage} a unique index on it, in `indexes`.",
        )
    begun = time.monotonic()
    how = sql.SQL("CONCURRENTLY " if found.populated else "")
    due = refresh_due.by_the_clock(wanted, found.now)
    detail = {
        "as_of": found.now.isoformat(),
        "due": None if due is None else due.isoformat(),
        "minutes_after_writes": wanted.minutes_after_writes,
        "writes": found.writes,
    }

    def note(_: object) -> None:
        seconds = round(time.monotonic() - begun, 3)
        ledger.event("view.refreshed", about, view=wanted.view, seconds=seconds, **detail)

    locks.run_bounded(ledger.conn, sql.SQL("REFRESH MATERIALIZED VIEW {}{}").format(how, sql.SQL(name)), within=note)
    done = Refreshed(stage, wanted.view, "refreshed", found.age, time.monotonic() - begun)
    bus.emit("view.refreshed", stage=stage, view=wanted.view, seconds=done.seconds)
    return done


def _look(ledger: Ledger, about: About, wanted: Refresh, name: str) -> _Found:
    query = queries.load("view_refresh.sql")
    values = {"plan": about.plan, "view": wanted.view, "name": name}
    row = ledger.conn.cursor(row_factory=class_row(_Found)).execute(query, values).fetchone()
    assert row is not None  # noqa: S101 - one row, whatever is there
    return row
