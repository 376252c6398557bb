"""What a mapping needs of the tables it writes: columns, their types, unique keys.

Asked before anything is compiled, so that a wrong name in a plan is an error in words, all of them at once, and not
whatever the compiler would stumble over first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.errors import UsageError
from orchestrator.mapping.model import Merge, Split, Unify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.model import Base


def require(
    spec: Unify | Merge | Split, target: Table, lookups: Mapping[str, Table], parent: Table | None = None
) -> None:
    """Raise UsageError with everything that the mapping's tables lack."""
    wrong = [*_columns(spec, target), *_types(spec, target), *_keys(spec, target)]
    for name, lookup in spec.lookups.items():
        wanted = {lookup.key: "key", **dict.fromkeys(lookup.create.columns if lookup.create else (), "create")}
        wrong += [_lacks(lookups[name], column, f"lookup {name}, {role}") for column, role in wanted.items()
                  if column not in lookups[name].by_name]  # fmt: skip
    if parent is not None and isinstance(spec, Split):
        refers = [
            (spec.parent_key, "parent_key"),
            (spec.parent_discriminator or spec.parent_key, "parent_discriminator"),
        ]
        wrong += [_lacks(parent, column, role) for column, role in refers if column not in parent.by_name]
    if wrong:
        raise UsageError(
            f"Mapping {spec.label} does not fit its tables: {'; '.join(wrong)}.",
            kept="Nothing was changed.",
            todo="Mend the stage's expand file or the mapping in plan.yaml.",
        )


def _columns(spec: Unify | Merge | Split, target: Table) -> Iterator[str]:
    for column, role in _named(spec):
        if column not in target.by_name:
            yield _lacks(target, column, role)


def _named(spec: Unify | Merge | Split) -> Iterator[tuple[str, str]]:
    """Every target column that the mapping speaks of, and as what."""
    if isinstance(spec, Merge):
        yield spec.key, "key"
        yield from ((name, "on_source_delete") for name in spec.on_source_delete)
    else:
        yield spec.key.target, "key"
    if isinstance(spec, Split):
        yield spec.item, "item"
    if isinstance(spec, Unify):
        yield from ((name, "pack") for name in dict.fromkeys(spec.pack.values()))
        if spec.discriminator:
            yield spec.discriminator, "discriminator"
    yield from ((name, "columns") for name in spec.columns)
    if spec.originals_column:
        yield spec.originals_column, "originals"
    if spec.exempt_column:
        yield spec.exempt_column, "exempt_column"


def _types(spec: Base, target: Table) -> Iterator[str]:
    wanted = {spec.originals_column: ("jsonb", "originals"), spec.exempt_column: ("_text", "exempt_column")}
    if isinstance(spec, Unify):
        wanted |= dict.fromkeys(spec.pack.values(), ("jsonb", "pack"))
    for name, (kind, role) in wanted.items():
        column = target.by_name.get(name or "")
        if column is not None and column.type != kind:
            words = "text[]" if kind == "_text" else kind
            yield f"{target.label}.{column.name} ({role}) is {column.sql_type} and must be {words}"


def _keys(spec: Unify | Merge | Split, target: Table) -> Iterator[str]:
    """What ON CONFLICT needs."""
    wanted = [spec.key if isinstance(spec, Merge) else spec.key.target]
    if isinstance(spec, Split):
        wanted.append(spec.item)
    if set(wanted) <= target.by_name.keys() and set(wanted) not in [set(key) for key in target.unique_keys]:
        yield f"{target.label} needs a primary key or unique constraint on ({', '.join(wanted)})"


def _lacks(table: Table, column: str, role: str) -> str:
    return f"{table.label} has no column {column!r} ({role})"
