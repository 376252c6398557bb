"""Lookups that no index serves: each row of the copy and each mirrored write would read a whole table.

The planner is asked, not the text: with sequential scans switched off it takes an index wherever one helps. The row
that looks up is one of NULLs of the right types, behind a fence (OFFSET 0) that keeps the planner from computing with
them. What a condition reads beside the looked-up table (a subquery) counts as well. The text only says which index
would help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg

from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.kernel.sqltokens import bare_column, tokens, with_columns
from orchestrator.mapping import catalog
from orchestrator.plan.references import references

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchestrator.mapping.catalog import Table
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
_TWO: Final = 2
_CONDITIONS: Final = ("Index Cond", "Recheck Cond", "TID Cond")


def notes(conn: psycopg.Connection[Any], plan: LoadedPlan, stages: Collection[str]) -> Iterator[str]:
    """One line for each large table that a lookup of these stages reads whole."""
    for stage in plan.model.stages:
        for mapping in stage.mappings if stage.stage in stages else ():
            for name, lookup in mapping.lookups.items():
                for table in _read_whole(conn, mapping, name, lookup):
                    what = f"{lookup.match} reads all of {table.label} (about {table.rows} rows)"
                    yield (
                        f"stage {stage.stage}, mapping {mapping.label}: no index serves lookup {name}. For each row of "
                        f"the copy and each mirrored write, {what}: make an index on what it compares, before `start`"
                        f"{_index(name, lookup, table)}"
                    )


def _read_whole(conn: psycopg.Connection[Any], mapping: Mapping, name: str, lookup: Lookup) -> list[Table]:
    """The large tables of which the condition reads all rows; none where it needs what is not there yet."""
    oid = catalog.find(conn, lookup.table)
    if oid is None:
        return []
    fence = " CROSS JOIN ".join(_row_of_nulls(mapping, name, lookup.match)) or "(SELECT) nothing"
    found = f"(SELECT FROM {catalog.read_table(conn, oid).sql} {quote(name)} WHERE {lookup.match} OFFSET 0)"
    query = f"EXPLAIN (FORMAT JSON, VERBOSE) SELECT FROM {fence} CROSS JOIN LATERAL {found} found"
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(_ONLY_INDEXES)
            row = conn.execute(query.encode()).fetchone()
    except psycopg.Error:
        return []
    scans = [] if row is None else [node for node in _nodes(row[0][0]["Plan"]) if "Relation Name" in node]
    whole = {qualified(n["Schema"], n["Relation Name"]) for n in scans if not any(key in n for key in _CONDITIONS)}
    tables = [catalog.require(conn, each) for each in sorted(whole)]
    return [table for table in tables if table.rows >= _MANY]


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


def _index(name: str, lookup: Lookup, table: Table) -> str:
    """The statement that makes the index, where the condition says `something of the row = something else`."""
    if not (compared := list(dict.fromkeys(_compared(lookup.match, name, table)))):
        return ""
    return f": CREATE INDEX CONCURRENTLY ON {table.sql} ({', '.join(compared)})"


def _compared(match: str, name: str, table: Table) -> Iterator[str]:
    """Each side of an equation of the condition that is made of a row of the lookup alone, as an index has it."""
    for conjunct in _pieces(match, "and"):
        sides = _pieces(conjunct, "=")
        heads = [{each.head for each in references(side)} for side in sides]
        if len(sides) != _TWO:
            continue
        for side, own, other in zip(sides, heads, reversed(heads), strict=True):
            if own == {name} and name not in other and not any(token.says("select") for token in tokens(side)):
                column = bare_column(side)
                if column is None or column[1] in table.by_name:
                    text = with_columns(side, name, quote)
                    yield text if column is not None else f"({text})"


def _pieces(text: str, word: str) -> list[str]:
    """The text, cut at each of these words that no parentheses hold."""
    pieces, begin = [], 0
    for token in tokens(text):
        if token.depth == 0 and token.says(word):
            pieces.append(text[begin : token.start].strip())
            begin = token.end
    return [*pieces, text[begin:].strip()]
