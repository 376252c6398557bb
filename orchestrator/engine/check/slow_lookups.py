"""Lookups that no index serves: each row of the copy and each mirrored write would read the whole table.

The planner is asked, not the text: with sequential scans switched off it takes an index wherever one helps. The row
that looks up is one of NULLs of the right types, behind a fence (OFFSET 0) that keeps the planner from computing with
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping import catalog
from orchestrator.plan.references import references

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchestrator.mapping.kinds import Mapping
    from orchestrator.mapping.model import Lookup
    from orchestrator.plan.loader import LoadedPlan

_MANY: Final = 1_000
"""A table of fewer rows is read whole in no time."""
_ONLY_INDEXES: Final = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
    "SET LOCAL enable_material = off; SET LOCAL enable_memoize = off; SET LOCAL statement_timeout = '10s'; "
    "SET LOCAL transaction_read_only = on"
)
_CONDITIONS: Final = ("Index Cond", "Recheck Cond", "TID Cond")


def notes(conn: psycopg.Connection[Any], plan: LoadedPlan, stages: Collection[str]) -> Iterator[str]:
    """One line for each lookup of these stages that reads a large table whole."""
    for stage in plan.model.stages:
        for mapping in stage.mappings if stage.stage in stages else ():
            for name, lookup in mapping.lookups.items():
                rows = _rows(conn, lookup)
                if rows >= _MANY and _served(conn, mapping, name, lookup) is False:
                    yield (
                        f"stage {stage.stage}, mapping {mapping.label}: no index serves lookup {name}. For each row of "
                        f"the copy and each mirrored write, {lookup.match} reads all of {lookup.table} (about {rows} "
                        "rows): make an index on what it compares, with CREATE INDEX CONCURRENTLY, before `start`"
                    )


def _rows(conn: psycopg.Connection[Any], lookup: Lookup) -> int:
    oid = catalog.find(conn, lookup.table)
    return 0 if oid is None else catalog.read_table(conn, oid).rows


def _served(conn: psycopg.Connection[Any], mapping: Mapping, name: str, lookup: Lookup) -> bool | None:
    """Whether an index finds the row; None where it cannot be told (an expression needs what is not there yet)."""
    fence = " CROSS JOIN ".join(_row_of_nulls(mapping, name, lookup.match)) or "(SELECT) nothing"
    table = catalog.require(conn, lookup.table).sql
    found = f"(SELECT FROM {table} {quote(name)} WHERE {lookup.match} OFFSET 0)"
    query = f"EXPLAIN (FORMAT JSON) SELECT FROM {fence} CROSS JOIN LATERAL {found} found"
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(_ONLY_INDEXES)
            row = conn.execute(query.encode()).fetchone()
    except psycopg.Error:
        return None
    return None if row is None else any(_has_condition(node) for node in _nodes(row[0][0]["Plan"]))


def _row_of_nulls(mapping: Mapping, name: str, match: str) -> Iterator[str]:
    """A row of NULLs for each alias that the condition names beside the lookup's own."""
    columns: dict[str, list[str]] = {}
    for reference in references(match):
        if reference.head != name:
            columns.setdefault(reference.head, []).append(reference.column)
    for alias, names in columns.items():
        typed = (f"NULL::{mapping.type_of(alias, column)} AS {quote(column)}" for column in names)
        yield f"(SELECT {', '.join(typed)} OFFSET 0) {quote(alias)}"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _has_condition(node: dict[str, Any]) -> bool:
    return any(key in node for key in _CONDITIONS)
