"""All expressions of a mapping, and what each of them may refer to.

`SIGHT` is the table of the mapping's documentation (`orchestrator.mapping.model`) in a form that can be checked.
`sources` stands for the names of a merge's sources, `lookups` for those of the lookups.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from orchestrator.mapping.model import Merge, Split, Unify, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.plan.model import Mapping
    from orchestrator.plan.places import Path

KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "s": (),
    "t": (),
    "d": ("discriminator", "name"),
    "k": ("key",),
    "v": ("name", "text", "number"),
}
"""The aliases of the engine, with their columns where they are always the same."""


class Scope(Enum):
    """Where an expression stands."""

    FORWARD = "forward"
    """From the source to the target: columns, matches, placeholders."""
    RULE = "rule"
    """Over both: rejects and exemptions."""
    BACK = "reverse"
    """From the target to the source."""
    SOURCE = "source"
    """Over one source row only: key, order, which columns count."""
    TARGET = "target"
    """Over the target row only."""
    JOIN = "join"
    """From the target row to a looked-up one."""


SIGHT: Final[dict[tuple[str, Scope], frozenset[str]]] = {
    ("unify", Scope.FORWARD): frozenset({"s", "d", "lookups"}),
    ("unify", Scope.RULE): frozenset({"s", "d", "t", "lookups"}),
    ("unify", Scope.BACK): frozenset({"t", "lookups"}),
    ("unify", Scope.TARGET): frozenset({"t"}),
    ("unify", Scope.JOIN): frozenset({"t", "lookups"}),
    ("merge", Scope.FORWARD): frozenset({"k", "sources", "lookups"}),
    ("merge", Scope.RULE): frozenset({"k", "t", "sources", "lookups"}),
    ("merge", Scope.BACK): frozenset({"t", "lookups"}),
    ("merge", Scope.SOURCE): frozenset({"s"}),
    ("merge", Scope.TARGET): frozenset({"t"}),
    ("merge", Scope.JOIN): frozenset({"t", "lookups"}),
    ("split", Scope.FORWARD): frozenset({"s", "d", "v", "lookups"}),
    ("split", Scope.RULE): frozenset({"s", "d", "v", "t", "lookups"}),
    ("split", Scope.TARGET): frozenset({"t"}),
    ("split", Scope.SOURCE): frozenset({"s", "d", "v"}),
    ("split", Scope.JOIN): frozenset({"t", "lookups"}),
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A text of SQL in a mapping."""

    text: str
    path: Path
    scope: Scope
    once: bool = False
    """Evaluated when the row is made and never again."""
    source: str | None = None
    """The source of a merge it belongs to."""


def expressions(mapping: Mapping) -> Iterator[Expression]:
    """Every expression, with the path of keys that leads to it."""
    for name, value in mapping.columns.items():
        column = rule(value)
        yield Expression(column.expression, ("columns", name), Scope.FORWARD, once=column.insert_only)
    for name, lookup in mapping.lookups.items():
        yield Expression(lookup.match, ("lookups", name, "match"), Scope.FORWARD)
        if lookup.join:
            yield Expression(lookup.join, ("lookups", name, "join"), Scope.JOIN)
        if lookup.create is not None:
            yield Expression(lookup.create.when, ("lookups", name, "create", "when"), Scope.FORWARD)
            for column_name, text in lookup.create.columns.items():
                path = ("lookups", name, "create", "columns", column_name)
                yield Expression(text, path, Scope.FORWARD, once=True)
    for name, text in mapping.rejects.items():
        yield Expression(text, ("rejects", name), Scope.RULE)
    for name, text in mapping.exempt.items():
        yield Expression(text, ("exempt", name), Scope.RULE)
    if isinstance(mapping, Unify):
        yield from _unify(mapping)
    elif isinstance(mapping, Merge):
        yield from _merge(mapping)
    else:
        yield from _split(mapping)


def _unify(mapping: Unify) -> Iterator[Expression]:
    for name, text in mapping.reverse.items():
        yield Expression(text, ("reverse", name), Scope.BACK)
    if mapping.exists_when is not None:
        yield Expression(mapping.exists_when, ("exists_when",), Scope.TARGET)


def _merge(mapping: Merge) -> Iterator[Expression]:
    for name, source in mapping.sources.items():
        yield Expression(source.key, ("sources", name, "key"), Scope.SOURCE, source=name)
        yield Expression(source.valid, ("sources", name, "valid"), Scope.SOURCE, source=name)
        yield Expression(source.when, ("sources", name, "when"), Scope.TARGET)
        for number, text in enumerate(source.order):
            yield Expression(text, ("sources", name, "order", number), Scope.SOURCE, source=name)
        for column, text in source.reverse.items():
            yield Expression(text, ("sources", name, "reverse", column), Scope.BACK)
    for name, text in mapping.on_source_delete.items():
        yield Expression(text, ("on_source_delete", name), Scope.TARGET)


def _split(mapping: Split) -> Iterator[Expression]:
    yield Expression(mapping.when, ("when",), Scope.SOURCE)
    yield Expression(mapping.value, ("value",), Scope.TARGET)
