"""What the application does with the legacy tables: the old version always, the new one until its flag is on.

Each method is one write of one row and returns the journal's entries for it; a transaction of several is
several calls inside one. An UPDATE or DELETE that does not find its row is a failure like any error: the
row is the client's own, so somebody else has lost it.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from orchestrator.demo.application.journal import Entry
from orchestrator.demo.application.rows import Audit, LostRowError, expect_rows
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    import asyncpg

    from orchestrator.demo.application.tables import LegacyTable

PEOPLE: Final = "public.people"
USERS: Final = "public.users"


async def report(conn: asyncpg.Connection, tables: Sequence[LegacyTable], email: str) -> int:
    """One employee's audits over all scorecards: one question per table, put together here."""
    found: list[Any] = []
    for table in tables:
        found += await conn.fetch(table.report(), email)
    found.sort(key=lambda row: str(row["submitted_at"]), reverse=True)
    return len(found)


async def month(conn: asyncpg.Connection, tables: Sequence[LegacyTable], since: datetime) -> int:
    """A month's numbers over all scorecards."""
    until = since + timedelta(days=30)
    return sum([row["audits"] for table in tables for row in await conn.fetch(table.month(), since, until)])


async def submitted(conn: asyncpg.Connection, tables: Sequence[LegacyTable], email: str) -> list[Any]:
    """One employee's submitted audits over all scorecards, in any spelling of the address."""
    return [row for table in tables for row in await conn.fetch(table.submitted(), email)]


async def lookup(conn: asyncpg.Connection, email: str) -> dict[str, Any]:
    """Who is behind an address."""
    person = await conn.fetchrow(load(__package__, "legacy_lookup.sql"), email)
    await conn.fetch(load(__package__, "legacy_account.sql"), email)
    return {} if person is None else {"name": person["name"], "active": person["is_active"]}


async def insert(
    conn: asyncpg.Connection, table: LegacyTable, dice: random.Random, who: tuple[str, str], interaction: str
) -> tuple[Audit, list[Entry]]:
    """A new audit of `who` (employee, auditor)."""
    now = datetime.now(UTC).replace(microsecond=0)
    seconds = dice.randrange(60, 4000)
    spelled = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    values: dict[str, Any] = {
        "employee_email": who[0],
        "employee_name": "Somebody",
        "auditor_email": who[1],
        "interaction_id": interaction,
        # A date in UTC, whatever the column makes of it; the application's sessions live in another zone.
        "interaction_date": f"{now.date()}T00:00:00+00:00" if _is_moment(table) else now.date().isoformat(),
        "channel": "Email",
        "transcript": "Agent: how can I help you? " * dice.randrange(1, 20),
        "submitted_at": now.isoformat(),
        "audit_duration": spelled if table.columns.get("audit_duration") == "text" else seconds,
        **table.scores(dice),
    }
    values = {name: value for name, value in values.items() if name in table.columns}
    if not table.makes_id:
        values["id"] = str(uuid.UUID(int=dice.getrandbits(128), version=4)) if table.uuid_key else interaction
    key = await conn.fetchval(table.insert(list(values)), json.dumps(values))
    if key is None:
        raise LostRowError(f"{table.label}: the new row came back without an id")
    audit = Audit(table, key, key if table.uuid_key else None, interaction)
    return audit, [Entry(table.label, key, "write", values)]


async def update(conn: asyncpg.Connection, audits: Sequence[Audit], values: Sequence[dict[str, Any]]) -> list[Entry]:
    """New values for audits of one table, the same columns for each."""
    table = audits[0].table
    rows = [{"id": audit.id, **new} for audit, new in zip(audits, values, strict=True)]
    status = await conn.execute(table.update(list(values[0])), json.dumps(rows))
    expect_rows(status, len(rows), table.label, rows)
    return [Entry(table.label, audit.key, "write", new) for audit, new in zip(audits, values, strict=True)]


async def delete(conn: asyncpg.Connection, audit: Audit) -> list[Entry]:
    """Delete an audit."""
    status = await conn.execute(audit.table.delete(), json.dumps({"id": audit.id}))
    expect_rows(status, 1, audit.table.label, audit.id)
    return [Entry(audit.table.label, audit.key, "delete")]


async def hire(conn: asyncpg.Connection, email: str, number: str) -> list[Entry]:
    """A new person."""
    values = {"name": f"Person {number}", "designation": "Agent L1", "employee_id": number, "login_count": 0}
    await conn.execute(load(__package__, "person_insert.sql"), email, *values.values())
    return [Entry(PEOPLE, email, "write", {**values, "is_active": True}, by="email")]


async def change_person(conn: asyncpg.Connection, email: str, dice: random.Random) -> list[Entry]:
    """Another designation, another count."""
    values = {
        "designation": dice.choice(("Agent L2", "Senior", "Lead")),
        "is_active": dice.random() > 0.2,  # noqa: PLR2004 - one in five
        "login_count": dice.randrange(500),
    }
    expect_rows(await conn.execute(load(__package__, "person_update.sql"), email, *values.values()), 1, PEOPLE, email)
    return [Entry(PEOPLE, email, "write", values, by="email")]


async def rename_person(conn: asyncpg.Connection, email: str, new: str, known: dict[str, Any]) -> list[Entry]:
    """Another e-mail: the key itself changes."""
    expect_rows(await conn.execute(load(__package__, "person_rename.sql"), email, new), 1, PEOPLE, email)
    return [Entry(PEOPLE, email, "delete", by="email"), Entry(PEOPLE, new, "write", known, by="email")]


async def fire(conn: asyncpg.Connection, email: str) -> list[Entry]:
    """The person is deleted."""
    expect_rows(await conn.execute(load(__package__, "person_delete.sql"), email), 1, PEOPLE, email)
    return [Entry(PEOPLE, email, "delete", by="email")]


async def log_in(conn: asyncpg.Connection, email: str) -> list[Entry]:
    """Count a login of somebody whom every client counts."""
    expect_rows(await conn.execute(load(__package__, "person_login.sql"), email), 1, PEOPLE, email)
    return [Entry(PEOPLE, email, "add", {"login_count": 1}, by="email")]


async def sign_up(conn: asyncpg.Connection, key: str, email: str) -> list[Entry]:
    """A new account: the provider's row, then ours."""
    name = f"Account {key[:8]}"
    await conn.execute(load(__package__, "auth_insert.sql"), key, email)
    await conn.execute(load(__package__, "account_insert.sql"), key, email, name)
    return [Entry(USERS, key, "write", {"email": email, "full_name": name, "sign_in_count": 1})]


async def change_account(conn: asyncpg.Connection, key: str, dice: random.Random) -> list[Entry]:
    """A sign-in, and another name."""
    values = {"full_name": f"Renamed {dice.randrange(1000)}", "sign_in_count": dice.randrange(2, 900)}
    expect_rows(await conn.execute(load(__package__, "account_update.sql"), key, *values.values()), 1, USERS, key)
    return [Entry(USERS, key, "write", values)]


async def rename_account(conn: asyncpg.Connection, key: str, email: str) -> list[Entry]:
    """Another e-mail for an account."""
    expect_rows(await conn.execute(load(__package__, "account_rename.sql"), key, email), 1, USERS, key)
    return [Entry(USERS, key, "write", {"email": email})]


def _is_moment(table: LegacyTable) -> bool:
    return table.columns.get("interaction_date") == "timestamp with time zone"
