"""How long the way back takes after contract, when both versions have written since.

The demo's own writes are used: inserts, updates and deletes of audits, by the old names as the application's role and to
the unified table as the service role, each in a transaction of its own. Their journal says what must be there in the
end. Rows that nobody wrote are hashed before the migration and after the rollback.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from psycopg import sql

from orchestrator.demo import dump
from orchestrator.demo.application import legacy_side, tables, unified_side
from orchestrator.demo.application.check import check_acknowledged
from orchestrator.demo.application.rows import Audit
from orchestrator.engine import commands
from orchestrator.kernel.connections import asyncpg_uri, connect
from orchestrator.kernel.events import Bus
from tests.bench import worlds
from tests.bench.figures import Figure, Goal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestrator.demo.application.journal import Entry
    from orchestrator.demo.application.tables import LegacyTable
    from orchestrator.demo.databases import Server

_GOAL: Final = Goal(900)
_INSERTS: Final = 100
"""New audits of each version and table."""
_WRITTEN: Final = "hashtext(t.id::text) & 127"
"""Of this number: 0 and 1 are updated and deleted by the old version, 2 and 3 by the new one; the others are nobody's."""
_DIGEST: Final = (
    "SELECT count(*)::text || ' rows, ' || coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {} AS t WHERE "
    + _WRITTEN
    + " > 3 AND coalesce(to_jsonb(t) ->> 'interaction_id', '') NOT LIKE 'bench-%%'"
)
_MINE: Final = "SELECT t.id::text AS id, " + _WRITTEN + " AS number FROM {} AS t WHERE " + _WRITTEN + " <= 3"
_MIGRATED: Final = "SELECT id::text FROM public.audits WHERE id::text = ANY ($1)"
_EMAILS: Final = "SELECT email FROM public.employees WHERE email LIKE '%@%' ORDER BY md5(email) LIMIT 200"


@dataclass(frozen=True)
class Before:
    """The old database, before anything of ours is in it."""

    schema: str
    tables: Sequence[LegacyTable]
    digests: dict[str, str]

    @classmethod
    def of(cls, server: Server, name: str) -> Before:
        """Look at it."""
        found = asyncio.run(_discovered(server.app_dsn(name)))
        return cls(dump.schema(server, name), found, _digests(server.owner_dsn(name), found))


async def _discovered(dsn: str) -> Sequence[LegacyTable]:
    conn = await asyncpg.connect(asyncpg_uri(dsn))
    try:
        return await tables.discover(conn)
    finally:
        await conn.close()


def _digests(dsn: str, found: Sequence[LegacyTable]) -> dict[str, str]:
    with connect(dsn) as conn:
        conn.execute("SET timezone = 'UTC'")
        rows = {
            each.label: conn.execute(sql.SQL(_DIGEST).format(sql.Identifier(each.schema, each.name))).fetchone()
            for each in found
        }
    return {label: str(row[0]) for label, row in rows.items() if row}


def figures(
    server: Server, name: str, before: Before, stages: Sequence[str | None], say: Callable[[str], None]
) -> list[Figure]:
    """Contract, writes, rollback; then everything is compared."""
    owner = server.owner_dsn(name)
    for stage in stages:
        worlds.contract(owner, "cqms", stage)
    say("contracted")
    journal = asyncio.run(_written(server.app_dsn(name), before.tables))
    say(f"{len(journal):,} writes of both versions after contract")
    load, began = os.getloadavg()[0], time.monotonic()
    commands.rollback(owner, "cqms", bus=Bus(), operator=worlds.OPERATOR)
    seconds = time.monotonic() - began
    say("taken back")
    commands.uninstall(owner)
    verdict = check_acknowledged(owner, journal)
    after = _digests(owner, before.tables)
    changed = [label for label, digest in before.digests.items() if after[label] != digest]
    now = dump.schema(server, name)
    lines = list(difflib.unified_diff(before.schema.splitlines(), now.splitlines(), n=0, lineterm=""))
    told = f"load {load:.1f}; {len(journal):,} writes of both versions"
    return [
        Figure("rollback after contract", seconds, "s", _GOAL, told),
        Figure("acknowledged writes that are not there", len(verdict.differences), "", Goal(0)),
        Figure("tables whose other rows have changed", len(changed), "", Goal(0), ", ".join(changed)),
        Figure(
            "lines of the schema dump that differ",
            len(lines),
            "",
            Goal(0),
            "; ".join(each for each in lines if "CREATE" in each),
        ),
    ]


async def _written(dsn: str, found: Sequence[LegacyTable]) -> list[Entry]:
    old, new = [await asyncpg.connect(asyncpg_uri(dsn)) for _ in range(2)]
    try:
        await new.execute("SET ROLE service_role")
        dice = random.Random(1)
        emails = [row["email"] for row in await new.fetch(_EMAILS)]
        journal: list[Entry] = []
        for table in found:
            journal += await _of_table(old, new, table, dice, emails)
        return journal
    finally:
        await old.close()
        await new.close()


async def _of_table(
    old: asyncpg.Connection, new: asyncpg.Connection, table: LegacyTable, dice: random.Random, emails: Sequence[str]
) -> list[Entry]:
    rows: Sequence[Any] = await old.fetch(_MINE.format(table.sql))
    audits = [(Audit(table, row["id"], row["id"] if table.uuid_key else None, ""), int(row["number"])) for row in rows]
    there = {row["id"] for row in await new.fetch(_MIGRATED, [row["id"] for row in rows])}
    journal: list[Entry] = []
    for audit, number in audits:
        match number:
            case 0:
                journal += await legacy_side.update(old, [audit], [table.scores(dice)])
            case 1:
                journal += await legacy_side.delete(old, audit)
            case 2 if audit.unified_id in there:
                journal += await unified_side.update(new, [audit], dice)
            case 3 if audit.unified_id in there:
                journal += await unified_side.delete(new, audit)
            case _:
                pass
    if "interaction_id" in table.columns and table.scorecard:
        for number in range(_INSERTS):
            who = (dice.choice(emails), dice.choice(emails))
            for side, conn in ((legacy_side, old), (unified_side, new)):
                if who[0] != who[1]:
                    name = f"bench-{table.label}-{side is unified_side}-{number}"
                    journal += (await side.insert(conn, table, dice, who, name))[1]
    return journal
