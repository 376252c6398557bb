"""Refreshing: the materialized views that a plan's stages name, by the plan's clock.

CONCURRENTLY, because readers must not wait for it; only what was never filled, and cannot be read yet, is filled
otherwise. A view that has no unique index cannot be refreshed beside its readers, and is refused. The refresh and the
event that tells its moment are one transaction, so that the age in status and metrics is the view's own.

Needs no lease: it changes nothing that a run works with. Of two refreshes at once the second finds the view locked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from psycopg import sql
from psycopg.rows import dict_row

from orchestrator.engine.session import open_ledger
from orchestrator.kernel import locks, sqlfiles
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import qualified
from orchestrator.kernel.sqltokens import table_name
from orchestrator.ledger.store import About
from orchestrator.plan.loader import load

if TYPE_CHECKING:
    import threading

    from orchestrator.kernel.events import Bus
    from orchestrator.ledger.store import Ledger
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Refresh

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A view, and what became of it."""

    stage: str
    view: str
    state: Literal["refreshed", "young", "absent"]
    """`young`: younger than the plan wants; `absent`: its stage has not made it yet."""
    age: float | None
    """Seconds since the refresh before; None if there was none."""
    seconds: float | None
    """What it took; None if it was left alone."""


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
    """Refresh a plan's views; with `if_due` those that are older than the plan wants."""
    plan = load(plan_name)
    stages = plan.model.stages if stage is None else [plan.stage(stage)]
    done: list[Refreshed] = []
    with open_ledger(dsn, operator) as ledger:
        for each in stages:
            for wanted in each.refresh:
                if stop.is_set():
                    return done
                about = About(plan.name, each.stage)
                done.append(_refresh(ledger, about, wanted, if_due=if_due))
                if done[-1].state == "refreshed":
                    bus.emit("view.refreshed", stage=each.stage, view=wanted.view, seconds=done[-1].seconds)
    return done


def _refresh(ledger: Ledger, about: About, wanted: Refresh, *, if_due: bool) -> Refreshed:
    name = qualified(*table_name(wanted.view))
    found = _look(ledger, about, wanted, name)
    if not found["there"]:
        return Refreshed(about.stage or "", wanted.view, "absent", found["age"], None)
    if if_due and found["age"] is not None and found["age"] < wanted.every_minutes * _MINUTE:
        return Refreshed(about.stage or "", wanted.view, "young", found["age"], None)
    if found["populated"] and not found["keyed"]:
        raise RefusedError(
            f"{wanted.view} has no unique index over plain columns: refreshing it would keep its readers out.",
            kept="It stands as it was.",
            todo=f"Give stage {about.stage} a unique index on it, in `indexes`.",
        )
    begun = time.monotonic()
    how = sql.SQL("CONCURRENTLY " if found["populated"] else "")

    def note(_: object) -> None:
        ledger.event("view.refreshed", about, view=wanted.view, seconds=round(time.monotonic() - begun, 3))

    locks.run_bounded(ledger.conn, sql.SQL("REFRESH MATERIALIZED VIEW {}{}").format(how, sql.SQL(name)), within=note)
    return Refreshed(about.stage or "", wanted.view, "refreshed", found["age"], time.monotonic() - begun)


def _look(ledger: Ledger, about: About, wanted: Refresh, name: str) -> dict[str, Any]:
    query = sqlfiles.load(__package__, "view_refresh.sql")
    values = {"plan": about.plan, "view": wanted.view, "name": name}
    row = ledger.conn.cursor(row_factory=dict_row).execute(query, values).fetchone()
    assert row is not None  # noqa: S101 - one row, whatever is there
    return row
