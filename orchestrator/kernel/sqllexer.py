"""The one reader of SQL text: it cuts a text where PostgreSQL's own scanner cuts it.

The rules are those of PostgreSQL's `scan.l`, for a session with `standard_conforming_strings = on` (`connections` sees
to that): strings (`'…'`, `E'…'`, `N'…'`, `U&'…'`, `B'…'`, `X'…'`, `$tag$…$tag$`), which a line break may continue;
names in quotes, `U&"…"` included; comments that nest; operators, which end where a comment begins; blanks, which are
ASCII only. Nothing is left out: the pieces together are the text. What is not closed is one piece, `unfinished`.

`split` cuts a text into its statements. A semicolon ends one unless it stands in parentheses (CREATE RULE) or in the
body of a function (BEGIN ATOMIC … END), whose END is the word after a semicolon or right after ATOMIC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind = Literal["space", "comment", "name", "quoted", "string", "number", "parameter", "sign", "unfinished"]

BLANKS: Final = " \t\n\r\f\v"
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_PLAIN: Final = re.compile(r"(?:[^']|'')*+'")
_ESCAPED: Final = re.compile(r"(?:[^'\\]|''|\\.)*+'", re.DOTALL)
_BITS: Final = re.compile(r"[^']*+'")
_IN_QUOTES: Final = re.compile(r'(?:[^"]|"")*+"')
# A string goes on behind a line break; the comments between its parts are line comments.
_GOES_ON: Final = re.compile(r"(?>[ \t\f\v]+|--[^\n\r]*)*+[\n\r](?>[ \t\n\r\f\v]+|--[^\n\r]*[\n\r])*+'")
# An operator of several signs ends in + or - only with one of these in it.
_KEEPS_PLUS: Final = frozenset("~!@#^&|`?%")
_FOLDED: Final = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A piece of a text, from `start` to `end`."""

    kind: Kind
    raw: str
    start: int
    word: str = ""
    """A bare name as the server folds it, or a sign; '' for everything else."""

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.start + len(self.raw)

    @property
    def counts(self) -> bool:
        """Whether it says something: neither blank nor comment."""
        return self.kind not in {"space", "comment"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a text, without its semicolon; a comment in front of it comes along."""

    text: str
    line: int
    """The line on which its first word stands."""


def fold(name: str) -> str:
    """A name without quotes as the server reads it: only ASCII letters change."""
    return name.translate(_FOLDED)


def lexemes(text: str) -> Iterator[Lexeme]:
    """The pieces of a text, in order and without a gap."""
    place = 0
    while place < len(text):
        kind, end = _piece(text, place)
        raw = text[place:end]
        yield Lexeme(kind, raw, place, fold(raw) if kind == "name" else raw if kind == "sign" else "")
        place = end


def split(text: str) -> list[Statement]:
    """The statements of a text; those that say nothing are left out."""
    return list(_split(text))


@lru_cache(maxsize=64)  # each phase and each check reads the files of a plan again
def _split(text: str) -> tuple[Statement, ...]:
    found: list[Statement] = []
    begins, depth, atomic = 0, 0, False
    words: list[Lexeme] = []
    for each in lexemes(text):
        if not each.counts:
            continue
        if atomic:
            atomic = not (each.word == "end" and words[-1].word in {";", "atomic"})
        elif each.word == ";" and depth == 0:
            found += _statement(text[begins : each.start], text, words)
            begins, words = each.end, []
            continue
        elif each.word == "(":
            depth += 1
        elif each.word == ")":
            depth = max(0, depth - 1)
        elif each.word == "atomic" and depth == 0:
            atomic = words[-1:] != [] and words[-1].word == "begin" and _makes_routine(words)
        words.append(each)
    return (*found, *_statement(text[begins:], text, words))


def without_comments(text: str) -> str:
    """The text with a blank in the place of each comment."""
    return "".join(" " if each.kind == "comment" else each.raw for each in lexemes(text)).strip(BLANKS)


def _statement(piece: str, text: str, words: list[Lexeme]) -> list[Statement]:
    return [Statement(piece.strip(BLANKS), text.count("\n", 0, words[0].start) + 1)] if words else []


def _makes_routine(words: list[Lexeme]) -> bool:
    head = [each.word for each in words[:4]]
    if head[1:3] == ["or", "replace"]:
        del head[1:3]
    return head[0] == "create" and head[1:2] in (["function"], ["procedure"])


def _piece(text: str, place: int) -> tuple[Kind, int]:
    """The kind and the end of the piece that begins at a place."""
    for kind, opening, behind in _RULES:
        match = opening.match(text, place)
        if match is not None:
            end = behind(text, match)
            return ("unfinished", len(text)) if end is None else (kind, end)
    return "sign", place + 1


def _behind_opening(_text: str, opening: re.Match[str]) -> int:
    return opening.end()


def _behind_comment(text: str, opening: re.Match[str]) -> int | None:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, opening.start()):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return None


def _behind_string(text: str, opening: re.Match[str]) -> int | None:
    body = {"E": _ESCAPED, "B": _BITS, "X": _BITS}.get(opening.group()[0].upper(), _PLAIN)
    end = opening.end()
    while (closed := body.match(text, end)) is not None:
        end = closed.end()
        again = _GOES_ON.match(text, end)
        if again is None:
            return end
        end = again.end()
    return None


def _behind_name(text: str, opening: re.Match[str]) -> int | None:
    closed = _IN_QUOTES.match(text, opening.end())
    return None if closed is None else closed.end()


def _behind_dollars(text: str, opening: re.Match[str]) -> int | None:
    closing = text.find(opening.group(), opening.end())
    return None if closing < 0 else closing + len(opening.group())


def _behind_operator(_text: str, opening: re.Match[str]) -> int:
    return opening.start() + len(_operator(opening.group()))


def _operator(run: str) -> str:
    """What of a run of operator signs is one operator."""
    ends = [place for place in (run.find("/*"), run.find("--")) if place > 0]
    sign = run[: min(ends, default=len(run))]
    if _KEEPS_PLUS.isdisjoint(sign):
        sign = sign[0] + sign[1:].rstrip("+-")
    return sign


_RULES: Final[tuple[tuple[Kind, re.Pattern[str], Callable[[str, re.Match[str]], int | None]], ...]] = (
    ("space", re.compile(r"[ \t\n\r\f\v]+"), _behind_opening),
    ("comment", re.compile(r"--[^\n\r]*"), _behind_opening),
    ("comment", re.compile(r"/\*"), _behind_comment),
    ("string", re.compile(r"(?:[eEbBxXnN]|[uU]&)?'"), _behind_string),
    ("quoted", re.compile(r'(?:[uU]&)?"'), _behind_name),
    ("name", re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*"), _behind_opening),
    ("string", re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$"), _behind_dollars),
    ("parameter", re.compile(r"\$[0-9]+"), _behind_opening),
    ("number", re.compile(r"0[xX][0-9A-Fa-f_]+|0[oO][0-7_]+|0[bB][01_]+"), _behind_opening),
    (
        "number",
        re.compile(r"(?:[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?"),
        _behind_opening,
    ),
    ("sign", re.compile(r"[~!@#^&|`?+\-*/%<>=]+"), _behind_operator),
    ("sign", re.compile(r"::|:=|\.\."), _behind_opening),
)
"""How each kind of piece begins, and what finds its end. The first that fits counts; the rest are single signs."""
