"""Controls, decided: what people have said of a stage, and whether that is enough. Pure functions of what was measured.

An approval counts when it was given under the checksum at hand, by somebody who may answer in the role, and, for a
backup, not too long ago. A person answers in one role of a stage: in the one that was given first. So two roles are two
people, also where somebody has written the ledger by hand.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.engine.results import GateStatus
from orchestrator.kernel.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from orchestrator.ledger.approvals import Approval
    from orchestrator.ledger.rehearsals import Rehearsal
    from orchestrator.plan.controls import Control, Rehearsed

_DAY_S = 86_400
_HOUR_S = 3_600


@dataclass(frozen=True)
class Said:
    """What is known of a stage's controls."""

    plan: str
    stage: str
    checksum: str
    now: datetime
    approvals: Sequence[Approval] = ()
    rehearsal: Rehearsal | None = None
    """The last one of the plan."""
    same: Rehearsal | None = None
    """The last one of this very checksum."""


def decide(control: Control, said: Said) -> GateStatus:
    """One control."""
    if control.rehearsed is not None:
        met, words, todo = _rehearsed(control.rehearsed, said)
    else:
        met, words, todo = _answered(control, said)
    roles = () if control.rehearsed is not None else tuple(control.wanted)
    todo = "" if met else todo
    return GateStatus(control.control, met=met, words=words, todo=todo, critical=control.critical, roles=roles)


def roles_of(approvals: Sequence[Approval]) -> dict[str, str]:
    """Person: the role in which he answers, the one that was given first."""
    found: dict[str, str] = {}
    for each in approvals:
        if each.role:
            found.setdefault(each.person, each.role)
    return found


def _answered(control: Control, said: Said) -> tuple[bool, str, str]:
    counting: dict[str, list[Approval]] = defaultdict(list)
    refused: list[str] = []
    for each in said.approvals:
        if each.control == control.control:
            why = _why_not(control, each, said)
            if why:
                refused.append(f"the approval of {each.words} does not count: {why}")
            else:
                counting[each.role].append(each)
    told = [*(_role_words(role, counting[role], control.people) for role in control.wanted), *refused]
    missing = [role for role in control.wanted if len(counting[role]) < control.people]
    todo = "; ".join(_todo(control, role, said) for role in missing)
    return not missing, "; ".join(told), f"{todo}." if todo else ""


def _why_not(control: Control, given: Approval, said: Said) -> str:
    if given.checksum != said.checksum:
        return f"it is of another version of the plan (checksum {given.checksum[:12]})"
    if given.role not in control.wanted:
        return f"{given.role or 'no role'} is not asked"
    if not may_answer(control, given.role, given.approved_by):
        return f"the plan does not name {given.approved_by} for {given.role}"
    if given.role and roles_of(said.approvals).get(given.person) != given.role:
        return f"{given.approved_by} answers as {roles_of(said.approvals)[given.person]} already"
    if control.lasts is not None and (age := said.now - given.created_at) > control.lasts:
        return f"it is {_hours(age)} hours old, and {_hours(control.lasts)} is the most"
    return ""


def may_answer(control: Control, role: str, person: str) -> bool:
    """Whether somebody may answer in a role: everybody where nobody is named."""
    names = control.validators.get(role, [])
    return not names or person.strip().casefold() in {name.strip().casefold() for name in names}


def _role_words(role: str, given: Sequence[Approval], people: int) -> str:
    who = "".join(f"; {each.words}" for each in given)
    count = f"{len(given)} of {counted(people, 'approval')}"
    return f"{role}: {count}{who}" if role else f"{count}{who}"


def _todo(control: Control, role: str, said: Said) -> str:
    names = control.validators.get(role, [])
    who = f"One of {', '.join(names)}" if names else "Somebody who may decide this"
    what = "confirms that there is a backup" if control.backup is not None else "says so"
    as_role = f" --as {role}" if role else ""
    command = f"changeover gate approve {said.plan} {control.control} --stage {said.stage}{as_role} --reason …"
    return f"{who} {what}: `{command}`"


def _rehearsed(wanted: Rehearsed, said: Said) -> tuple[bool, str, str]:
    todo = f"`changeover rehearse {said.plan} --on DSN_OF_A_COPY --to FILE`, then `changeover rehearsal import FILE`."
    found = said.same if wanted.same_checksum else said.rehearsal
    if found is None:
        other = "" if said.rehearsal is None else f"; the last one is of checksum {said.rehearsal.checksum[:12]}"
        return False, f"no rehearsal of this plan is registered{other}", todo
    days = (said.now - found.rehearsed_at).total_seconds() / _DAY_S
    words = f"rehearsed {days:.1f} days ago, at most {wanted.within_days:g} are allowed"
    problems = found.document.get("problems") or []
    if problems:
        return False, f"{words}; it ended with {problems[0]}", todo
    return days <= wanted.within_days, words, todo


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / _HOUR_S:.1f}"


def unmet(statuses: Sequence[GateStatus]) -> Iterator[GateStatus]:
    """Those that contract waits for."""
    return (each for each in statuses if each.critical and not each.met)
