"""What the migration is for: one employee's report over all scorecards, before and after.

`python -m tests.bench.report`. The same persons are asked for on the legacy tables, one question for each table, with an
index on `employee_email` and without, and on the new ones, one question. All of it over a local socket or loopback, where
a question costs next to nothing: to each further question a real network adds a round trip, so what is told is also the
round trip (ms) from which on the new report is the faster one, where it is not anyway.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from typing import TYPE_CHECKING, Any

import asyncpg
from psycopg import sql

from orchestrator.demo.application import legacy_side, tables, unified_side
from orchestrator.demo.legacy import generate
from orchestrator.demo.server import EmbeddedServer
from orchestrator.engine import commands
from orchestrator.kernel.connections import asyncpg_uri, connect
from orchestrator.kernel.events import Bus
from tests.bench.main_road import SERVER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import psycopg

_PERSONS = (
    "SELECT lower(btrim(employee_email)) FROM public.email_audit WHERE employee_email LIKE '%%@%%' ORDER BY id LIMIT %s"
)
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
JOIN changeover.source s ON s.oid = i.indrelid JOIN changeover.mapping m ON m.id = s.mapping_id
WHERE m.name = 'audits' AND a.attname = 'employee_email'
"""


def migrate(dsn: str, audits: int, count: int) -> None:
    """Both sides, complete and vacuumed."""
    generate(dsn, audits=audits, tables=count, seed=1)
    commands.init(dsn)
    commands.start(dsn, "cqms", until="verify", workers=2, bus=Bus(), operator="bench")
    with connect(dsn) as conn:
        conn.execute("VACUUM (ANALYZE)")


async def asked(dsn: str, persons: list[str], *, new: bool) -> tuple[float, float]:
    """Median milliseconds of a report, and how many audits a report has."""
    conn = await asyncpg.connect(asyncpg_uri(dsn))
    try:
        found = await tables.discover(conn)
        question: Callable[[str], Awaitable[int]] = (
            (lambda email: unified_side.report(conn, email))
            if new
            else (lambda email: legacy_side.report(conn, found, email))
        )
        taken, rows = [], []
        for round_ in range(3):  # the first one fills the caches
            for email in persons:
                begun = time.perf_counter()
                rows.append(await question(email))
                if round_:
                    taken.append(1000 * (time.perf_counter() - begun))
        return statistics.median(taken), statistics.mean(rows)
    finally:
        await conn.close()


def indexes(conn: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """The legacy tables' indexes on the employee: name, and how to make it again."""
    return [(str(name), str(made)) for name, made in conn.execute(_INDEXES).fetchall()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audits", type=int, default=1_000_000)
    parser.add_argument("--tables", type=int, default=20)
    parser.add_argument("--persons", type=int, default=25)
    options = parser.parse_args()
    with EmbeddedServer(SERVER) as server:
        server.create_database("bench")
        dsn = server.owner_dsn("bench")
        migrate(dsn, options.audits, options.tables)
        with connect(dsn) as conn:
            persons = [email for (email,) in conn.execute(_PERSONS, (options.persons,)).fetchall()]
            new, rows = asyncio.run(asked(dsn, persons, new=True))
            indexed, _ = asyncio.run(asked(dsn, persons, new=False))
            for name, _made in indexes(conn):
                conn.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
            bare, _ = asyncio.run(asked(dsn, persons[: max(1, options.persons // 5)], new=False))
    print(f"a report of {rows:,.0f} audits over {options.tables} tables")  # noqa: T201 - this is the command's output
    for name, legacy in (("indexed", indexed), ("unindexed", bare)):
        trip = max(0.0, (new - legacy) / (options.tables - 1))
        print(  # noqa: T201
            f"legacy, {name}: {legacy / new:.2f} times the {new:.1f} ms of the new one; faster from a round trip of {trip:.2f} ms on"
        )


if __name__ == "__main__":
    main()
