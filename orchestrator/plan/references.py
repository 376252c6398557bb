"""The qualified names in an expression: `s.email`, `employee.id`.

A subquery may bring aliases of its own; those are left out, and so are the names of tables, types and functions. What
is left refers to something that the mapping must provide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqltokens import at, dotted, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.kernel.sqltokens import Token

_TABLE_FOLLOWS: Final = ("from", "join", "only", "lateral")
# What may stand behind a table or a closing parenthesis without being its alias.
_NO_ALIAS: Final = frozenset(
    {
        *("where", "on", "using", "join", "left", "right", "full", "inner", "cross", "natural", "order", "group"),
        *("limit", "offset", "union", "except", "intersect", "having", "window", "for", "fetch", "and", "or", "not"),
        *("is", "in", "then", "else", "end", "when", "as", "between", "like", "ilike", "similar", "asc", "desc"),
        *("nulls", "at", "over", "filter", "within", "collate", "from", "select", "case", "isnull", "notnull"),
    }
)
_QUALIFIED: Final = 2


@dataclass(frozen=True, slots=True)
class Reference:
    """`head.column`."""

    head: str
    column: str

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.head}.{self.column}"


def references(expression: str) -> list[Reference]:
    """Every reference, once."""
    found = tokens(expression)
    own = set(_aliases(found))
    seen: dict[Reference, None] = {}
    index = 0
    while index < len(found):
        parts, after = dotted(found, index)
        if len(parts) == _QUALIFIED and parts[0] not in own and not _is_other(found, index, after):
            seen[Reference(*parts)] = None
        index = max(after, index + 1)
    return list(seen)


def _is_other(found: list[Token], index: int, after: int) -> bool:
    """A function, a type or a table, by what stands around it."""
    before = at(found, index - 1)
    if at(found, after).says("(") or before.says("::"):
        return True
    if before.says("from") and before.inside in {"extract", "substring", "trim", "overlay", "position"}:
        return False
    if before.says("from") and at(found, index - 2).says("distinct"):
        return False
    return before.says(*_TABLE_FOLLOWS) or (before.says(",") and _has_alias(found, after))


def _aliases(found: list[Token]) -> Iterator[str]:
    """The names that the expression's own FROM clauses give, aliases and bare table names."""
    for index, token in enumerate(found):
        if token.says(*_TABLE_FOLLOWS):
            parts, after = dotted(found, index + 1)
            if parts and not _has_alias(found, after):
                yield parts[-1]
            while parts and at(found, after).is_name:  # FROM a.b x, c.d y
                alias = after + 1 if at(found, after).says("as") else after
                if not _has_alias(found, after):
                    break
                yield at(found, alias).text
                if not at(found, alias + 1).says(","):
                    break
                parts, after = dotted(found, alias + 2)
        elif token.says(")") and _has_alias(found, index + 1):
            yield at(found, index + 2 if at(found, index + 1).says("as") else index + 1).text


def _has_alias(found: list[Token], index: int) -> bool:
    token = at(found, index)
    if token.says("as"):
        return at(found, index + 1).is_name
    return token.kind == "quoted" or (token.kind == "name" and token.text not in _NO_ALIAS)
