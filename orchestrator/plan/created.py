"""What the plan's own SQL creates: the columns and CHECKs of the tables in its expand files.

The lint compares the mappings with it, without a database. Only what a CREATE TABLE (or an ALTER TABLE … ADD) spells
out is known; a table that is made in another way (LIKE, AS SELECT, INHERITS) is marked as not fully known, and no
column of it is ever called missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqltokens import at, closing, dotted, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.kernel.sqltokens import Token

_CONSTRAINTS: Final = ("constraint", "primary", "unique", "check", "foreign", "exclude")
_FIXED: Final = 2  # parts of schema.name


@dataclass(frozen=True, slots=True)
class CreatedColumn:
    """A column as its definition reads."""

    name: str
    required: bool
    """NOT NULL, and nothing fills it by itself."""
    generated: bool


@dataclass
class CreatedTable:
    """A table as far as the files tell."""

    name: str
    columns: dict[str, CreatedColumn] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)
    """CHECK by name, with the words of its condition."""
    complete: bool = True
    may_be_there: bool = False
    """IF NOT EXISTS: the application may have made it."""


def created(statements: Iterable[str]) -> dict[str, CreatedTable]:
    """The tables that these statements make, by `schema.name`."""
    tables: dict[str, CreatedTable] = {}
    for statement in statements:
        found = tokens(statement)
        words = [t.text if t.kind == "name" else "" for t in found[:6]]
        if words[:1] == ["create"] and "table" in words[:3]:
            _create(found, words.index("table") + 1, tables)
        elif words[:2] == ["alter", "table"]:
            _alter(found, tables)
    return tables


def _create(found: list[Token], index: int, tables: dict[str, CreatedTable]) -> None:
    may_be_there = at(found, index).says("if")
    while at(found, index).says("if", "not", "exists"):
        index += 1
    parts, index = dotted(found, index)
    table = tables.setdefault(label(parts), CreatedTable(label(parts)))
    table.complete = table.complete and not may_be_there
    table.may_be_there = may_be_there
    if not at(found, index).says("("):
        table.complete = False
        return
    end = closing(found, index)
    for item in _items(found[index + 1 : end]):
        _element(item, table)
    if any(t.says("inherits", "partition") and t.depth == 0 for t in found[end:]):
        table.complete = False


def _alter(found: list[Token], tables: dict[str, CreatedTable]) -> None:
    index = 2
    while at(found, index).says("only", "if", "exists"):
        index += 1
    parts, index = dotted(found, index)
    table = tables.setdefault(label(parts), CreatedTable(label(parts), complete=False))
    for action in _items(found[index:]):
        if at(action, 0).says("add"):
            body = action[1:]
            while at(body, 0).says("column", "if", "not", "exists"):
                body = body[1:]
            _element(body, table)


def _element(item: list[Token], table: CreatedTable) -> None:
    """One column or constraint."""
    first = at(item, 0)
    if first.says("like"):
        table.complete = False
    elif first.is_name and not first.says(*_CONSTRAINTS):
        text = _words(item)
        generated = "generated always as (" in text
        filled = generated or " default " in text or "as identity" in text or "serial" in at(item, 1).text
        required = "not null" in text or "primary key" in text
        table.columns[first.text] = CreatedColumn(first.text, required=required and not filled, generated=generated)
    for index, token in enumerate(item):
        if token.says("constraint") and token.depth == first.depth and at(item, index + 2).says("check"):
            end = closing(item, index + 3) if at(item, index + 3).says("(") else len(item)
            table.checks[at(item, index + 1).text] = _words(item[index + 3 : end])


def _items(found: list[Token]) -> list[list[Token]]:
    """Cut at the commas of the outermost level."""
    if not found:
        return []
    level = min(t.depth for t in found)
    items: list[list[Token]] = [[]]
    for token in found:
        if token.says(",") and token.depth == level:
            items.append([])
        else:
            items[-1].append(token)
    return items


def _words(item: Iterable[Token]) -> str:
    return " ".join(t.text for t in item)


def label(parts: tuple[str, ...]) -> str:
    """`schema.name` of a table, as the keys of `created` read."""
    return ".".join(parts if len(parts) >= _FIXED else ("public", *parts))
