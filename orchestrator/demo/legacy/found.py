"""Counts what a migration made of the legacy database, in the same terms as `Planted`.

Rows per source are counted in the compatibility views: there a row of the unified table shows under the
table it came from. It is for the end of the migration, when nobody writes, and before contract drops the views.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from orchestrator.kernel.connections import connect
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Found:
    """Counts of the migrated side; the fields mean what they mean in `Planted`."""

    rows: dict[str, int]
    rejects: dict[str, dict[str, int]]
    exempt: dict[str, int]
    warnings: dict[str, int]
    employees: int
    placeholders: int
    statuses: dict[str, int]
    totals: dict[str, int]


def find(dsn: str, tables: Iterable[str], *, views: str = "compat") -> Found:
    """Count behind a DSN; `tables` are the legacy tables (`schema.name`) whose views in schema `views` count."""
    with connect(dsn, role="demo") as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rejects: dict[str, dict[str, int]] = defaultdict(dict)
        for table, reason, number in conn.execute(load(__package__, "found_rejects.sql")):
            rejects[table][reason] = number
        numbers: dict[str, dict[str, int]] = defaultdict(dict)
        for subject, name, number in conn.execute(load(__package__, "found_numbers.sql")):
            numbers[subject][name] = int(number)
        rows = {}
        for label in tables:
            view = sql.Identifier(views, label.partition(".")[2])
            rows[label] = sum(row[0] for row in conn.execute(sql.SQL("SELECT count(*) FROM {}").format(view)))
        return Found(
            rows=rows,
            rejects=dict(rejects),
            exempt=numbers["exempt"],
            warnings=dict(conn.execute(load(__package__, "found_warnings.sql")).fetchall()),
            employees=numbers["persons"]["employees"],
            placeholders=numbers["persons"]["placeholders"],
            statuses=numbers["statuses"],
            totals=numbers["totals"],
        )
