"""The fragments of a source: what the fixed functions of the ledger must know of its mapping, as one function ``mN_fragments``.

`orchestrator/ledger/sql/fragments.sql` says what each name means. They are SQL over ``x``, a row of the old table, ``g``, one of
the new table, and parameters; the fixed functions put them into statements that are made when they are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from orchestrator.mapping.objects import DbObject, function
from orchestrator.mapping.sqltext import comma, literal, render, text_array
from orchestrator.mapping.types import compared

if TYPE_CHECKING:
    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.derivation import Derivation
    from orchestrator.mapping.frame import Frame

Fragment: TypeAlias = str | bool | Sequence[str] | Mapping[str, "Fragment"]


def fragments(
    fn: str, pinned: str, source: Table, target: Table, written: Iterable[Table], **said: Fragment
) -> DbObject:
    """The function of the source ``fn``; an empty text is no fragment."""
    known: dict[str, Fragment] = {
        "path": _path(pinned),
        "source": source.sql,
        "target": target.sql,
        "written": [table.sql for table in written],
    }
    text = render("fragments.sql", fn=fn, fragments=_document({**known, **said}, 8))
    return function(f"{fn}_fragments", text, "", "what the fixed functions must know")


def applied(frame: Frame, derivation: Derivation, key: str, *, rows: str, ahead: str, lost: str) -> dict[str, Fragment]:
    """What the extraordinary cases of a derivation must know (`applying.sql`); ``rows`` is the function that derives."""
    said: dict[str, Fragment] = {
        "columns": [c.name for c in derivation.written],
        "compared": [c.name for c in derivation.compared],
        "casts": {c.name: cast for c in derivation.compared if (cast := compared(c))},
        "target_key": key,
        "key_type": frame.target.by_name[key].sql_type,
        "rows": rows,
        "ahead": ahead,
        "lost": lost,
        "document": frame.document("g"),
        "originals": frame.spec.originals_column or "",
        "originals_key": frame.spec.originals_key or "",
        "exempt": frame.spec.exempt_column or "",
        "packs": list(frame.packs),
    }
    return said | (
        {"create": derivation.creation_statements(f"SELECT r.* FROM changeover.{rows}($1) r")}
        if derivation.creating
        else {}
    )


def parked(same: Iterable[str], columns: Iterable[str], rows: str, which: str) -> Mapping[str, Fragment]:
    """Which rows of the target a derivation writes whole, for ``changeover.park``: told apart by ``same``, derived by ``rows``."""
    return {"same": [*same], "columns": [*columns], "rows": rows, "which": which}


def _path(pinned: str) -> str:
    first = pinned.partition("\n")[0]
    return first.removeprefix("SET search_path = ")


def _document(said: Mapping[str, Fragment], indent: int) -> str:
    return comma((f"{literal(name)}, {_value(value, indent)}" for name, value in said.items() if value != ""), indent)


def _value(value: Fragment, indent: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, Sequence):
        return text_array(value)
    if not value:
        return "'{}'::jsonb"
    return f"jsonb_build_object(\n{' ' * (indent + 4)}{_document(value, indent + 4)})"
