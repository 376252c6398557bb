"""The signature of a function or procedure, read from the statement that makes it.

DROP FUNCTION and the catalog want the types of what goes in, without names, modes and defaults. A type that only the
server can tell (`table.column%TYPE`) is not read, and such a routine has no inverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqlcursor import Cursor
from orchestrator.kernel.sqltokens import at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.kernel.sqltokens import Token

# Types of two words, by the first one: what may come second.
_TWO_WORDS: Final = {
    "double": {"precision"},
    "character": {"varying"},
    "char": {"varying"},
    "national": {"character", "char"},
    "bit": {"varying"},
    "timestamp": {"with", "without"},
    "time": {"with", "without"},
    "interval": {"year", "month", "day", "hour", "minute", "second"},
}


def input_types(arguments: str) -> list[str] | None:
    """The types of what goes in, in SQL; None where one of them cannot be read."""
    types = []
    for argument in _at_commas(Cursor(arguments).found):
        words = _without_default(argument)
        if at(words, 0).says("out"):
            continue
        words = _without_mode(words)
        if _begins_with_name(words):
            words = words[1:]
            if at(words, 0).says("out"):
                continue
            words = _without_mode(words)
        if not words or any(word.says("%") for word in words):
            return None
        types.append(arguments[words[0].start : words[-1].end])
    return types


def _at_commas(found: Sequence[Token]) -> Iterator[list[Token]]:
    item: list[Token] = []
    for token in found:
        if token.says(",") and token.depth == 0:
            yield item
            item = []
        else:
            item.append(token)
    if item:
        yield item


def _without_default(argument: list[Token]) -> list[Token]:
    ends = (n for n, token in enumerate(argument) if token.depth == 0 and token.says("default", "=", ":="))
    return argument[: next(ends, len(argument))]


def _without_mode(words: list[Token]) -> list[Token]:
    while at(words, 0).says("in", "inout", "variadic") and len(words) > 1:
        words = words[1:]
    return words


def _begins_with_name(words: list[Token]) -> bool:
    first, second = at(words, 0), at(words, 1)
    if not (first.is_name and second.is_name) or second.says("array"):
        return False
    return first.kind == "quoted" or second.text not in _TWO_WORDS.get(first.text, set())
