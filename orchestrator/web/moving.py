"""Starting a plan and rolling it back from the page: the command that is begun, and what must be read first.

The question names what a person would lose or move, as the ledger has it at that moment. The form sends back a digest
of what was read; where the plan has moved meanwhile, or another phase was chosen, the new words are to be read first.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from orchestrator.engine import commands
from orchestrator.kernel.errors import RefusedError, UsageError
from orchestrator.plan.created import created
from phases.registry import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from orchestrator.web.action import By

    Form = Mapping[str, str]

_KINDS: Final = ("", "cutover", "rehearsal")
DEFAULT_UNTIL: Final = "verify"
"""Where a start stops unless another phase is chosen: the last phase that moves nobody's reads or old tables."""


def start(by: By, form: Form) -> str:
    """Begin `changeover start`."""
    plan, stage = _plan(by, form), _stage(by, form)
    until, kind = form.get("until", DEFAULT_UNTIL), form.get("kind", "")
    if kind not in _KINDS:
        raise UsageError(f"There is no kind {kind!r} of a run.", kept="Nothing was changed.")
    question = ask_start(by, form)
    if question is not None:
        _require(form, question)
    options = {"--until": until, "--stage": stage, "--kind": kind}
    return _begin(by, plan, ["start", by.where.plan(plan.name), *_given(options)])


def ask_start(by: By, form: Form) -> str | None:
    """What contract does to which tables, where the start may come so far."""
    plan, stage, until = _plan(by, form), _stage(by, form), form.get("until", DEFAULT_UNTIL)
    last = tuple(PHASES)[-1]
    commands.check_names(by.where.dsn, plan, stage or None, until or None)
    stages = [each for each in _stages(plan, stage) if each.contract is not None]
    if until not in {"", last} or not stages:
        return None
    names = _listed(each.stage for each in stages)
    return (
        f"contract moves the old tables of {names} to schema archive; their names become views of them. A rollback "
        "brings them back until they are retired."
    )


def roll_back(by: By, form: Form) -> str:
    """Begin `changeover rollback`."""
    plan, stage = _plan(by, form), _stage(by, form)
    question = ask_back(by, form)
    if question is None:
        raise RefusedError("Nothing of that is left to take back.", kept="Nothing was changed.")
    _require(form, question)
    options = {"--stage": stage, "--to": form.get("to_phase", ""), "--reason": form["reason"]}
    return _begin(by, plan, ["rollback", "--plan", by.where.plan(plan.name), "--yes", *_given(options)])


def ask_back(by: By, form: Form) -> str | None:
    """Which phases go, which tables with them, and whose reads move; None where there is nothing to take back."""
    plan, stage = _plan(by, form), _stage(by, form)
    ahead = commands.rollback_outline(by.where.dsn, plan, stage=stage or None, to=form.get("to_phase") or None)
    if not ahead.phases:
        return None
    by_stage: dict[str, list[str]] = {}
    for name, phase in ahead.phases:
        by_stage.setdefault(name, []).append(phase)
    words = [f"it takes back {'; '.join(f'{_listed(phases)} of {name}' for name, phases in by_stage.items())}."]
    gone = [table for name, phase in ahead.phases if phase == "expand" for table in _new_tables(plan, name)]
    if gone:
        words.append(
            f"Dropped with all that is in them: {_listed(gone)}. "
            "Rows that the old schema cannot hold go to schema archive."
        )
    if ahead.flags:
        words.append(f"Their readers go back to the old tables first: {_listed(map(str, ahead.flags))}.")
    return " ".join(words)


def digest(question: str | None) -> str:
    """What tells one question from another."""
    return hashlib.sha256((question or "").encode()).hexdigest()[:16]


def stages_of(by: By, form: Form) -> list[str]:
    """The names of the plan's stages, to choose from."""
    return [each.stage for each in _plan(by, form).model.stages]


def _plan(by: By, form: Form) -> LoadedPlan:
    """The plan of this name, shipped or in a folder that the server was given; no other path is looked at."""
    name = form["plan"]
    if name not in by.where.at_hand():
        raise UsageError(
            f"The page does not know where plan {name!r} lies.",
            kept="Nothing was changed.",
            todo="Start `changeover serve` with --plan FOLDER.",
        )
    return commands.open_plan(by.where.plan(name), by.where.dsn)


def _stage(by: By, form: Form) -> str:
    stage = form.get("stage", "")
    if stage:
        _plan(by, form).stage(stage)
    return stage


def _stages(plan: LoadedPlan, stage: str) -> list[Stage]:
    return [plan.stage(stage)] if stage else list(plan.model.stages)


def _new_tables(plan: LoadedPlan, stage: str) -> list[str]:
    return sorted(created(text for _, text in plan.statements(plan.stage(stage).expand)))


def _require(form: Form, question: str) -> None:
    if form.get("seen") != digest(question):
        raise UsageError(
            "What this would do is not what you have read.",
            kept="Nothing was changed.",
            todo="Read it again, and tick the box if it is meant.",
        )
    if form.get("confirmed") != "yes":
        raise UsageError("This must be confirmed.", kept="Nothing was changed.", todo="Tick the box if it is meant.")


def _begin(by: By, plan: LoadedPlan, arguments: list[str]) -> str:
    if by.where.launcher is None:
        raise RefusedError(
            "This page begins no jobs.", kept="Nothing was changed.", todo="See `changeover serve --jobs`."
        )
    done = by.where.launcher.begin(plan.name, arguments, by.name, by.tell)
    return "It is done." if done else f"It has begun, in the name of {by.name}; here you see how it goes."


def _given(options: Mapping[str, str]) -> list[str]:
    # One word each: a reason may begin with a dash.
    return [f"{name}={value}" for name, value in options.items() if value]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
