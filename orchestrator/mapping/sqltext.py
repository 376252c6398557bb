"""Putting compiled SQL together from templates and fragments.

The templates are the ``.sql`` files of this package; a fragment goes in where ``:name:`` stands. The
fragments are identifiers quoted from the catalog, literals quoted here, and the expressions of the
plan's author, which are SQL by definition. A placeholder without a fragment, or a fragment without a
placeholder, is an error: a template and its compiler cannot drift apart unseen.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from orchestrator.kernel import sqlfiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLACE = re.compile(r"(?<![:\w]):([a-z][a-z_]*):(?!:)")


def literal(value: str | None) -> str:
    """A string literal (or NULL) that means the same under every setting."""
    if value is None:
        return "NULL"
    quoted = value.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in value else f"'{quoted}'"


def text_array(values: Iterable[str]) -> str:
    """An array literal of text."""
    return "ARRAY[" + ", ".join(literal(v) for v in values) + "]::text[]"


def comma(parts: Iterable[str], indent: int = 4) -> str:
    """One part a line, separated by commas."""
    return (",\n" + " " * indent).join(parts)


def on_pages(table: str, alias: str = "x") -> str:
    """The condition that a row of ``table`` stands on the pages from "#from" to "#to".

    By a list of places and not by the range: a function keeps one plan for all its calls, and of a range whose ends it
    does not know the planner assumes a two-hundredth part of the table. For so many rows it may read another table
    whole, once for each batch, however short the batch is made. Of a list it assumes ten.
    """
    return f'{alias}.ctid = ANY (ARRAY(SELECT p.ctid FROM {table} p WHERE p.ctid >= "#from" AND p.ctid < "#to"))'


def statements(several: Iterable[str]) -> str:
    """Statements of a function body; NULL where there are none."""
    return "\n            ".join(f"{each};" for each in several) or "NULL;"


def render(template: str, /, **fragments: str) -> str:
    """Fill the template file with the fragments."""
    return fill(sqlfiles.load(__package__, template), template, **fragments)


def fill(text: str, file: str, /, **fragments: str) -> str:
    """Fill ``text``; ``file`` names it in the error for a programming mistake."""
    wanted = _places(text)
    if missing := wanted - fragments.keys():
        message = f"{file}: no fragment for {', '.join(sorted(missing))}"
        raise KeyError(message)
    if unused := fragments.keys() - wanted:
        message = f"{file}: no place for {', '.join(sorted(unused))}"
        raise KeyError(message)
    return _PLACE.sub(lambda m: fragments[m.group(1)], _dollar_quoted(text, fragments))


@cache
def _places(text: str) -> frozenset[str]:
    return frozenset(_PLACE.findall(text))


def _dollar_quoted(text: str, fragments: Mapping[str, str]) -> str:
    """A column may be called ``$changeover$``: the body is quoted with a word that no fragment contains."""
    tag, number = "$changeover$", 0
    while any(tag in fragment for fragment in fragments.values()):
        number += 1
        tag = f"$changeover{number}$"
    return text.replace("$changeover$", tag)
