"""What outside clients may ask of a flag, each with a type of its own, as OpenFeature wants one type per name.

`NAME` is the boolean: does this caller read the new tables? `NAME.stage` is the stage that counts for this caller, for
an application that makes shadow reads itself; `NAME.rollout` is the flag's percentage, a float.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .cache import FlagCache
    from .evaluation import Answer
    from .rules import Context

STAGE: Final = ".stage"
ROLLOUT: Final = ".rollout"


@dataclass(frozen=True, slots=True)
class Value:
    """A typed value, and the answer it was taken from."""

    value: bool | str | float
    variant: str
    answer: Answer


def value_of(cache: FlagCache, name: str, key: str | None, context: Context) -> Value | None:
    """The value of a name; None if there is no such flag and there never was."""
    for suffix in (STAGE, ROLLOUT):
        flag = name.removesuffix(suffix)
        if flag != name and not cache.version(name):
            answer = cache.answer(flag, key, context)
            if answer.stage is None:
                return None
            if suffix == STAGE:
                return Value(answer.stage.value, answer.variant, answer)
            return Value(cache.rollout(flag), answer.variant, answer)
    answer = cache.answer(name, key, context)
    if answer.stage is None and answer.version == 0:
        return None
    return Value(answer.new, answer.variant, answer)
