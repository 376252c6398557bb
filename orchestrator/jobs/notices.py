"""What is worth telling somebody who is not looking: pure functions from what the ledger says to notices.

Events tell what has happened (a phase that ended, drift that was met, a flag that the guard took back); states tell
what has come to be (a gate that a plan waits at, rejects that grow), and are told once, until they change.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel.visible import visible
from orchestrator.kernel.words import counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flags.store import Entry as FlagEntry
    from orchestrator.engine.results import PlanStatus
    from orchestrator.ledger.events import Entry

KINDS: Final = ("gate.waiting", "phase.done", "phase.failed", "flag.retreated", "rejects.growing", "drift.found")
_MORE: Final = 10
"""So many more, at least: a few rejects that trickle in are no news each."""
EVENTS: Final = ("phase.done", "phase.failed", "drift.found")
"""The kinds that are events of the ledger."""


@dataclass(frozen=True)
class Notice:
    """One thing to tell."""

    id: str
    """The same for the same thing, whoever tells it."""
    kind: str
    text: str
    at: str | None = None
    plan: str | None = None
    stage: str | None = None
    phase: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The body of a webhook; `text` is what Slack and its likes show."""
        return {
            "text": slack(self.text),
            "id": self.id,
            "kind": self.kind,
            "at": self.at,
            "plan": self.plan,
            "stage": self.stage,
            "phase": self.phase,
            "detail": self.detail,
        }


def slack(text: str) -> str:
    """Text that Slack shows and does not obey: `<!channel>` in somebody's reason calls nobody."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def of_event(event: Entry) -> Notice | None:
    """A notice of an event of the ledger, if it is worth one."""
    where, detail = f"{event.plan}, {event.stage}", event.detail
    match event.kind:
        case "phase.done":
            seconds = detail.get("seconds")
            took = f" in {duration(seconds)}" if isinstance(seconds, int | float) else ""
            text = f"{where}: {event.phase} is done{took}."
        case "phase.failed" if detail.get("back"):
            return None
        case "phase.failed":
            text = f"{where}: {event.phase} failed: {detail.get('error') or 'no reason was recorded'}"
        case "drift.found":
            text = f"{event.plan}: drift: {detail.get('what', '')}"
        case _:
            return None
    at = event.at.isoformat()
    return Notice(f"event-{event.id}", event.kind, text, at, event.plan, event.stage, event.phase, detail)


def of_flag(entry: FlagEntry) -> Notice | None:
    """The guard has taken a flag back."""
    if entry.actor != "guard":
        return None
    text = f"The guard took flag {entry.flag} back from {entry.was_stage} to {entry.stage}: {entry.reason or ''}"
    detail = {"flag": entry.flag, "from": entry.was_stage, "to": entry.stage, "reason": entry.reason}
    return Notice(f"flag-{entry.id}", "flag.retreated", text, entry.at.isoformat(), detail=detail)


def of_gates(plans: Iterable[PlanStatus], told: Mapping[str, str]) -> tuple[list[Notice], dict[str, str]]:
    """Plans that wait at gates, where that is not told yet; and what is told then, by plan.

    What was told stays told until another gate is met or not, however often the plan is tried meanwhile.
    """
    notices, now = [], {}
    for plan in plans:
        gates = [(stage.stage, gate) for stage in plan.stages for gate in stage.gates]
        unmet = sorted(f"{stage}/{gate.gate}" for stage, gate in gates if gate.critical and not gate.met)
        before = told.get(plan.plan)
        if plan.waiting is not None and plan.waiting.state == "gate":
            now[plan.plan] = state = f"{plan.run_id}:{','.join(unmet)}"
            if before != state:
                text = f"{plan.plan} waits: {plan.waiting.words}. {plan.waiting.todo}"
                detail = {"gates": unmet, "todo": plan.waiting.todo}
                notices.append(Notice(f"gate-{state}", "gate.waiting", text, plan=plan.plan, detail=detail))
        elif before is not None and plan.state == "active" and (unmet or not gates):
            now[plan.plan] = before
    return notices, now


def of_rejects(open_now: Mapping[str, int], told: Mapping[str, int]) -> tuple[list[Notice], dict[str, int]]:
    """Reasons whose open rejects are new, or twice as many as when told last, and ten more; and what is told then.

    The keys are plan, stage and reason, as JSON. A reason whose rejects were mended is told anew when it comes back.
    """
    notices, now = [], {}
    for key, rows in open_now.items():
        before = told.get(key, 0)
        now[key] = before
        if rows == 0:
            now[key] = 0
        elif not before or rows >= max(2 * before, before + _MORE):
            plan, stage, reason = json.loads(key)
            now[key] = rows
            more = f", {before:,} when it was told last" if before else ""
            text = f"{plan}, {stage}: {counted(rows, 'reject')} open for {reason}{more}."
            detail = {"reason": reason, "open": rows, "before": before}
            notices.append(
                Notice(f"rejects-{key}-{rows}", "rejects.growing", text, plan=plan, stage=stage, detail=detail)
            )
    return notices, {key: rows for key, rows in now.items() if rows}
