"""What a plan will execute, in order, with the lock each statement takes: `plan show`.

Compiled mappings depend on the catalog. Where the target tables do not stand yet, the expand files are
executed in a transaction that is rolled back (`rehearsal`); it keeps no lock on a table of the application, and waits
for none longer than a moment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from orchestrator.engine import plans, queries
from orchestrator.engine.check.rehearsal import Rehearsal
from orchestrator.engine.contract import renaming
from orchestrator.engine.results import OutlineItem
from orchestrator.engine.stage_compiler import StageCompiler, dataset_statements
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import translate
from orchestrator.ledger import schema
from orchestrator.ledger.store import Ledger
from phases import alter
from phases.actions import Action, Step
from phases.expand import SEED_LOCK
from phases.registry import PHASES
from phases.statements import ddl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage


def outline(dsn: str | None, plan_name: str | LoadedPlan) -> list[OutlineItem]:
    """Every action and step of a plan; without a database, those that do not depend on one."""
    plan = plans.find(dsn, plan_name)
    if dsn is None:
        return [item for stage in plan.model.stages for item in _without_database(plan, stage)]
    try:
        with connect(dsn) as conn, conn.transaction(force_rollback=True):
            conn.execute("SET LOCAL lock_timeout = '2s'")
            schema.install(conn)
            return compile_stages(StageCompiler(conn, Ledger(conn, "plan show"), plan), plan.model.stages)
    except psycopg.Error as exc:
        raise translate(exc) from exc


def compile_stages(compiler: StageCompiler, stages: Sequence[Stage]) -> list[OutlineItem]:
    """Every action and step of these stages; their tables are made on the way, for the caller to roll back."""
    compiler.conn.execute(queries.load("keep_ids.sql"))
    rehearsal = Rehearsal(compiler.conn)
    items = []
    for stage in stages:
        work = compiler.work(stage)
        for phase in PHASES.values():
            for item in phase.actions(work):
                items.append(_item(stage.stage, phase.name, item))
                if phase.name == "expand" and isinstance(item, Action) and item.transactional:
                    rehearsal.carry_out(item)
    return items


def _without_database(plan: LoadedPlan, stage: Stage) -> list[OutlineItem]:
    items = [_item(stage.stage, "expand", ddl(*s)) for s in plan.expand(stage)]
    for where in stage.only_where:
        only = [ddl(*each) for each in plan.statements(where.expand)]
        doc = f"only where there is: {where.words}"
        items += [_item(stage.stage, "expand", replace(action, doc=doc)) for action in only]
    items += [_item(stage.stage, "expand", action) for each in stage.alter for action in alter.in_expand(each)]
    items += [_item(stage.stage, "expand", renaming.without_database(each)) for each in stage.rename]
    for place, statement in [*plan.statements(stage.seed), *dataset_statements(stage)]:
        items.append(
            _item(
                stage.stage,
                "expand",
                Action(f"seed {place}", statement, lock=SEED_LOCK),
            )
        )
    for mapping in stage.mappings:
        text = f"{mapping.kind} into {mapping.target}: compiled against the database (give --dsn)"
        items.append(_item(stage.stage, "dual-write", Step(f"mapping {mapping.label}", "compile", text)))
    for each in stage.alter:
        items += [_item(stage.stage, "backfill", action) for action in alter.in_backfill(each)]
        items += [_item(stage.stage, "contract", action) for action in alter.constraints(each, "contract")]
    return items


def _item(stage: str, phase: str, item: Action | Step) -> OutlineItem:
    if isinstance(item, Step):
        return OutlineItem(stage, phase, item.id, "", "", "", item.doc, transactional=True)
    return OutlineItem(
        *(stage, phase, item.id, item.statement, item.lock, item.inverse, item.doc),
        transactional=item.transactional,
        told=item.told,
    )
