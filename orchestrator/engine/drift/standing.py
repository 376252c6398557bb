"""Whether what was made still stands: somebody may have dropped a trigger, changed a function, renamed a column.

The mirrors are what "nothing is lost" rests on, and they stand in a database that other people work in. So before a
phase relies on them, and before a copy is called done, every action that is recorded as done is asked by its own
probe. A difference is drift: nothing is mended behind anybody's back, as only a person can know why it was done, and
what was written meanwhile has to be compared anyway.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from orchestrator.engine import queries
from orchestrator.kernel.errors import RefusedError
from orchestrator.ledger import actions as ledger_actions
from orchestrator.ledger import phases as ledger_phases
from orchestrator.ledger.errors import DriftError
from orchestrator.mapping import catalog
from phases.actions import Action
from phases.registry import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.engine.session import Session
    from orchestrator.ledger.phases import Phase
    from orchestrator.ledger.sources import Source
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.model import Stage

_SHOWN = 5
RETIRE = "retire"
"""What the ledger calls the end of the old tables, beside the phases of a plan."""
_MAKING = ("expand", "dual-write", "backfill")


def retired(session: Session) -> Phase | None:
    """The record of the old tables' end, None while they are kept."""
    for found in ledger_phases.every(session.ledger, session.run):
        if found.phase == RETIRE and found.state == "done":
            return found
    return None


def check_old_side(session: Session) -> None:
    """Raise RefusedError where there is no old side any more: nothing to compare with, nothing to go back to."""
    if (found := retired(session)) is not None and found.ended_at is not None:
        raise RefusedError(
            f"The old tables of plan {session.plan.name} were dropped on {found.ended_at:%Y-%m-%d %H:%M} UTC.",
            kept="Nothing was changed; the new tables are the only ones.",
        )


def check(session: Session, stage: Stage) -> None:
    """Raise DriftError where something that this run has made is gone or is not what it was."""
    with catalog.read_once(session.conn):
        gone = list(_gone(session, stage))
    if gone:
        first = gone[0][0]
        more = f", and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
        raise DriftError(
            f"Stage {stage.stage}: not as this run has made it: {', '.join(i for _, i in gone[:_SHOWN])}{more}.",
            kept="Every committed batch is kept; what was written since may be on one side only.",
            todo=f"Run `changeover run {first} --plan {session.plan.argument} --stage {stage.stage}` to put it back, "
            f"the phases after it, and `changeover verify --plan {session.plan.argument} --repair` for what was "
            "written meanwhile. Or roll back.",
        )


def check_columns(session: Session, mapping: Mapping, drifted: Sequence[Source]) -> None:
    """Raise DriftError where a column that the plan reads by name is not there any more.

    Compiled as it is, its values would become NULL in every row of the new table.
    """
    declared = mapping.read_columns
    for source in drifted:
        rows = session.conn.execute(queries.load("columns_gone.sql"), {"id": source.id}).fetchall()
        lost = [name for (name,) in rows if name in declared]
        if lost:
            raise DriftError(
                f"{source.name}: the plan reads column {', '.join(lost)}, which was dropped or renamed.",
                kept="Every committed batch is kept; since then, writes of this table wait in changeover.queue.",
                todo="Give the column its name back and run the same command again, or roll back and mend the plan.",
            )


def _gone(session: Session, stage: Stage) -> Iterator[tuple[str, str]]:
    recorded = {(a.phase, a.action_id): a.state for a in ledger_actions.every(session.ledger, session.run, stage.stage)}
    work = session.compiler.work(stage)
    # Here nothing is changed between the phases, only asked: what is compiled for one is so for all.
    work = replace(work, compiled=cache(work.compiled))
    for phase in _MAKING:
        found = ledger_phases.get(session.ledger, session.run, stage.stage, phase)
        if found is None or (found.state != "done" and phase == "backfill"):
            continue
        for item in PHASES[phase].actions(work):
            if not isinstance(item, Action) or not item.probe or recorded.get((phase, item.id)) != "done":
                continue
            row = session.conn.execute(item.probe.encode()).fetchone()
            if row is None or not row[0]:
                yield phase, item.id
