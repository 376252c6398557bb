"""Before the first statement of a stage: does it fit this database, with all that has to come before it?

What is wrong with the last stage is better known before the first one has run: its tables stand, its mirrors are on and
its rows are copied by then. So the stages that are wanted and were never begun are checked as `plan check` checks them.
A plan that has no run is checked before it gets one, so that a refusal leaves nothing behind. A run in which nothing
was begun, as its runner was killed, is given up by a refusal: the mended plan is another one, and there is nothing to
take back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engine.check import reach
from orchestrator.engine.session import open_ledger
from orchestrator.kernel.errors import RefusedError
from orchestrator.ledger import check_results, runs
from orchestrator.ledger import phases as ledger_phases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.engine.check.check import PlanCheck
    from orchestrator.engine.session import Session
    from orchestrator.kernel.events import Bus
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage


Answers = dict[str, list["check_results.Answer"]]
"""What the checks of each stage have answered."""


def before_a_run(dsn: str, plan: LoadedPlan, wanted: Sequence[Stage], *, operator: str, bus: Bus) -> Answers:
    """Check a plan that has no run yet; nothing is known of one that has. Raises RefusedError before a run begins."""
    with open_ledger(dsn, operator) as ledger:
        if runs.current(ledger, plan.name) is not None:
            return {}
        words = list(reach.complaints(ledger.conn, plan.model))
    answers: Answers = {}
    if not words:
        words, answers = _look(dsn, plan, [stage.stage for stage in wanted], bus)
    if words:
        raise _unfit(plan, words)
    return answers


def require(session: Session, wanted: Sequence[Stage], known: Answers) -> None:
    """Raise RefusedError with everything that stops the wanted stages; `known` was found before the run began."""
    begun = {found.stage for found in ledger_phases.every(session.ledger, session.run)}
    new = [stage.stage for stage in wanted if stage.stage not in begun and stage.stage not in known]
    # Asked each time: somebody may have been let in while the plan is on its way.
    words = list(reach.complaints(session.conn, session.plan.model))
    answers = known
    if new and not words:
        words, found = _look(session.dsn, session.plan, new, session.bus)
        answers = {**known, **found}
    for stage, given in answers.items():
        check_results.record(session.ledger, session.run, stage, given)
    if not words:
        return
    if not begun:
        runs.move(session.ledger, session.run, "abandoned", reason=f"the plan does not fit: {words[0]}")
    raise _unfit(session.plan, words)


def _look(dsn: str, plan: LoadedPlan, stages: Sequence[str], bus: Bus) -> tuple[list[str], Answers]:
    """What stops these stages and those before them, in words, and what their checks have answered."""
    from orchestrator.engine.check.check import chain, check  # noqa: PLC0415 - most phases find their stage begun

    every = {name for stage in stages for name in chain(plan, stage)}
    bus.emit("plan.checking", plan=plan.name, stages=", ".join(s.stage for s in plan.model.stages if s.stage in every))
    found = check(dsn, plan, every, bus=bus)
    return list(_problems(found)), {s: [each.answer for each in found.checks if each.stage == s] for s in stages}


def _unfit(plan: LoadedPlan, words: Sequence[str]) -> RefusedError:
    return RefusedError(
        f"Plan {plan.name} does not fit this database: {'; '.join(words).rstrip('.')}.",
        kept="Nothing was changed.",
        todo="Mend the plan or the database; `changeover plan check` shows what the plan finds here.",
    )


def _problems(answer: PlanCheck) -> Iterator[str]:
    """What stops the plan. A typo is one problem, however many mappings read the table."""
    where: dict[tuple[str, str], list[str]] = {}
    for mapping in answer.mappings:
        for words in mapping.problems:
            where.setdefault((mapping.stage, words), []).append(f"mapping {mapping.mapping}")
        for source in mapping.sources:
            for words in source.problems:
                where.setdefault((mapping.stage, words), []).append(source.table)
    for (stage, words), names in where.items():
        yield f"stage {stage}, {', '.join(dict.fromkeys(names))}: {words.rstrip('.')}"
    yield from answer.problems
    yield from (f"stage {c.stage}, {c.words}" for c in answer.checks if c.answer.binding and not c.answer.ok)
