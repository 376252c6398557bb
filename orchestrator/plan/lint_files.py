"""The SQL files of a stage: each kind of file may hold its kind of statement only.

The engine makes more of these files than their text: an index is built CONCURRENTLY and replaced when it is invalid, a
foreign key is added NOT VALID and validated, everything gets an inverse. That works for the statements it knows, so any
other kind is refused here. A table without its schema would be looked for along the search path of whoever runs the
plan; the names in the files are therefore complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel.sqllexer import split
from orchestrator.kernel.sqltokens import at, dotted, tokens, unfinished
from orchestrator.plan.created import created
from orchestrator.plan.lint_expand import ExpandRule
from orchestrator.plan.volatile import unsteady

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestrator.kernel.sqltokens import Token
    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage

_TRANSACTION: Final = ("begin", "commit", "rollback", "start", "savepoint", "end", "abort")
_TABLE_FOLLOWS: Final = ("from", "join", "into", "update", "references", "table", "on")
_BEFORE_TABLE: Final = ("only", "if", "not", "exists", "lateral")
# In these FROM belongs to the function's own grammar, as in extract(year FROM x).
_FROM_OF_A_FUNCTION: Final = ("extract", "substring", "trim", "overlay", "position")
# `ON` leads to a table in CREATE INDEX and CREATE TRIGGER only; elsewhere it is a join's or a conflict's.
_NO_TABLE: Final = (
    "select",
    "values",
    "conflict",
    "current",
    "delete",
    "update",
    "set",
    "constraint",
    "generate_series",
    "unnest",
)
_QUALIFIED: Final = 2

Found = list["Token"]


def lint_files(plan: LoadedPlan, stage: Stage, diagnostics: Diagnostics) -> None:
    """All files of a stage."""
    late = [] if stage.contract is None else stage.contract.keys
    kinds: tuple[tuple[tuple[str, ...], list[str], Callable[[Found, str], Iterator[str]]], ...] = (
        (("expand",), stage.expand, ExpandRule.of(plan, stage)),
        (("seed",), stage.seed, _seed),
        (("indexes",), stage.indexes, _index),
        (("keys",), stage.keys, _key),
        (("contract", "keys"), late, _key),
    )
    for kind, files, rule in kinds:
        _statements(plan, files, rule, diagnostics.under(*kind))
    for index, where in enumerate(stage.only_where):
        _statements(plan, where.expand, _only_where(kinds[0][2]), diagnostics.under("only_where", index, "expand"))
    for index, check in enumerate(stage.checks):
        _query(plan, check.query, diagnostics.under("checks", index, "query"))
    for index, mapping in enumerate(stage.mappings):
        if mapping.discovery is not None:
            _discovery(plan, mapping.discovery, diagnostics.under("mappings", index, "discover"))


def _statements(
    plan: LoadedPlan, files: list[str], rule: Callable[[Found, str], Iterator[str]], diagnostics: Diagnostics
) -> None:
    for number, file in enumerate(files):
        statements = plan.split(file)
        if not statements:
            diagnostics.warning("empty", f"{file} holds no statement", number)
        for statement in statements:
            line, found = statement.line, tokens(statement.text)
            for message in (*_general(found), *rule(found, statement.text)):
                diagnostics.error("statement", message, line=line, file=file)
            for name in _unqualified(found):
                diagnostics.error("unqualified", f"table {name} is named without its schema", line=line, file=file)


def _only_where(expand: Callable[[Found, str], Iterator[str]]) -> Callable[[Found, str], Iterator[str]]:
    """The rule of expand files, for those that a database may lack: mappings cannot count on what they make."""

    def rule(found: Found, statement: str) -> Iterator[str]:
        if at(found, 0).says("create") and created([statement]):
            yield f"{_opening(found)} under `only_where`: tables are for every database, and belong to `expand`"
        else:
            yield from expand(found, statement)

    return rule


def _general(found: Found) -> Iterator[str]:
    if at(found, 0).says(*_TRANSACTION):
        yield f"{at(found, 0).text.upper()}: the engine opens and ends the transactions"
    if (rest := unfinished(found)) is not None:
        yield f"a string, a name or a comment begins here and does not end: {rest.text[:40]}"
    if at(found, 0).says("create") and at(found, 1).says("extension"):
        yield "an extension needs rights that an ordinary owner does not have"


def _seed(found: Found, _statement: str) -> Iterator[str]:
    first = at(found, 0)
    if not first.says("insert", "with", "update", "merge"):
        yield f"{first.text.upper() or 'this'} in a seed file: it holds INSERTs that can be run again"
    elif any(t.says("insert") for t in found) and not _again(found):
        yield "an INSERT that fails or doubles its rows when it is run again: add ON CONFLICT"


def _index(found: Found, _statement: str) -> Iterator[str]:
    rest = found[2:] if at(found, 1).says("unique") else found[1:]
    if not (at(found, 0).says("create") and at(rest, 0).says("index")):
        yield f"{_opening(found)} in an index file: it holds CREATE INDEX statements only"
    elif any(t.says("on") and at(rest, i - 1).says("index", "concurrently", "exists") for i, t in enumerate(rest[:6])):
        yield "the index has no name, and what the engine makes it must be able to name"


def _key(found: Found, _statement: str) -> Iterator[str]:
    index = 2
    while at(found, index).says("if", "exists", "only"):
        index += 1
    _, index = dotted(found, index)
    words = [t.text for t in found[index : index + 2]]
    foreign = at(found, index + 3).says("foreign") and at(found, index + 4).says("key")
    if not (at(found, 0).says("alter") and at(found, 1).says("table") and words == ["add", "constraint"] and foreign):
        yield f"{_opening(found)} in a key file: it holds ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY only"
    elif any(t.says("add") for t in found[index + 1 :]):
        yield "one foreign key for each ALTER TABLE, so that each is validated by itself"


def _discovery(plan: LoadedPlan, file: str, diagnostics: Diagnostics) -> None:
    statements = plan.split(file)
    if len(statements) != 1:
        diagnostics.error(
            "discover", f"a discovery is one query, this file holds {len(statements)} statements", file=file, line=1
        )
        return
    found, line = tokens(statements[0].text), statements[0].line
    for message in _general(found):
        diagnostics.error("discover", message, file=file, line=line)
    if not at(found, 0).says("select", "with"):
        diagnostics.error("discover", f"{_opening(found)}: a discovery is a SELECT", file=file, line=line)
    given = {t.text for t in found if t.is_name}
    for name in ("table_name", "discriminator"):
        if name not in given:
            diagnostics.error("discover", f"the query gives no column {name}", file=file, line=line)
    for word in unsteady(found):
        diagnostics.error(
            "volatile", f"{word} in a discovery: it must find the same tables every time", file=file, line=line
        )
    for name in _unqualified(found):
        diagnostics.error("unqualified", f"table {name} is named without its schema", file=file, line=line)


def lint_measures(plan: LoadedPlan, diagnostics: Diagnostics) -> None:
    """The queries of the plan's measures."""
    for index, measure in enumerate(plan.model.measures):
        for key, given in (("query", measure.query), ("keys", measure.keys)):
            if given:
                _query(plan, given, diagnostics.under("measures", index, key))


def _query(plan: LoadedPlan, given: str, diagnostics: Diagnostics) -> None:
    """A query that judges or measures: one SELECT whose tables have their schemas."""
    is_file = given.endswith(".sql")
    statements = split(plan.read(given) if is_file else given)
    where: dict[str, Any] = {"file": given, "line": 1} if is_file else {}
    if len(statements) != 1:
        diagnostics.error("check", f"it is one query, and this is {len(statements)} statements", **where)
        return
    found = tokens(statements[0].text)
    for message in _general(found):
        diagnostics.error("check", message, **where)
    if not at(found, 0).says("select", "with", "values", "table"):
        diagnostics.error("check", f"{_opening(found)}: a query is a SELECT", **where)
    for name in _unqualified(found):
        diagnostics.error("unqualified", f"table {name} is named without its schema", **where)


def _unqualified(found: Found) -> Iterator[str]:
    """Names that stand where a table is named, without a schema."""
    if at(found, 0).says("grant", "revoke"):
        return  # these say FROM and UPDATE in their own sense; what they name must be the plan's in any case
    own = _own_names(found)
    creates_index = at(found, 0).says("create") and any(t.says("index", "trigger", "policy") for t in found[1:4])
    for index, token in enumerate(found):
        if not token.says(*_TABLE_FOLLOWS) or (token.says("on") and not creates_index):
            continue
        before = at(found, index - 1)
        if token.says("from") and (token.inside in _FROM_OF_A_FUNCTION or before.says("distinct")):
            continue
        if token.says("update") and (
            before.says("on", "do", "key", "no", "for") or at(found, index + 1).says("on", "of", "or", "to")
        ):
            continue  # ON UPDATE, DO UPDATE, FOR UPDATE; UPDATE OF of a trigger
        start = index + 1
        while at(found, start).says(*_BEFORE_TABLE):
            start += 1
        parts, end = dotted(found, start)
        is_function = at(found, end).says("(") and token.says("from", "join")
        # The catalog comes first in every search path.
        if len(parts) == 1 and not is_function and not (parts[0] in {*own, *_NO_TABLE} or parts[0].startswith("pg_")):
            yield parts[0]


def _own_names(found: Found) -> set[str]:
    """The names that WITH gives: `name AS (` and `name (columns) AS (`."""
    if not any(t.says("with") for t in found):
        return set()
    own = set()
    for index, token in enumerate(found):
        if token.is_name and (at(found, index - 1).says("with", "recursive", ",")):
            after = found[index + 1 :]
            if after and after[0].says("("):
                after = after[
                    next((i for i, t in enumerate(after) if t.says(")") and t.depth == after[0].depth), 0) + 1 :
                ]
            if at(after, 0).says("as"):
                own.add(token.text)
    return own


def _again(found: Found) -> bool:
    pairs = [(t, at(found, i + 1)) for i, t in enumerate(found)]
    return any(
        (t.says("on") and after.says("conflict")) or (t.says("not") and after.says("exists")) for t, after in pairs
    )


def _opening(found: Found) -> str:
    return " ".join(t.text for t in found[:2]).upper()
