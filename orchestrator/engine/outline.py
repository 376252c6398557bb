"""What a plan will execute, in order, with the lock each statement takes: `plan show`.

Compiled mappings depend on the catalog. Where the target tables do not stand yet, the expand files are
executed in a transaction that is rolled back; it takes no lock on a table of the application for longer
than the compilation, and waits for none longer than a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from orchestrator.engine.results import OutlineItem
from orchestrator.engine.workbench import Workbench, dataset_statements
from orchestrator.kernel import sqlfiles
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import translate
from orchestrator.ledger import schema
from orchestrator.ledger.store import Ledger
from orchestrator.plan.loader import load
from phases.actions import Action, Step
from phases.registry import PHASES
from phases.statements import ddl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage


def outline(dsn: str | None, plan_name: str) -> list[OutlineItem]:
    """Every action and step of a plan; without a database, those that do not depend on one."""
    plan = load(plan_name)
    if dsn is None:
        return [item for stage in plan.model.stages for item in _without_database(plan, stage)]
    try:
        with connect(dsn) as conn, conn.transaction(force_rollback=True):
            conn.execute("SET LOCAL lock_timeout = '2s'")
            schema.install(conn)
            return compile_stages(conn, plan, plan.model.stages)
    except psycopg.Error as exc:
        raise translate(exc) from exc


def compile_stages(conn: psycopg.Connection, plan: LoadedPlan, stages: Sequence[Stage]) -> list[OutlineItem]:
    """Every action and step of these stages; their tables are made on the way, for the caller to roll back."""
    conn.execute(sqlfiles.load(__package__, "keep_ids.sql"))
    bench = Workbench(conn, Ledger(conn, "plan show"), plan)
    rehearsal = _Rehearsal(conn)
    items = []
    for stage in stages:
        work = bench.work(stage)
        for phase in PHASES.values():
            for item in phase.actions(work):
                items.append(_item(stage.stage, phase.name, item))
                if phase.name == "expand" and isinstance(item, Action) and item.transactional:
                    rehearsal.carry_out(item)
    return items


class _Rehearsal:
    """Expand, carried out in a transaction that is rolled back.

    What is about a table that the plan does not make is tried and taken back at once, with what came before it about
    the same table: its lock holds up the application, and is given back with the savepoint.
    """

    def __init__(self, conn: psycopg.Connection) -> None:
        self._conn = conn
        self._made: set[str] = set()
        self._about: dict[str, list[Action]] = {}

    def carry_out(self, action: Action) -> None:
        """Make what it makes, or try what it changes."""
        if action.probe and (there := self._conn.execute(action.probe.encode()).fetchone()) and there[0]:
            return
        if not action.on or action.on in self._made:
            self._execute(action)
            self._made |= {action.makes}
            return
        several = self._about.setdefault(action.on, [])
        several.append(action)
        with self._conn.transaction(force_rollback=True):
            for each in several:
                self._execute(each)

    def _execute(self, action: Action) -> None:
        if action.inverse_query:
            self._conn.execute(action.inverse_query.encode())
        self._conn.execute(action.statement.encode())


def _without_database(plan: LoadedPlan, stage: Stage) -> list[OutlineItem]:
    items = [_item(stage.stage, "expand", ddl(*s)) for s in plan.statements(stage.expand)]
    for place, statement in [*plan.statements(stage.seed), *dataset_statements(stage)]:
        items.append(
            _item(stage.stage, "expand", Action(f"seed {place}", statement, lock="ROW EXCLUSIVE on a new table"))
        )
    for mapping in stage.mappings:
        text = f"{mapping.kind} into {mapping.target}: compiled against the database (give --dsn)"
        items.append(_item(stage.stage, "dual-write", Step(f"mapping {mapping.label}", "compile", text)))
    return items


def _item(stage: str, phase: str, item: Action | Step) -> OutlineItem:
    if isinstance(item, Step):
        return OutlineItem(stage, phase, item.id, "", "", "", item.doc, transactional=True)
    return OutlineItem(
        *(stage, phase, item.id, item.statement, item.lock, item.inverse, item.doc),
        transactional=item.transactional,
        told=item.told,
    )
