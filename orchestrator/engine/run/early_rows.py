"""Rows that the new application wrote before the mirror of their table was on: the old table is told of them.

A new table is there from expand on, and nothing keeps the application from writing it. Such a row has no old row, as
one has that the old side has deleted past its mirror, and the comparison cannot tell the two apart: a repair would take
it away. So when the triggers are committed, each row that stands there without an old row waits in the queue to be
written back, as a row does that the mirror could not write at once. One that the mirror has made has its old row in the
same snapshot: the old application may change its key in the next moment, and must find nothing that waits to be written
back for it. What has an old row is derived again from that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

_TELL: Final = """
    INSERT INTO changeover.queue (source_id, direction, key, cause, patch)
    SELECT {id}, CASE WHEN l.lacks THEN 'reverse' ELSE 'forward' END, coalesce(k.key, CAST(g.{key} AS text)), 'early',
           CASE WHEN l.lacks THEN jsonb_build_object('whole', CAST(g.{key} AS text)) END
    FROM {target} g
    CROSS JOIN LATERAL (SELECT changeover.{key_of}(g) AS key) k
    CROSS JOIN LATERAL (SELECT coalesce(k.key IN ({without_old_row}), k.key IS NULL) AS lacks) l
    WHERE {mine}
      AND NOT EXISTS (SELECT FROM changeover.queue c WHERE c.source_id = {id} AND c.key = k.key)
      AND NOT EXISTS (  -- those of another mapping are nobody's early rows
          SELECT FROM changeover.source z JOIN changeover.mapping m ON m.id = z.mapping_id
          JOIN changeover.mapping o ON o.target_oid = m.target_oid AND o.id <> m.id
          JOIN changeover.source y ON y.mapping_id = o.id AND y.state <> 'found'
          WHERE z.id = {id})
"""


def tell(conn: psycopg.Connection[Any], source: int) -> None:
    """Leave the rows of a source that stand in the new table to the drain."""
    with conn.transaction():
        row = conn.execute("SELECT changeover.fragments(%s)", (source,)).fetchone()
        says: dict[str, Any] = {} if row is None else row[0]
        if not says.get("returns") or "id_of" not in says:
            return  # one old row is not one new row there
        found = sql.SQL(_TELL).format(
            id=sql.Literal(source),
            key_of=sql.Identifier(f"m{source}_key"),
            key=sql.Identifier(says["target_key"]),
            target=sql.SQL(says["target"]),
            mine=sql.SQL(says["mine"]),
            without_old_row=sql.SQL(says["left_over"]),
        )
        conn.execute(found)
