"""The way back of a derive: what would hold it up, and taking the derived rows out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from orchestrator.kernel import sqlfiles
from orchestrator.mapping import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import psycopg

    from orchestrator.mapping.kinds.derive import Derive

_PAIRS = 1000


def referring(conn: psycopg.Connection[Any], spec: Derive, mapping_id: int) -> Iterator[str]:
    """Rows of others that refer to derived rows by a foreign key, in words: they would lose what they refer to."""
    target = catalog.require(conn, spec.target)
    key = sql.SQL(spec.key_text("g"))
    references = conn.execute(sqlfiles.load(__package__, "derive_references.sql"), {"target": target.oid}).fetchall()
    for name, schema, table, ours, theirs in references:
        same = sql.SQL(" AND ").join(
            sql.SQL("r.{} = g.{}").format(sql.Identifier(a), sql.Identifier(b))
            for a, b in zip(ours, theirs, strict=True)
        )
        query = sql.SQL(
            "SELECT count(*) FROM {} r JOIN {} g ON {} JOIN changeover.key_map m ON m.target_key = {} "
            "JOIN changeover.source z ON z.id = m.source_id AND z.mapping_id = %s"
        ).format(sql.Identifier(schema, table), sql.SQL(target.sql), same, key)
        row = conn.execute(query, (mapping_id,)).fetchone()
        if row is not None and row[0]:
            yield f"{schema}.{table} ({name}, {row[0]})"


def made_rows(conn: psycopg.Connection[Any], spec: Derive, mapping_id: int) -> int:
    """How many derived rows the target has."""
    query = sql.SQL(
        "SELECT count(*) FROM changeover.key_map m JOIN changeover.source z ON z.id = m.source_id "
        "JOIN {} g ON {} = m.target_key WHERE z.mapping_id = %s"
    ).format(sql.SQL(catalog.require(conn, spec.target).sql), sql.SQL(spec.key_text("g")))
    row = conn.execute(query, (mapping_id,)).fetchone()
    return 0 if row is None else int(row[0])


def take_back(conn: psycopg.Connection[Any], mapping_id: int) -> tuple[int, int]:
    """Take some derived rows out: how many pairs that were, and how many rows are kept in the archive."""
    pairs = "SELECT FROM changeover.key_map m JOIN changeover.source z ON z.id = m.source_id WHERE z.mapping_id = %s LIMIT 1"
    if conn.execute(pairs, (mapping_id,)).fetchone() is None:
        return 0, 0  # the function may be gone by now
    query = sql.SQL("SELECT taken, kept FROM {}(%s)").format(sql.Identifier("changeover", f"x{mapping_id}_take_back"))
    row = conn.execute(query, (_PAIRS,)).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
