"""What each page shows, read from the database in one go: plain values for the templates.

Only questions are asked here, and by the functions that the command line asks by; what changes something is in
`web.actions`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flags import guard, mismatches, proposals, store
from flags.stages import LADDER, Stage, next_step
from orchestrator.engine import commands
from orchestrator.engine.run.lock_waits import lock_waits
from orchestrator.engine.session import open_ledger
from orchestrator.kernel.errors import UsageError
from orchestrator.ledger import events, rejects, verifications
from orchestrator.plan import loader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.engine.results import PlanStatus
    from orchestrator.web.launching import Launcher

ROWS: Final = 50
_EVENTS: Final = 12
_NOTABLE: Final = ("run", "phase", "gate", "job", "verification", "rejects", "reject", "waiver", "rollback", "view")
_BIGINT: Final = re.compile("[0-9]{1,18}")


@dataclass(frozen=True)
class Where:
    """Which database, and where the plans are that are not shipped."""

    dsn: str = field(repr=False)
    folders: Mapping[str, str] = field(default_factory=dict)
    launcher: Launcher | None = None
    """Begins what takes its time; None where the page may not."""

    def plan(self, name: str) -> str:
        """What a command is given for a plan of this name."""
        return self.folders.get(name, name)

    def at_hand(self) -> list[str]:
        """The names of the plans that can be read here."""
        return sorted({*self.folders, *loader.shipped()})


@dataclass(frozen=True)
class Cell:
    """One field of an answer, as both sides gave it."""

    name: str
    old: str
    new: str
    differs: bool


class GoneError(UsageError):
    """There is nothing of this name."""


def overview(where: Where, _query: Mapping[str, str]) -> dict[str, Any]:
    """Every plan and every flag."""
    found = commands.status(where.dsn, folders=where.folders)
    if not found.installed:
        return {"installed": False, "plans": [], "flags": [], "ready": []}
    ready = sorted(set(where.folders) - {each.plan for each in found.plans})
    with open_ledger(where.dsn, "page") as ledger:
        return {"installed": True, "plans": found.plans, "flags": store.every(ledger.conn), "ready": ready}


def plan(where: Where, query: Mapping[str, str]) -> dict[str, Any]:
    """One plan, with what its last comparisons found and what happened last; one that can be begun has no run yet."""
    name = query.get("plan", "")
    found = commands.status(where.dsn, name, folders=where.folders)
    if not found.plans and name in where.folders:
        return {"plan": None, "name": name}
    if not found.plans:
        raise GoneError(f"No plan {name!r} was run here.")
    shown = found.plans[0]
    with open_ledger(where.dsn, "page") as ledger:
        happened = events.history(ledger, events.Which(plan=name, kinds=_NOTABLE), limit=_EVENTS)
        differing = {}
        for stage in shown.stages:
            last = verifications.latest(ledger, name, stage.stage)
            if last is not None and last.differences:
                differing[stage.stage] = [
                    (each, side_by_side(each.expected, each.actual, each.columns))
                    for each in verifications.differences(ledger, last, limit=10)
                ]
    return {"plan": shown, "events": happened[::-1], "differing": differing, "flags": _flags_of(shown)}


def flags(where: Where, _query: Mapping[str, str]) -> dict[str, Any]:
    """Every flag."""
    with open_ledger(where.dsn, "page") as ledger:
        found = store.every(ledger.conn)
        waiting = {each.flag: proposals.pending(ledger.conn, each.flag) for each in found}
        return {"flags": found, "proposals": waiting}


def flag(where: Where, query: Mapping[str, str]) -> dict[str, Any]:
    """One flag: where it is, what shadow reads say, who moved it."""
    name = query.get("flag", "")
    with open_ledger(where.dsn, "page") as ledger:
        known = {each.flag: each for each in store.every(ledger.conn)}
        if name not in known:
            raise GoneError(f"There is no flag {name!r}.")
        found = known[name]
        differing = mismatches.mismatches(ledger.conn, name, limit=20)
        return {
            "flag": found,
            "ladder": LADDER,
            "next": next_step(Stage(found.stage), found.rollout),
            "proposal": proposals.pending(ledger.conn, name),
            "limits": guard.limits_of(ledger.conn, name),
            "readings": mismatches.readings(ledger.conn, name),
            "mismatches": [(each, side_by_side(each.old_value, each.new_value, each.fields)) for each in differing],
            "history": store.history(ledger.conn, name, limit=30)[::-1],
        }


def rejected(where: Where, query: Mapping[str, str]) -> dict[str, Any]:
    """Rejects by reason and table, and the rows of those that were chosen."""
    chosen = {name: query[name] for name in ("plan", "stage", "source", "reason", "state") if query.get(name)}
    asked = query.get("after", "")
    after = int(asked) if _BIGINT.fullmatch(asked) else 0
    which = rejects.Which(
        *(chosen.get("plan"), chosen.get("stage"), chosen.get("source")),
        reason=chosen.get("reason"),
        state=chosen.get("state"),
    )
    with open_ledger(where.dsn, "page") as ledger:
        rows = rejects.every(ledger, which, limit=ROWS + 1, after=after) if chosen.keys() - {"plan"} else []
        counts = rejects.counts(ledger, rejects.Which(plan=chosen.get("plan")))
    waivers = commands.rejects_waivers(where.dsn, plan=chosen.get("plan"))
    return {
        "counts": counts,
        "rows": [(each, pretty(each.row)) for each in rows[:ROWS]],
        "more": rows[ROWS - 1].id if len(rows) > ROWS else None,
        "chosen": chosen,
        "waivers": waivers,
    }


def locks(where: Where, _query: Mapping[str, str]) -> dict[str, Any]:
    """Who waits for whom."""
    return {"waits": lock_waits(where.dsn)}


def history(where: Where, query: Mapping[str, str]) -> dict[str, Any]:
    """Who did what, the last first."""
    name = query.get("plan") or None
    with open_ledger(where.dsn, "page") as ledger:
        found = events.history(ledger, events.Which(plan=name), limit=200)
    return {"events": found[::-1], "name": name}


def side_by_side(old: Any, new: Any, fields: list[str]) -> list[Cell]:
    """Two answers field by field; what is no object is one field without a name."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [Cell("", pretty(old), pretty(new), differs=True)]
    names = [*fields, *(name for name in (*old, *new) if name not in fields)]
    return [
        Cell(name, pretty(old.get(name)), pretty(new.get(name)), differs=name in fields)
        for name in dict.fromkeys(names)
        if name in old or name in new
    ]


def pretty(value: Any) -> str:
    """A value as JSON for people; a text as it is."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _flags_of(shown: PlanStatus) -> dict[str, dict[str, Any]]:
    return {stage.stage: stage.flag for stage in shown.stages if stage.flag is not None}
