"""Which old rows the rows of a broken unique index come from: it is they that a person has to mend.

Asked of the function that a mirror of the new side asks for the old key of its row. A kind whose rows have no old key
of their own has no such function; then the new rows are all that is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from orchestrator.engine import queries
from orchestrator.kernel.sqlcursor import sql_name

if TYPE_CHECKING:
    from orchestrator.engine.check.broken_rows import Broken
    from phases.statements import IndexHead

_SHOWN: Final = 10
_PATIENCE: Final = "SET LOCAL statement_timeout = '60s'"
_QUERY: Final = """
SELECT DISTINCT k.key FROM {table} t CROSS JOIN LATERAL (SELECT changeover.{key}(t.*) AS key) k
WHERE ({items}) IN (SELECT {numbered} FROM ({broken}) AS b ({numbered}, rows) ORDER BY 1 LIMIT 5)
    AND EXISTS (SELECT FROM changeover.source_rows({source}, ARRAY[k.key], NULL, NULL, NULL, true) r WHERE r.stands)
ORDER BY 1 LIMIT {most}
"""


def of(conn: psycopg.Connection[Any], plan: str, head: IndexHead, broken: Broken) -> list[str]:
    """`table key` of the old rows; none where they cannot be told, or not in time."""
    table, found = sql_name(head.table), list[str]()
    try:
        with conn.transaction():
            conn.execute(_PATIENCE)
            sources = conn.execute(queries.load("keyed_sources.sql"), {"plan": plan, "table": table}).fetchall()
            for number, name in sources:
                query = sql.SQL(_QUERY).format(
                    table=sql.SQL(table),
                    key=sql.Identifier(f"m{number}_key"),
                    source=sql.Literal(number),
                    items=sql.SQL(", ").join(map(sql.SQL, broken.items)),
                    numbered=sql.SQL(", ").join(sql.Identifier(f"c{place}") for place, _ in enumerate(broken.items)),
                    broken=sql.SQL(broken.query),
                    most=sql.Literal(_SHOWN),
                )
                found += [f"{name} {key}" for (key,) in conn.execute(query)]
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        return []
    return found
