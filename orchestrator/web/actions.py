"""What can be done from the page: each action calls what the command line's command calls, with the same guards.

An action knows its words, the fields it is about (they come from the page that links to it), those a person fills in,
and what it does. It is carried out in a thread, in the name of who has signed in. The question that the command line
asks before readers of a production database see new tables is a box to be ticked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flags import proposals, store
from flags.errors import SecondPersonError
from flags.stages import Stage
from orchestrator.engine import commands, flag_moves
from orchestrator.engine.session import open_ledger
from orchestrator.jobs import requests
from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.words import counted
from orchestrator.web import moving
from orchestrator.web.action import Action, By
from orchestrator.web.rendering import url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestrator.ledger.control import Request

    Form = Mapping[str, str]

_HEARD_S: Final = 3.0


def _ask(wanted: Request) -> Callable[[By, Form], str]:
    words = {"pause": "is paused", "run": "goes on", "cancel": "ends"}[wanted]

    def do(by: By, form: Form) -> str:
        dsn, plan = by.where.dsn, form["plan"]
        name = requests.known_plan(dsn, by.where.plan(plan))
        answer = requests.ask(dsn, name, wanted, reason=form.get("reason", ""), operator=by.name, patience=_HEARD_S)
        if answer.job is None:
            return f"No job of {name} is running." + (" The next one will begin paused." if wanted == "pause" else "")
        return f"The job {words}." if answer.heard else "The job has not answered yet; it will as soon as it can."

    return do


def _throttle(by: By, form: Form) -> str:
    changes = form.get("changes", "").split()
    reset = form.get("reset") == "yes"
    if not changes and not reset:
        raise UsageError("There is nothing to set.", kept="Nothing was changed.", todo="Write NAME=VALUE.")
    dsn = by.where.dsn
    name = requests.known_plan(dsn, by.where.plan(form["plan"]))
    answer = requests.throttle(
        *(dsn, name, changes, {}), reset=reset, reason=form.get("reason", ""), operator=by.name, patience=_HEARD_S
    )
    return "The job has taken it in." if answer.heard else "It is set; the next job will take it in."


def _approve(by: By, form: Form) -> str:
    role = form.get("role") or None
    commands.gate_approve(
        *(by.where.dsn, by.where.plan(form["plan"]), form["gate"]),
        stage=form["stage"],
        role=role,
        operator=by.name,
        reason=form["reason"],
    )
    return f"Gate {form['gate']} of stage {form['stage']} is approved by {by.name}{f' as {role}' if role else ''}."


def _revoke(by: By, form: Form) -> str:
    gone = commands.gate_revoke(
        *(by.where.dsn, by.where.plan(form["plan"]), form["gate"]),
        stage=form["stage"],
        of=by.name,
        operator=by.name,
        reason=form["reason"],
    )
    return "Your approval is taken back." if gone else "There was no approval of yours."


def _promote(by: By, form: Form) -> str:
    with open_ledger(by.where.dsn, by.name) as ledger:
        try:
            moved = flag_moves.promote(
                *(ledger, form["flag"], store.By(by.name, form.get("reason", "")), _confirming(form)),
                to=_stage(form),
                rollout=_percent(form),
                release=form.get("release") == "yes",
                expected_version=_version(form),
            )
        except SecondPersonError as exc:
            return exc.what  # it is a proposal now: no failure of who proposes
    return f"{moved.flag} is {moved.stage}, {moved.rollout} %."


def _asked_promote(by: By, form: Form) -> str | None:
    with open_ledger(by.where.dsn, by.name) as ledger:
        found = store.get(ledger.conn, form["flag"])
        stage, share = flag_moves.forward(found, _stage(form), _percent(form))
        return flag_moves.question(ledger, found, store.Change(stage, rollout=share))


def _agree(by: By, form: Form) -> str:
    with open_ledger(by.where.dsn, by.name) as ledger:
        moved = flag_moves.agree(ledger, form["flag"], store.By(by.name, form.get("reason", "")), _confirming(form))
    return f"{moved.flag} is {moved.stage}, {moved.rollout} %."


def _asked_agree(by: By, form: Form) -> str | None:
    with open_ledger(by.where.dsn, by.name) as ledger:
        found, waits = store.get(ledger.conn, form["flag"]), proposals.pending(ledger.conn, form["flag"])
        if waits is None:
            return None
        wanted = store.Change(Stage(waits.stage), rollout=waits.rollout, rules=waits.rules)
        return flag_moves.question(ledger, found, wanted)


def _demote(by: By, form: Form) -> str:
    with open_ledger(by.where.dsn, by.name) as ledger:
        moved = flag_moves.demote(ledger, form["flag"], store.By(by.name, form.get("reason", "")))
    return f"{moved.flag} is {moved.stage}, {moved.rollout} %."


def _kill(by: By, form: Form) -> str:
    with open_ledger(by.where.dsn, by.name) as ledger:
        moved = store.kill(ledger.conn, form["flag"], store.By(by.name, form.get("reason", "")))
    return f"{moved.flag} is killed: everybody reads the old tables."


def _replay(by: By, form: Form) -> str:
    ids, filters = _ids(form), {name: form[name] for name in ("plan", "source") if form.get(name)}
    _choice(ids, filters)
    done = commands.rejects_replay(by.where.dsn, ids=ids, **filters, operator=by.name)
    return f"{done.replayed} replayed: {done.drained} migrated, {done.still_rejected} still rejected."


def _waive(by: By, form: Form) -> str:
    ids, filters = _ids(form), {name: form[name] for name in ("plan", "stage", "source") if form.get(name)}
    if ids is None and form.get("of_reason"):
        filters["reject_reason"] = form["of_reason"]
    _choice(ids, filters)
    waived = commands.rejects_waive(
        by.where.dsn,
        ids=ids,
        **filters,
        from_now_on=form.get("from_now_on") == "yes",
        reason=form["reason"],
        operator=by.name,
    )
    return f"{counted(len(waived), 'reject')} waived by {by.name}."


def _choice(ids: list[int] | None, filters: Mapping[str, str]) -> None:
    """Never all by mistake."""
    if ids is None and not filters:
        raise UsageError("No rejects were chosen.", kept="Nothing was changed.", todo="Choose a reason or a row.")


def _ids(form: Form) -> list[int] | None:
    if not form.get("id"):
        return None
    if not form["id"].isdecimal():
        raise UsageError("This is no number of a reject.", kept="Nothing was changed.")
    return [int(form["id"])]


def _stage(form: Form) -> Stage | None:
    given = form.get("to")
    try:
        return Stage(given) if given else None
    except ValueError:
        raise UsageError(f"There is no stage {given!r}.", kept="Nothing was changed.") from None


def _percent(form: Form) -> int | None:
    given = form.get("rollout")
    if not given:
        return None
    if not given.isdecimal():
        raise UsageError("A rollout is 0 to 100 percent.", kept="Nothing was changed.")
    return int(given)


def _version(form: Form) -> int | None:
    given = form.get("version", "")
    return int(given) if given.isdecimal() else None


def _confirming(form: Form) -> flag_moves.Confirm:
    def confirm(question: str) -> None:
        if form.get("confirmed") != "yes":
            raise UsageError(
                "This moves readers of a production database.",
                kept="Nothing was changed.",
                todo=f"Tick the box if it is meant: {question}",
            )

    return confirm


def _to_plan(form: Form) -> str:
    return url("/plan", plan=form["plan"])


def _to_flag(form: Form) -> str:
    return url("/flag", flag=form["flag"])


def _to_rejects(form: Form) -> str:
    return url("/rejects", plan=form.get("plan") or None)


_PLAN: Final[dict[str, Any]] = {"about": ("plan",), "back": _to_plan}
_GATE: Final[dict[str, Any]] = {"about": ("plan", "stage", "gate", "role"), "back": _to_plan, "reason": True}
_FLAG: Final[dict[str, Any]] = {"about": ("flag",), "back": _to_flag}

ACTIONS: Final = {
    "start": Action(
        "Start the plan",
        "It goes on from where it stopped, phase by phase, to the first gate that is not met. Both versions of the "
        "application go on writing.",
        moving.start,
        about=("plan",),
        back=_to_plan,
        asks=("until", "stage", "kind"),
        reason=None,
        question=moving.ask_start,
        asking="I have read this:",
        begins=True,
    ),
    "rollback": Action(
        "Roll the plan back",
        "Phases are taken back, the last one first. No write is lost: the old tables are current as long as the "
        "mirrors are on. Afterwards the catalog is what it was.",
        moving.roll_back,
        about=("plan",),
        back=_to_plan,
        asks=("to_phase", "stage"),
        reason=True,
        danger=True,
        question=moving.ask_back,
        asking="I have read this:",
        begins=True,
    ),
    "pause": Action(
        "Pause the job",
        "It ends the batch in hand and holds. The mirrors stay on. So does the pause, until somebody resumes.",
        _ask("pause"),
        **_PLAN,
    ),
    "resume": Action("Resume the job", "A job that was paused goes on.", _ask("run"), **_PLAN),
    "cancel": Action(
        "Cancel the job",
        "It ends after the batch in hand, with code 5. Nothing is taken back; start goes on from there.",
        _ask("cancel"),
        danger=True,
        **_PLAN,
    ),
    "throttle": Action(
        "Throttle the job",
        "NAME=VALUE, one or more: target_ms, rest, give_way, ceiling_pages, longest_pause_s, limit.PROBE. "
        "rest=3 rests after each batch three times as long as the batch took: a quarter of the speed.",
        _throttle,
        asks=("changes", "reset"),
        **_PLAN,
    ),
    "approve": Action(
        "Approve a gate", "The gate is open in your name, in this run, for the reason you give.", _approve, **_GATE
    ),
    "revoke": Action("Take your approval back", "The gate is as if you had not approved it.", _revoke, **_GATE),
    "promote": Action(
        "Promote the flag",
        "A step forward: more of the readers come to the new tables, or the next stage. It is guarded.",
        _promote,
        about=("flag", "version"),
        back=_to_flag,
        asks=("to", "rollout", "release"),
        question=_asked_promote,
    ),
    "agree": Action(
        "Agree to the move",
        "Somebody else has proposed it; your name makes it.",
        _agree,
        question=_asked_agree,
        **_FLAG,
    ),
    "demote": Action("Demote the flag", "One stage back, for everybody. Always allowed.", _demote, **_FLAG),
    "kill": Action(
        "Kill the flag",
        "Everybody reads the old tables, at once. Nothing comes forward again without a promote that releases it.",
        _kill,
        danger=True,
        **_FLAG,
    ),
    "replay": Action(
        "Replay rejects",
        "The rows are derived again; those that can be migrated now are.",
        _replay,
        about=("plan", "source", "id"),
        back=_to_rejects,
    ),
    "waive": Action(
        "Waive rejects",
        "You answer by name for rows that stay behind; the gate of contract lets them pass.",
        _waive,
        about=("plan", "stage", "source", "of_reason", "id"),
        back=_to_rejects,
        asks=("from_now_on",),
        reason=True,
    ),
}
