"""What the migration is for: one employee's report over all scorecards, before and after.

`python -m tests.bench.report`. The same persons are asked for on the legacy tables, one question for each table, with an
index on `employee_email` and without, and on the new ones, one question: as the tables' owner, and as roles under row-level
security (the service role, a manager who is responsible for everybody, each person). All of it over a local socket or loopback, where
a question costs next to nothing: to each further question a real network adds a round trip, so what is told is also the
round trip (ms) from which on the new report is the faster one, where it is not anyway.

With `--way-back` the same database then goes through contract, is written by both versions, and is taken back (`way_back.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from psycopg import sql

from orchestrator.demo import binaries
from orchestrator.demo.application import legacy_side, tables, unified_side
from orchestrator.demo.legacy import generate, grant_application
from orchestrator.demo.server import EmbeddedServer
from orchestrator.engine import commands
from orchestrator.kernel.connections import asyncpg_uri, connect
from orchestrator.kernel.events import Bus
from tests.bench import way_back
from tests.bench.figures import Figure, Goal, write
from tests.bench.main_road import SERVER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import psycopg

    from orchestrator.demo.databases import Server

_ROUNDS: Final = 5
_SUPABASE: Final = """
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN;
GRANT anon, authenticated, service_role TO {application};
"""
_ACCOUNT: Final = """
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
CREATE SCHEMA IF NOT EXISTS auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
RETURN nullif(current_setting('request.jwt.claim.sub', true), '')::uuid;
GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO authenticated, service_role;
"""
_PERSONS: Final = """
SELECT e.email, e.auth_user_id::text FROM public.employees e
WHERE e.auth_user_id IS NOT NULL AND e.is_active AND e.deleted_at IS NULL AND e.email IN
    (SELECT lower(btrim(employee_email)) FROM public.email_audit WHERE employee_email LIKE '%%@%%' ORDER BY id LIMIT 20000)
ORDER BY md5(e.email) LIMIT %s
"""
_MANAGER: Final = """
UPDATE public.teams SET supervisor_id = (SELECT id FROM public.employees WHERE auth_user_id = %s)
"""
_UNSEEN: Final = "SET session_replication_role = replica"
"""No trigger says that the application has changed a team: the way back would keep it in the archive."""
_INDEXES: Final = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
JOIN changeover.source s ON s.oid = i.indrelid JOIN changeover.mapping m ON m.id = s.mapping_id
WHERE m.name = 'audits' AND a.attname = 'employee_email'
"""


@dataclass(frozen=True)
class Taken:
    """Milliseconds of the reports of some persons, and how many audits a report has."""

    median: float
    p95: float
    rows: float

    def __str__(self) -> str:
        return f"{self.median:.2f} and {self.p95:.2f} ms"


def legacy(server: Server, name: str, audits: int, count: int) -> None:
    """The old database, where Supabase's roles exist; who asks is no owner."""
    server.create_database(name)
    with connect(server.admin_dsn(name)) as conn:
        conn.execute(_SUPABASE.format(application=server.application).encode())
    generate(server.owner_dsn(name), audits=audits, tables=count, seed=1)
    with connect(server.owner_dsn(name)) as conn:
        conn.execute(_ACCOUNT)
    grant_application(server.owner_dsn(name), server.application)


def migrate(dsn: str, stages: Sequence[str | None]) -> None:
    """Both sides, complete and vacuumed."""
    commands.init(dsn)
    for stage in stages:
        commands.start(dsn, "cqms", stage=stage, until="verify", workers=2, bus=Bus(), operator="bench")
    with connect(dsn) as conn:
        conn.execute("VACUUM (ANALYZE)")


async def asked(dsn: str, persons: Sequence[tuple[str, str]], role: str | None, *, new: bool = True) -> Taken:
    """A report for each person, in some rounds; `role` is asked as, with the person's own account or the manager's."""
    conn = await asyncpg.connect(asyncpg_uri(dsn))
    try:
        found = await tables.discover(conn)
        if role is not None:
            await conn.execute(f"SET ROLE {role}")
        question: Callable[[str], Awaitable[int]] = (
            (lambda email: unified_side.report(conn, email))
            if new
            else (lambda email: legacy_side.report(conn, found, email))
        )
        taken, rows = [], []
        for round_ in range(_ROUNDS + 1):  # the first one fills the caches
            for email, account in persons:
                await conn.execute("SELECT set_config('request.jwt.claim.sub', $1, false)", account)
                begun = time.perf_counter()
                rows.append(await question(email))
                if round_:
                    taken.append(1000 * (time.perf_counter() - begun))
        return Taken(statistics.median(taken), statistics.quantiles(taken, n=20)[-1], statistics.mean(rows))
    finally:
        await conn.close()


def indexes(conn: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """The legacy tables' indexes on the employee: name, and how to make it again."""
    return [(str(name), str(made)) for name, made in conn.execute(_INDEXES).fetchall()]


def figures(server: Server, name: str, wanted: int, count: int) -> list[Figure]:
    """The reports of a migrated database; what they need changed is put back."""
    owner, application = server.owner_dsn(name), server.app_dsn(name)
    with connect(owner) as conn:
        persons = [(str(email), str(account)) for email, account in conn.execute(_PERSONS, (wanted,)).fetchall()]
        manager = persons[0][1]
        led_by = conn.execute("SELECT supervisor_id, id FROM public.teams").fetchall()
    with connect(server.admin_dsn(name)) as conn:
        conn.execute(_UNSEEN)
        conn.execute(_MANAGER, (manager,))
        conn.execute("VACUUM (ANALYZE) public.teams")

    def of(role: str | None, asking: Sequence[tuple[str, str]]) -> Taken:
        return asyncio.run(asked(owner if role is None else application, asking, role))

    indexed = asyncio.run(asked(application, persons, None, new=False))
    news = {
        "as the owner": of(None, persons),
        "as the service role": of("service_role", persons),
        "as a manager of all": of("authenticated", [(email, manager) for email, _ in persons]),
        "as the person": of("authenticated", persons),
    }
    with connect(owner) as conn:
        dropped = indexes(conn)
        for index, _made in dropped:
            conn.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(index)))
        bare = asyncio.run(asked(application, persons[: max(1, len(persons) // 5)], None, new=False))
        for _index, made in dropped:
            conn.execute(made.encode())
    with connect(server.admin_dsn(name)) as conn:
        conn.execute(_UNSEEN)
        for supervisor_and_team in led_by:
            conn.execute("UPDATE public.teams SET supervisor_id = %s WHERE id = %s", supervisor_and_team)
    lines = [
        Figure(f"legacy, {what}, {count} questions: median and p95", None, note=str(taken))
        for what, taken in (("indexed", indexed), ("unindexed", bare))
    ]
    for who, new in news.items():
        trip = max(0.0, (new.median - indexed.median) / (count - 1))
        note = f"{new}, {new.rows:,.0f} audits; faster from a round trip of {trip:.2f} ms on"
        lines += [
            Figure(f"new, {who}: indexed legacy ÷ new, median", indexed.median / new.median, "", _FASTER, note),
            Figure(f"new, {who}: indexed legacy ÷ new, p95", indexed.p95 / new.p95, "", _FASTER),
        ]
    return lines


_FASTER: Final = Goal(1, least=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audits", type=int, default=1_000_000)
    parser.add_argument("--tables", type=int, default=20)
    parser.add_argument("--persons", type=int, default=40)
    parser.add_argument("--way-back", action="store_true", help="then contract, writes of both versions, rollback")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--stage", action="append", help="these stages of the plan (repeatable); all of them otherwise")
    options = parser.parse_args()
    stages = options.stage or [None]
    with EmbeddedServer(SERVER, binaries.locate()) as server:
        began = time.monotonic()
        legacy(server, "bench", options.audits, options.tables)
        before = way_back.Before.of(server, "bench") if options.way_back else None
        _say(began, "the old database is there")
        migrate(server.owner_dsn("bench"), stages)
        _say(began, "it is migrated, both sides are complete")
        measured = figures(server, "bench", options.persons, options.tables)
        write(_title(server, options), measured, as_json=options.json)
        if before is not None:
            _say(began, "the reports are measured")
            measured = way_back.figures(server, "bench", before, stages, lambda text: _say(began, text))
            write(f"the way back of {options.audits:,} audits", measured, as_json=options.json)


def _title(server: Server, options: argparse.Namespace) -> str:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"a report over {options.tables} tables with {options.audits:,} audits, PostgreSQL {server.installation.version}, load {load}"


def _say(began: float, text: str) -> None:
    sys.stderr.write(f"{time.monotonic() - began:6.0f} s, load {os.getloadavg()[0]:.1f}: {text}\n")


if __name__ == "__main__":
    main()
