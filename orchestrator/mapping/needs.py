"""What a mapping needs of the tables it writes: columns, their types, unique keys.

Asked before anything is compiled, so that a wrong name in a plan is an error in words, all of them at once, and not
whatever the compiler would stumble over first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.words import meant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.kinds.base import Kind


def require(
    spec: Kind, target: Table, lookups: Mapping[str, Table], others: Sequence[tuple[Table, str, str]] = ()
) -> None:
    """Raise UsageError with everything that the mapping's tables lack; of ``others`` a column, with its role."""
    wrong = [*_columns(spec, target), *_types(spec, target), *_keys(spec, target)]
    for name, lookup in spec.lookups.items():
        wanted = {lookup.key: "key", **dict.fromkeys(lookup.create.columns if lookup.create else (), "create")}
        wrong += [_lacks(lookups[name], column, f"lookup {name}, {role}") for column, role in wanted.items()
                  if column not in lookups[name].by_name]  # fmt: skip
    wrong += [_lacks(table, column, role) for table, column, role in others if column not in table.by_name]
    if wrong:
        raise UsageError(
            f"Mapping {spec.label} does not fit its tables: {'; '.join(wrong)}.",
            kept="Nothing was changed.",
            todo="Mend the stage's expand file or the mapping in plan.yaml.",
        )


def _columns(spec: Kind, target: Table) -> Iterator[str]:
    for column, role in dict.fromkeys(_named(spec)):
        if column not in target.by_name:
            yield _lacks(target, column, role)


def _named(spec: Kind) -> Iterator[tuple[str, str]]:
    """Every target column that the mapping speaks of, and as what."""
    yield from ((name, str(path[0])) for name, path in spec.filled.items())
    yield from ((name, "on_source_delete") for name in spec.on_delete)


def _types(spec: Kind, target: Table) -> Iterator[str]:
    wanted = {spec.originals_column: ("jsonb", "originals"), spec.exempt_column: ("_text", "exempt_column")}
    wanted |= dict.fromkeys(spec.documents, ("jsonb", "pack"))
    for name, (kind, role) in wanted.items():
        column = target.by_name.get(name or "")
        if column is not None and column.type != kind:
            words = "text[]" if kind == "_text" else kind
            yield f"{target.label}.{column.name} ({role}) is {column.sql_type} and must be {words}"


def plain_only(spec: Kind) -> str | None:
    """Why a mapping cannot fill a partitioned table, and what can; None for one that can, as it keeps keys unique itself."""
    if spec.keeps_unique or not spec.conflict:
        return None
    return (
        f"{spec.target} is partitioned, and mapping {spec.label} is a {spec.kind}, which writes plain tables only: it finds "
        f"a row by ({', '.join(spec.conflict)}), by which no partitioned table is unique without its date. Make "
        f"{spec.target} a plain table; a `derive` of a later stage that has it under `sources` fills a partitioned table "
        "beside it"
    )


def _keys(spec: Kind, target: Table) -> Iterator[str]:
    """What ON CONFLICT needs."""
    wanted = spec.conflict
    if target.kind == "p" and (refused := plain_only(spec)):
        yield refused
        return
    keys = [set(key) for key in target.unique_keys]
    if not wanted or not set(wanted) <= target.by_name.keys() or set(wanted) in keys:
        return
    if target.kind == "p" and any(set(wanted) < key for key in keys):
        return  # of a partitioned table a key has the date as well
    yield f"{target.label} needs a primary key or unique constraint on ({', '.join(wanted)})"


def _lacks(table: Table, column: str, role: str) -> str:
    return f"{table.label} has no column {column!r} ({role}){meant(column, table.by_name)}"
