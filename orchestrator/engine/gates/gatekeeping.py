"""The commands of `changeover gate`: the gates as they are, and a person's yes to a control, or its end."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from orchestrator.engine import plans
from orchestrator.engine.gates import controls, gates
from orchestrator.engine.session import mark, open_ledger
from orchestrator.kernel.errors import RefusedError, UsageError
from orchestrator.ledger import approvals, events, runs

if TYPE_CHECKING:
    from orchestrator.ledger.runs import Run
    from orchestrator.ledger.store import Ledger
    from orchestrator.plan.controls import Control
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage

_EVENTS = 50


def gate_list(dsn: str, plan_name: str, stage: str | None = None) -> list[dict[str, Any]]:
    """Every gate of the stages that have a contract, with its answer; of the run at hand."""
    plan = plans.find(dsn, plan_name)
    wanted = [plan.stage(stage)] if stage is not None else plan.model.stages
    with open_ledger(dsn, "gates") as ledger:
        run = _run(ledger, plan)
        return [
            {"stage": each.stage, **asdict(gate)} for each in wanted for gate in gates.status(ledger, plan, run, each)
        ]


def gate_explain(dsn: str, plan_name: str, gate: str, stage: str | None = None) -> list[dict[str, Any]]:
    """One gate, of each stage that has it: its answer, what the plan asks for, who has said what and when."""
    plan = plans.find(dsn, plan_name)
    found = [each for each in gate_list(dsn, plan_name, stage) if each["gate"] == gate]
    if not found:
        known = sorted({each["gate"] for each in gate_list(dsn, plan_name, stage)})
        raise UsageError(
            f"Plan {plan.name} has no gate {gate!r}{f' in stage {stage}' if stage else ''}.",
            kept="Nothing was changed.",
            todo=f"Its gates are: {', '.join(known) or 'none, for it has no contract'}.",
        )
    with open_ledger(dsn, "gates") as ledger:
        run = _run(ledger, plan)
        return [{**each, **_told(ledger, plan, run, each["stage"], gate)} for each in found]


def _told(ledger: Ledger, plan: LoadedPlan, run: Run, stage: str, gate: str) -> dict[str, Any]:
    control = next((each for each in plan.stage(stage).all_controls if each.control == gate), None)
    said = [each for each in approvals.every(ledger, run, stage) if each.control == gate]
    history = events.history(ledger, events.Which(plan.name, stage, ["gate"]), limit=_EVENTS)
    return {
        "asks": None if control is None else control.model_dump(exclude_none=True),
        "approvals": [asdict(each) for each in said],
        "history": [each.as_json() for each in history if each.detail.get("gate", gate) == gate],
    }


def gate_approve(
    dsn: str,
    plan_name: str | LoadedPlan,
    control: str,
    *,
    stage: str | None,
    role: str | None,
    operator: str,
    reason: str,
) -> dict[str, str]:
    """Say yes to a control, in the run at hand; what was stored."""
    plan = plans.find(dsn, plan_name)
    where, what = _find(plan, control, stage)
    as_role = _role(what, role)
    if not controls.may_answer(what, as_role, operator):
        raise RefusedError(
            f"{operator} may not answer for control {control} as {as_role}.",
            kept="Nothing was changed.",
            todo=f"The plan names for it: {', '.join(what.validators[as_role])}.",
        )
    with open_ledger(dsn, operator) as ledger, ledger.transaction():
        run = _current(ledger, plan)
        answered = controls.roles_of(approvals.every(ledger, run, where.stage))
        before = answered.get(operator.strip().casefold(), as_role)
        if as_role and before != as_role:
            raise RefusedError(
                f"{operator} answers as {before} in stage {where.stage} already: one person is not two roles.",
                kept="Nothing was changed.",
                todo=f"Somebody else answers as {as_role}, or `changeover gate revoke` takes the other approval back.",
            )
        subject = approvals.Subject(run, where.stage, control)
        approvals.approve(ledger, subject, by=operator, role=as_role, reason=reason)
    return {
        "plan": plan.name,
        "stage": where.stage,
        "gate": control,
        "role": as_role,
        "approved_by": operator,
        "reason": reason,
    }


def gate_revoke(
    dsn: str, plan_name: str, control: str, *, stage: str | None, of: str, operator: str, reason: str
) -> bool:
    """Take somebody's approval back; False if there was none."""
    plan = plans.find(dsn, plan_name)
    where, _ = _find(plan, control, stage)
    with open_ledger(dsn, operator) as ledger:
        subject = approvals.Subject(_current(ledger, plan), where.stage, control)
        return approvals.revoke(ledger, subject, by=of, reason=reason)


def _find(plan: LoadedPlan, name: str, stage: str | None) -> tuple[Stage, Control]:
    """The control of that name; its stage, where only one has it."""
    wanted = [plan.stage(stage)] if stage is not None else plan.model.stages
    found = [(each, control) for each in wanted for control in each.all_controls if control.control == name]
    if len(found) == 1 and found[0][1].rehearsed is None:
        return found[0]
    if found and found[0][1].rehearsed is not None:
        raise UsageError(
            f"Control {name} is measured: nobody approves it.",
            kept="Nothing was changed.",
            todo=f"`changeover gate explain {plan.argument} {name}` says what it waits for.",
        )
    known = ", ".join(f"{c.control} ({s.stage})" for s in wanted for c in s.all_controls if c.rehearsed is None)
    raise UsageError(
        f"{len(found)} stages have a control {name!r}."
        if found
        else f"There is no control {name!r} that wants a person.",
        kept="Nothing was changed.",
        todo="Name one with --stage." if found else f"Controls that do: {known or 'none in this plan'}.",
    )


def _role(control: Control, given: str | None) -> str:
    """The role in which somebody answers."""
    if given is not None and given not in control.wanted:
        raise UsageError(
            f"Control {control.control} does not ask for role {given!r}.",
            kept="Nothing was changed.",
            todo=f"It asks for: {', '.join(control.validators) or 'no role; leave --as out'}.",
        )
    if given is None and len(control.wanted) > 1:
        raise UsageError(
            f"Control {control.control} asks for several roles.",
            kept="Nothing was changed.",
            todo=f"Say as whom: --as {' or --as '.join(control.wanted)}.",
        )
    return control.wanted[0] if given is None else given


def _run(ledger: Ledger, plan: LoadedPlan) -> Run:
    run = runs.latest(ledger, plan.name)
    if run is None:
        raise _no_run(plan)
    return run


def _current(ledger: Ledger, plan: LoadedPlan) -> Run:
    """The run of this very plan."""
    run = runs.current(ledger, plan.name)
    if run is None:
        raise _no_run(plan)
    runs.check_drift(run, mark(plan))
    return run


def _no_run(plan: LoadedPlan) -> RefusedError:
    return RefusedError(
        f"Plan {plan.name} has no run; gates and approvals belong to one.",
        kept="Nothing was changed.",
        todo="`changeover status` shows what there is; `changeover start PLAN` begins a run.",
    )
