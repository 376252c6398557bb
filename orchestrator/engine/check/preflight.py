"""Before the first statement of a stage: does it fit this database, with all that has to come before it?

What is wrong with the last stage is better known before the first one has run: its tables stand, its mirrors are on and
its rows are copied by then. So the stages that are wanted and were never begun are checked as `plan check` checks them.
A run in which nothing was begun yet is given up by a refusal: the mended plan is another one, and there is nothing to
take back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engine.check import reach
from orchestrator.kernel.errors import RefusedError
from orchestrator.ledger import check_results, runs
from orchestrator.ledger import phases as ledger_phases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.engine.check.check import PlanCheck
    from orchestrator.engine.session import Session
    from orchestrator.plan.model import Stage


def require(session: Session, wanted: Sequence[Stage]) -> None:
    """Raise RefusedError with everything that stops the wanted stages."""
    begun = {found.stage for found in ledger_phases.every(session.ledger, session.run)}
    new = [stage.stage for stage in wanted if stage.stage not in begun]
    # Asked each time: somebody may have been let in while the plan is on its way.
    words = reach.complaints(session.conn, session.plan.model)
    if new and not words:
        from orchestrator.engine.check.check import chain, check  # noqa: PLC0415 - most phases find their stage begun

        stages = {name for stage in new for name in chain(session.plan, stage)}
        session.bus.emit("plan.checking", plan=session.plan.name, stages=", ".join(sorted(stages)))
        found = check(session.dsn, session.plan, stages, bus=session.bus)
        words = list(_problems(found))
        for stage in new:
            answers = [each.answer for each in found.checks if each.stage == stage]
            check_results.record(session.ledger, session.run, stage, answers)
    if not words:
        return
    if not begun:
        runs.move(session.ledger, session.run, "abandoned", reason=f"the plan does not fit: {words[0]}")
    raise RefusedError(
        f"Plan {session.plan.name} does not fit this database: {'; '.join(words).rstrip('.')}.",
        kept="Nothing was changed.",
        todo="Mend the plan or the database; `changeover plan check` shows what the plan finds here.",
    )


def _problems(answer: PlanCheck) -> Iterator[str]:
    for mapping in answer.mappings:
        yield from (f"stage {mapping.stage}, mapping {mapping.mapping}: {words}" for words in mapping.problems)
        for source in mapping.sources:
            yield from (f"stage {mapping.stage}, {source.table}: {words}" for words in source.problems)
    yield from answer.problems
    yield from (f"stage {c.stage}, {c.words}" for c in answer.checks if c.answer.binding and not c.answer.ok)
