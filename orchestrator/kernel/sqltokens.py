"""SQL as a list of tokens: what `sqllexer` cuts, without blanks and comments, and with its surroundings.

This is no parser. A token knows how deep in parentheses it stands and which function opened the innermost pair. That
tells `extract(year FROM x)` from a FROM that names a table. What the words mean is for the server, and `plan check`
asks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqllexer import lexemes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestrator.kernel.sqllexer import Kind, Lexeme

_QUALIFIED: Final = 2


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL; `text` is folded for a bare name and without its quotes for a quoted one."""

    kind: Kind
    text: str
    depth: int = 0
    inside: str = ""
    """The function whose parentheses this stands in, '' where no name opened them."""
    start: int = 0
    end: int = 0
    """Where in the text it stands."""

    @property
    def is_name(self) -> bool:
        """A name, in quotes or not."""
        return self.kind in {"name", "quoted"}

    def says(self, *words: str) -> bool:
        """Is it one of these bare words or signs?"""
        return self.kind in {"name", "sign"} and self.text in words


END: Final = Token("sign", "")


def tokens(text: str) -> list[Token]:
    """Cut a text; comments and blanks are left out."""
    return list(_cut(text))


@lru_cache(maxsize=512)  # a command asks many questions of each statement of a plan
def _cut(text: str) -> tuple[Token, ...]:
    found: list[Token] = []
    opened: list[str] = []
    for kind, value, start, end in _values([each for each in lexemes(text) if each.counts]):
        if kind == "sign" and value == ")" and opened:
            opened.pop()
        found.append(Token(kind, value, len(opened), opened[-1] if opened else "", start, end))
        if kind == "sign" and value == "(":
            before = at(found, len(found) - 2)
            opened.append(before.text if before.kind == "name" else "")
    return tuple(found)


def at(found: list[Token], index: int) -> Token:
    """The token at a place, END outside of the list."""
    return found[index] if 0 <= index < len(found) else END


def dotted(found: list[Token], index: int) -> tuple[tuple[str, ...], int]:
    """The name that begins at a place with all its parts (`a.b.c`), and the place behind it; () where there is none."""
    parts: list[str] = []
    while at(found, index).is_name:
        parts.append(at(found, index).text)
        if not (at(found, index + 1).says(".") and at(found, index + 2).is_name):
            return tuple(parts), index + 1
        index += 2
    return tuple(parts), index


def closing(found: list[Token], index: int) -> int:
    """The place of the parenthesis that closes the one at `index`; the end of the list if nothing does."""
    depth = found[index].depth
    return next((i for i in range(index + 1, len(found)) if found[i].says(")") and found[i].depth == depth), len(found))


def unfinished(found: list[Token]) -> Token | None:
    """The string, name or comment that the text does not close."""
    return next((each for each in found if each.kind == "unfinished"), None)


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a name as SQL writes it (`public."Fresh"`), folded as the server does; () if it is no name."""
    found = tokens(name)
    parts, end = dotted(found, 0)
    return parts if end == len(found) else ()


def table_name(text: str, default_schema: str = "public") -> tuple[str, str]:
    """Schema and name of a table as a plan writes it: in SQL, or else as it is stored."""
    parts = parts_of(text)
    if not parts:
        schema, dot, name = text.partition(".")
        parts = (schema, name) if dot else (text,)
    return (parts[-2], parts[-1]) if len(parts) > 1 else (default_schema, parts[0])


def table_label(text: str) -> str:
    """`schema.name` of a table as a plan writes it, without quotes: how reports and `created` call it."""
    return ".".join(table_name(text))


def bare_column(expression: str) -> tuple[str, str] | None:
    """Alias and column of an expression that is `alias.column` and nothing else."""
    parts = parts_of(expression)
    return (parts[0], parts[1]) if len(parts) == _QUALIFIED else None


def equated(expression: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The two names of an expression that is `name = name` and nothing else."""
    found = tokens(expression)
    left, middle = dotted(found, 0)
    right, end = dotted(found, middle + 1)
    return (left, right) if left and right and at(found, middle).says("=") and end == len(found) else None


def columns_of(expression: str, alias: str) -> set[str]:
    """The columns of an alias that an expression names."""
    return {column for column, _, _ in _references(expression, alias)} - {"*"}


def mentions(expression: str, alias: str, column: str | None = None) -> bool:
    """Whether an expression names a column of an alias (any, or this one)."""
    return any(column in {None, name} for name, _, _ in _references(expression, alias))


def with_columns(expression: str, alias: str, written: Callable[[str], str]) -> str:
    """The expression with `written(column)` in the place of each `alias.column`."""
    pieces, behind = [], 0
    for column, start, end in _references(expression, alias):
        if column == "*":
            continue
        pieces += [expression[behind:start], written(column)]
        behind = end
    return "".join([*pieces, expression[behind:]])


@lru_cache(maxsize=16384)
def _references(expression: str, alias: str) -> tuple[tuple[str, int, int], ...]:
    """Column, start and end of each `alias.column`. A plan asks it of few expressions, many times."""
    found = tokens(expression)
    references = []
    for index, token in enumerate(found):
        column = at(found, index + 2)
        starts = token.is_name and token.text == alias and not at(found, index - 1).says(".")
        if starts and at(found, index + 1).says(".") and (column.is_name or column.says("*")):
            references.append((column.text, token.start, column.end))
    return tuple(references)


def _values(pieces: list[Lexeme]) -> Iterator[tuple[Kind, str, int, int]]:
    """Kind, value and place of each piece; UESCAPE belongs to the name before it."""
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        value, end = piece.word or piece.raw, piece.end
        if piece.kind == "quoted":
            value = piece.raw[piece.raw.index('"') + 1 : -1].replace('""', '"')
            if piece.raw[0] in "uU":
                escape = "\\"
                if [each.word for each in pieces[index + 1 : index + 2]] == ["uescape"] and index + 2 < len(pieces):
                    escape, end = pieces[index + 2].raw.strip("'"), pieces[index + 2].end
                    index += 2
                value = _decoded(value, escape)
        yield piece.kind, value, piece.start, end
        index += 1


def _decoded(value: str, escape: str) -> str:
    """What the escapes of `U&"…"` stand for."""
    sign = re.escape(escape)

    def character(match: re.Match[str]) -> str:
        code = match.group(1) or match.group(2)
        return escape if code is None else chr(int(code, 16))

    text = re.sub(rf"{sign}(?:([0-9A-Fa-f]{{4}})|\+([0-9A-Fa-f]{{6}})|{sign})", character, value)
    # Two halves of a surrogate pair are one character.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
