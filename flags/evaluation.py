"""The answer to one question: which side does this caller read, and why?

The reasons are OpenFeature's words, the only ones its clients accept. An answer carries the stage as its variant: an
application that also makes shadow reads needs more than a boolean.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from .stages import EVERYBODY, LADDER, Stage, effective, rank, within

if TYPE_CHECKING:
    from .rules import Context, Rule

_BEFORE = {stage: LADDER[max(rank(stage) - 1, 0)] for stage in LADDER}


class Reason(StrEnum):
    """Why it is this answer."""

    STATIC = "STATIC"  # it is the same for everybody, or the environment says so
    SPLIT = "SPLIT"  # by the bucket of the targeting key
    TARGETING_MATCH = "TARGETING_MATCH"  # by a rule
    DEFAULT = "DEFAULT"  # the flag is not known


@dataclass(frozen=True, slots=True)
class Known:
    """One flag as it was last read."""

    version: int
    stage: Stage
    rollout: int
    rules: tuple[Rule, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What to read, and what to say about it."""

    new: bool
    variant: str
    reason: Reason
    version: int = 0
    stage: Stage | None = None
    rule: str | None = None
    overridden: bool = False

    def metadata(self) -> dict[str, bool | int | str]:
        """What goes along with the value to OpenFeature's clients."""
        said: dict[str, bool | int | str] = {"version": self.version}
        if self.rule is not None:
            said["rule"] = self.rule
        if self.overridden:
            said["override"] = "environment"
        return said


def stage_of(known: Known, flag: str, key: str | None, context: Context) -> Stage:
    """The stage that counts for this caller."""
    for rule in known.rules:
        if rule.matches(key, context):
            return effective(known.stage, rule.rollout, flag, key)
    return effective(known.stage, known.rollout, flag, key)


def explain(known: Known, flag: str, key: str | None, context: Context) -> tuple[Stage, Reason, str | None]:
    """The same, with its reason and the rule that decided."""
    rule = next((rule for rule in known.rules if rule.matches(key, context)), None)
    rollout = known.rollout if rule is None else rule.rollout
    if known.stage is Stage.OFF:
        return known.stage, Reason.STATIC, None
    if rule is not None:
        reason = Reason.TARGETING_MATCH
    else:
        reason = Reason.STATIC if rollout >= EVERYBODY and not known.rules else Reason.SPLIT
    inside = within(flag, key, rollout)
    return known.stage if inside else _BEFORE[known.stage], reason, None if rule is None else rule.name
