"""Targeting rules: whose percentage it is, by what the application knows about the caller.

A flag's rules are a JSON array; the first that matches gives the percentage that counts for this caller, in the place
of the flag's own. A rule never changes the stage, so it cannot lead anybody past a gate.

    [{"name": "pilots", "if": {"scorecard": ["sc-1", "sc-2"], "tenant": "acme"}, "rollout": 100},
     {"name": "not yet", "if": {"email": {"suffix": "@big.example"}}, "rollout": 0}]

All conditions of an `if` must hold. A condition is a value, a list of values (one of them), or `not` (none of them),
`prefix`, `suffix` in an object. The attribute `targetingKey` is the targeting key. An attribute that is missing, null
or no plain value matches nothing, `not` included: who is unknown is nobody's target. Numbers are compared as numbers,
and `true` is not 1.

`changeover.flag_rule_matches` says the same in SQL, `changeover.flag_rules_wrong` refuses what is no rule; a property
test compares both with this module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MOST_BYTES: Final = 6000
"""Every client holds all rules in memory and reads them with each snapshot."""
TARGETING_KEY: Final = "targetingKey"
_OPERATORS: Final = frozenset({"not", "prefix", "suffix"})
_KEYS: Final = frozenset({"name", "if", "rollout"})

Context = Mapping[str, Any]
Condition = Callable[[Any], bool]


class RuleError(ValueError):
    """Rules that are not understood."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; equal if it was written alike."""

    name: str
    rollout: int
    written: str
    conditions: tuple[tuple[str, Condition], ...] = field(compare=False)

    def matches(self, key: str | None, context: Context) -> bool:
        """Do all its conditions hold?"""
        for attribute, holds in self.conditions:
            value = key if attribute == TARGETING_KEY else context.get(attribute)
            if not isinstance(value, str | int | float) or not holds(value):
                return False
        return True


def parse(rules: Any) -> tuple[Rule, ...]:
    """Read rules as JSON gives them; raises RuleError."""
    if not isinstance(rules, list):
        raise RuleError("they are no list")
    if len(json.dumps(rules, ensure_ascii=False).encode()) > MOST_BYTES:
        raise RuleError(f"they take more than {MOST_BYTES} bytes")
    return tuple(_rule(rule, number) for number, rule in enumerate(rules, start=1))


def _rule(rule: Any, number: int) -> Rule:
    if not isinstance(rule, dict) or not rule.keys() <= _KEYS:
        raise RuleError(f"rule {number} is no object of name, if and rollout")
    name, rollout, conditions = rule.get("name", ""), rule.get("rollout", 100), rule.get("if", {})
    if not isinstance(name, str):
        raise RuleError(f"the name of rule {number} is no text")
    if isinstance(rollout, bool) or not isinstance(rollout, int) or not 0 <= rollout <= 100:  # noqa: PLR2004 - percent
        raise RuleError(f"the rollout of rule {number} is no whole number from 0 to 100")
    if not isinstance(conditions, dict):
        raise RuleError(f"the if of rule {number} is no object")
    made = tuple((attribute, _condition(value, number)) for attribute, value in conditions.items())
    return Rule(name, rollout, json.dumps(rule, sort_keys=True), made)


def _condition(wanted: Any, number: int) -> Condition:
    if isinstance(wanted, list):
        return _one_of(wanted, number)
    if not isinstance(wanted, dict):
        return _one_of([wanted], number)
    if not wanted or not wanted.keys() <= _OPERATORS:
        raise RuleError(f"rule {number} knows not, prefix and suffix only")
    parts = [_operator(operator, operand, number) for operator, operand in wanted.items()]
    return lambda value: all(part(value) for part in parts)


def _operator(operator: str, operand: Any, number: int) -> Condition:
    if operator == "not":
        any_of = _one_of(operand if isinstance(operand, list) else [operand], number)
        return lambda value: not any_of(value)
    if not isinstance(operand, str):
        raise RuleError(f"the {operator} of rule {number} is no text")
    if operator == "prefix":
        return lambda value: isinstance(value, str) and value.startswith(operand)
    return lambda value: isinstance(value, str) and value.endswith(operand)


def _one_of(values: list[Any], number: int) -> Condition:
    known = frozenset(_atom(value, number) for value in values)
    return lambda value: (isinstance(value, bool), value) in known


def _atom(value: Any, number: int) -> tuple[bool, Any]:
    """True and 1 are equal in Python, and must not be here."""
    if not isinstance(value, str | int | float):
        raise RuleError(f"rule {number} compares with {json.dumps(value)[:40]}, which is no plain value")
    return isinstance(value, bool), value
