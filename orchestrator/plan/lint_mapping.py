"""One mapping: which names its expressions see, and whether every row finds a place.

Each kind says what an expression of the plan may refer to (`Kind.sight`, see `orchestrator.mapping.model`); a
reference to anything else would fail on the server as `missing FROM-clause entry`, in words that do not name the line
of the plan. Columns are judged only where they are known: those of `types`, of `v`, `d` and `k`, and those of tables
that the plan itself creates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqltokens import parts_of, table_label, tokens, unfinished
from orchestrator.kernel.words import meant
from orchestrator.mapping.expressions import KNOWN, LOOKUPS, SOURCES, Scope
from orchestrator.mapping.model import ColumnRule, rule
from orchestrator.plan.references import references
from orchestrator.plan.volatile import unsteady

if TYPE_CHECKING:
    from collections.abc import Mapping as Map

    from orchestrator.mapping.expressions import Path
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.complaints import Diagnostics
    from orchestrator.plan.created import CreatedTable

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ENGINE_REASONS: Final = ("duplicate", "gone", "id_taken", "displaces", "repeated", "number_too_large", "text_too_long")


def lint_mapping(mapping: Mapping, tables: Map[str, CreatedTable], diagnostics: Diagnostics) -> None:
    """Everything there is to say about a mapping."""
    target = tables.get(table_label(mapping.target))
    _names(mapping, diagnostics)
    _tables(mapping, diagnostics)
    _places(mapping, diagnostics)
    _expressions(mapping, tables, diagnostics)
    _rules(mapping, target, diagnostics)
    if target is not None and target.complete:
        _columns(mapping, target, diagnostics)


def _names(mapping: Mapping, diagnostics: Diagnostics) -> None:
    """Names of lookups and sources are aliases, and must not hide each other or the engine's own."""
    taken = set(KNOWN)
    for kind, names in (("sources", mapping.aliases), ("lookups", list(mapping.lookups))):
        for name in names:
            if name in taken:
                diagnostics.error(
                    "name", f"the name {name} is taken: s, t, d, k, v and the other sources and lookups", kind, name
                )
            elif not _NAME.fullmatch(name):
                diagnostics.error(
                    "name", f"{name!r} is no plain name (a-z, 0-9, _): expressions use it as an alias", kind, name
                )
            taken.add(name)


def _tables(mapping: Mapping, diagnostics: Diagnostics) -> None:
    for table, path in mapping.tables:
        if len(parts_of(table)) == 1 or "." not in table:
            diagnostics.error("unqualified", f"table {table} is named without its schema", *path)


def _places(mapping: Mapping, diagnostics: Diagnostics) -> None:
    """Every value needs a place, and every way back its way."""
    if mapping.needs_originals and mapping.originals is None:
        words = "without `originals` a value that has no other place is lost: name a JSONB column"
        diagnostics.error("originals", words, mapping.kind)
    if mapping.exempt and mapping.exempt_column is None:
        diagnostics.error("exempt", "the names of broken rules need a place: name `exempt_column`", "exempt")
    uses = {name: lookup.follow for name, lookup in mapping.lookups.items()}
    for expression in mapping.expressions():
        heads = {r.head for r in references(expression.text)}
        for name in heads & set(mapping.lookups):
            uses[name] = uses[name] or expression.path[:2] != ("lookups", name)
            if expression.scope is Scope.BACK and not mapping.lookups[name].join:
                diagnostics.error(
                    "join",
                    f"lookup {name} is used on the way back and has no `join` from the target row",
                    *expression.path,
                )
    for name, used in uses.items():
        if not used:
            diagnostics.warning("unused", f"lookup {name} is not used", "lookups", name)


def _expressions(mapping: Mapping, tables: Map[str, CreatedTable], diagnostics: Diagnostics) -> None:
    columns = _Columns(mapping, tables)
    for expression in mapping.expressions():
        visible = mapping.sight[expression.scope]
        names = visible - {LOOKUPS, SOURCES}
        names |= set(mapping.lookups) if LOOKUPS in visible else set()
        names |= set(mapping.aliases) if SOURCES in visible else set()
        for reference in references(expression.text):
            if reference.head not in names:
                seen = ", ".join(sorted(names)) or "nothing"
                diagnostics.error(
                    "name", f"{reference} is not to be seen here (an expression sees {seen})", *expression.path
                )
                continue
            known = columns(reference.head, expression.source)
            if known is not None and reference.column not in known and not reference.column.startswith("#"):
                why = f"{reference.column} is not a column of {reference.head}{meant(reference.column, known)}"
                if reference.head in {"s", *mapping.aliases}:
                    why = mapping.undeclared(reference.column) + meant(reference.column, known)
                diagnostics.error("column", f"{reference}: {why}", *expression.path)
        if unfinished(tokens(expression.text)) is not None:
            diagnostics.error("sql", "a string, a name or a comment begins here and does not end", *expression.path)
        if not expression.once:
            for word in unsteady(tokens(expression.text)):
                diagnostics.error(
                    "volatile",
                    f"{word} gives another value each time the row is derived; only a `insert_only` column may use it",
                    *expression.path,
                )


class _Columns:
    """What is known of the columns of each name; None where nothing is."""

    def __init__(self, mapping: Mapping, tables: Map[str, CreatedTable]) -> None:
        self._mapping = mapping
        self._tables = tables

    def __call__(self, head: str, source: str | None) -> set[str] | None:
        mapping = self._mapping
        if KNOWN.get(head):
            return set(KNOWN[head])
        if head == "s" or head in mapping.aliases:
            return mapping.known_columns(head, source)
        table = mapping.target if head == "t" else mapping.lookups[head].table
        found = self._tables.get(table_label(table))
        return set(found.columns) if found is not None and found.complete else None


def _rules(mapping: Mapping, target: CreatedTable | None, diagnostics: Diagnostics) -> None:
    """Names of rejects and exemptions; each exemption has a CHECK that knows it."""
    for kind, names in (("rejects", mapping.rejects), ("exempt", mapping.exempt)):
        for name in names:
            if not _NAME.fullmatch(name):
                diagnostics.error(
                    "name", f"{name!r} is no plain name (a-z, 0-9, _): reports and CHECKs use it", kind, name
                )
    for name in mapping.rejects:
        if name in _ENGINE_REASONS:
            diagnostics.error("name", f"{name} is a reason of the engine's own; take another name", "rejects", name)
    for name in mapping.exempt if target is not None and target.complete else ():
        check = target.checks.get(name) if target is not None else None
        if check is None:
            diagnostics.error("check", f"{mapping.target} has no CHECK constraint called {name}", "exempt", name)
        elif f"'{name}'" not in check:
            diagnostics.error(
                "check",
                f"CHECK {name} does not let a row through that carries its name in {mapping.exempt_column}",
                "exempt",
                name,
            )


def _columns(mapping: Mapping, target: CreatedTable, diagnostics: Diagnostics) -> None:
    """What the mapping fills exists, and what must be filled is."""
    filled = mapping.filled
    for name, path in filled.items():
        column = target.columns.get(name)
        if column is None:
            diagnostics.error("column", f"{target.name} has no column {name}{meant(name, target.columns)}", *path)
        elif column.generated:
            diagnostics.error("column", f"{target.name}.{name} is generated: the server computes it", *path)
    for column in target.columns.values():
        if mapping.makes_rows and column.required and column.name not in filled:
            message = f"{target.name}.{column.name} is NOT NULL without a default, and nothing fills it"
            diagnostics.error("column", message, "columns")
    _twice(mapping, diagnostics)
    for name in mapping.on_delete:
        if name not in target.columns:
            words = f"{target.name} has no column {name}{meant(name, target.columns)}"
            diagnostics.error("column", words, "on_source_delete", name)
    for name, value in mapping.columns.items():
        _unique(mapping, name, rule(value), diagnostics)


def _twice(mapping: Mapping, diagnostics: Diagnostics) -> None:
    """A column that two parts of the mapping fill: what one of them wrote would be gone with the next write."""
    claims: list[tuple[str, Path]] = [(name, ("columns", name)) for name in mapping.columns]
    claims += dict(mapping.named_columns).items()
    # Beside a computed document the originals may have a key; a packed one has the names of columns for keys.
    if mapping.originals_column is not None and (
        mapping.originals_key is None or mapping.originals_column in mapping.documents
    ):
        claims.append((mapping.originals_column, ("originals",)))
    if mapping.exempt_column is not None:
        claims.append((mapping.exempt_column, ("exempt_column",)))
    first: dict[str, Path] = {}
    for name, path in claims:
        before = first.setdefault(name, path)
        if before[0] != path[0]:
            diagnostics.error(
                "column", f"{name} is filled by `{before[0]}` and by `{path[0]}`: give each its own", *path
            )


def _unique(mapping: Mapping, name: str, column: ColumnRule, diagnostics: Diagnostics) -> None:
    if not column.unique:
        return
    heads = {r.head for r in references(column.expression)}
    if len(heads) != 1 or not heads <= set(mapping.aliases):
        message = "a `unique` column is made of one source in a merge, and of nothing else (nullif(people.number, ''))"
        diagnostics.error("unique", message, "columns", name)
