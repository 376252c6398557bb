"""What an operator may do to a flag: the steps that a plan's flag keeps to, and the rules that are rules."""

from __future__ import annotations

import json
from typing import Any

from flags.errors import FlagMoveError, FlagRulesError
from flags.rules import RuleError, parse
from flags.stages import EVERYBODY, FORWARD, Stage, rank


def check_move(flag: str, start: tuple[Stage, int], end: Stage, *, planned: bool) -> None:
    """Raise FlagMoveError unless the flag may go from (stage, rollout) to the other stage.

    A flag that belongs to no plan has no steps to keep to. One that does goes forward a step at a time, and leaves
    `live` forward only when everybody is there: the rest would jump from the old tables past every look.
    """
    stage, rollout = start
    if not planned or rank(end) <= rank(stage):
        return
    steps = [move.end for move in FORWARD if move.start is stage]
    if end not in steps:
        raise FlagMoveError(
            f"Flag {flag} cannot go from {stage} to {end} at once.",
            kept="Nothing was changed.",
            todo=f"From {stage} the way forward is: {', '.join(steps)}.",
        )
    if stage is Stage.LIVE and rollout < EVERYBODY:
        raise FlagMoveError(
            f"Flag {flag} is live for {rollout} % only and cannot go to {end}.",
            kept="Nothing was changed.",
            todo="Raise the rollout to 100 first.",
        )


def check_rules(rules: Any) -> None:
    """Raise FlagRulesError unless these are targeting rules."""
    try:
        parse(rules)
    except RuleError as exc:
        raise FlagRulesError(str(exc)) from exc


def read_rules(text: str) -> list[dict[str, Any]]:
    """Rules as somebody wrote them in JSON, checked."""
    try:
        rules = json.loads(text)
    except ValueError as exc:
        raise FlagRulesError(f"they are no JSON ({exc})") from exc
    check_rules(rules)
    return list(rules)
