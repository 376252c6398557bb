"""SQL as a list of tokens: enough to see names, and never a comment or a string taken for one.

This is no parser. It cuts a text at PostgreSQL's lexical rules (dollar quotes, `E''`, nested comments, quoted names),
folds unquoted names as the server does, and remembers for each token how deep in parentheses it stands and which
function opened the innermost pair. That tells `extract(year FROM x)` from a FROM that names a table, which is all the
lint needs; what the words mean is for the server, and `plan check` asks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["name", "quoted", "string", "number", "sign"]

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      | (?P<string>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | [eE]'(?:[^'\\]|\\.|'')*' | [bBxXnN]?'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<name>[^\W\d][\w$]*)
      | (?P<number>\d[\w.]*)
      | (?P<sign>::|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL; `text` is folded for a bare name and without its quotes for a quoted one."""

    kind: Kind
    text: str
    depth: int = 0
    inside: str = ""
    """The function whose parentheses this stands in, '' where no name opened them."""

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
    found: list[Token] = []
    opened: list[str] = []
    for kind, part in _pieces(text):
        inside = opened[-1] if opened else ""
        if kind == "sign" and part == "(":
            opened.append(found[-1].text if found and found[-1].kind == "name" else "")
        elif kind == "sign" and part == ")" and opened:
            opened.pop()
            inside = opened[-1] if opened else ""
        found.append(Token(kind, part, len(opened) - (part == "(" and kind == "sign"), inside))
    return found


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


def _pieces(text: str) -> Iterator[tuple[Kind, str]]:
    at_char = 0
    while at_char < len(text):
        if text.startswith("/*", at_char):
            at_char = _behind_comment(text, at_char)
            continue
        match = _TOKEN.match(text, at_char)
        if match is None:
            return
        at_char = match.end()
        piece = match.group()
        match match.lastgroup if match.lastgroup != "tag" else "string":
            case "name":
                yield "name", piece.lower()
            case "quoted":
                yield "quoted", piece[1:-1].replace('""', '"')
            case "string":
                yield "string", piece
            case "number":
                yield "number", piece
            case "sign":
                yield "sign", piece
            case _:
                pass


def _behind_comment(text: str, start: int) -> int:
    depth, index = 0, start
    while index < len(text):
        if text.startswith("/*", index):
            depth, index = depth + 1, index + 2
        elif text.startswith("*/", index):
            depth, index = depth - 1, index + 2
            if depth == 0:
                return index
        else:
            index += 1
    return index
