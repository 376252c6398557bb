"""What the new version does with the unified tables, once its flag says so.

The journal speaks the legacy tables' terms for both versions (a `total_score` is noted as
`average_score`): while the old tables are kept current, what the new version wrote must stand there too.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from orchestrator.demo.application.journal import Entry
from orchestrator.demo.application.legacy_side import PEOPLE
from orchestrator.demo.application.rows import Audit, LostRowError, expect_rows
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    import asyncpg

    from orchestrator.demo.application.tables import LegacyTable

AUDITS: Final = "public.audits"
EMPLOYEES: Final = "public.employees"
_CORE: Final = ("average_score", "passing_status", "total_errors_count")


async def report(conn: asyncpg.Connection, email: str) -> int:
    """One employee's audits over all scorecards: one question."""
    return len(await conn.fetch(_shipped("employee_report.sql"), email))


async def month(conn: asyncpg.Connection, since: datetime) -> int:
    """A month's numbers over all scorecards."""
    rows = await conn.fetch(_shipped("month_report.sql"), since.date())
    return sum(row["audits"] for row in rows)


async def submitted(conn: asyncpg.Connection, email: str, *, mended: bool) -> list[Any]:
    """One employee's submitted audits, as the first build of the report finds them, or as the mended one does."""
    statement = _shipped("employee_report.sql") if mended else load(__package__, "first_report.sql")
    return [row for row in await conn.fetch(statement, email) if row["submitted_at"] is not None]


async def lookup(conn: asyncpg.Connection, email: str) -> dict[str, Any]:
    """Who is behind an address."""
    person = await conn.fetchrow(load(__package__, "unified_lookup.sql"), email)
    return {} if person is None else {"name": person["name"], "active": person["is_active"]}


async def insert(
    conn: asyncpg.Connection, table: LegacyTable, dice: random.Random, who: tuple[str, str], interaction: str
) -> tuple[Audit, list[Entry]]:
    """A new audit, for the scorecard that has this legacy table."""
    now = datetime.now(UTC).replace(microsecond=0)
    written, document = _scores(table, dice)
    written |= {
        "employee_email": who[0].strip().lower(),
        "auditor_email": who[1].lower(),
        "interaction_id": interaction,
        "interaction_date": now.date().isoformat(),
        "submitted_at": now.isoformat(),
    }
    document |= written | {"scorecard_id": table.scorecard}
    new = await conn.fetchval(load(__package__, "unified_insert.sql"), json.dumps(document))
    if new is None:
        raise LostRowError(f"{AUDITS}: {who} are not both in {EMPLOYEES}")
    audit = Audit(table, new if table.uuid_key else None, new, interaction)
    values = {name: value for name, value in written.items() if table.columns.get(name) not in {None, "text[]"}}
    return audit, [Entry(table.label, audit.key, "write", _comparable(table, values), by=audit.by, version="new")]


async def update(conn: asyncpg.Connection, audits: Sequence[Audit], dice: random.Random) -> list[Entry]:
    """New scores for audits, of whatever scorecards."""
    entries, documents = [], []
    for audit in audits:
        written, document = _scores(audit.table, dice)
        documents.append({**document, "id": audit.unified_id})
        values = _comparable(audit.table, written)
        entries.append(Entry(audit.table.label, audit.key, "write", values, by=audit.by, version="new"))
    status = await conn.execute(load(__package__, "unified_update.sql"), json.dumps(documents))
    expect_rows(status, len(audits), AUDITS, [audit.unified_id for audit in audits])
    return entries


async def move(conn: asyncpg.Connection, audit: Audit, emails: Sequence[str]) -> list[Entry]:
    """The audit is somebody else's: one of these, who did not audit it and is not whom it was of."""
    moved = await conn.fetch(load(__package__, "unified_move.sql"), audit.unified_id, list(emails))
    expect_rows(f"UPDATE {len(moved)}", 1, AUDITS, audit.unified_id)
    # The unified table has no name of its own for the audited person, so the old one shows that of the new one.
    values = _comparable(audit.table, {"employee_email": moved[0]["email"], "employee_name": moved[0]["name"]})
    return [Entry(audit.table.label, audit.key, "write", values, by=audit.by, version="new")]


async def delete(conn: asyncpg.Connection, audit: Audit) -> list[Entry]:
    """Delete an audit."""
    status = await conn.execute(load(__package__, "unified_delete.sql"), audit.unified_id)
    expect_rows(status, 1, AUDITS, audit.unified_id)
    return [Entry(audit.table.label, audit.key, "delete", by=audit.by, version="new")]


async def change_person(conn: asyncpg.Connection, email: str, dice: random.Random) -> list[Entry]:
    """Another designation for an employee who stands in the legacy `people` too."""
    values = {"designation": dice.choice(("Agent L2", "Senior", "Lead")), "is_active": dice.random() > 0.2}  # noqa: PLR2004
    status = await conn.execute(load(__package__, "employee_update.sql"), email, *values.values())
    expect_rows(status, 1, EMPLOYEES, email)
    return [Entry(PEOPLE, email, "write", values, by="email", version="new")]


async def rename_person(conn: asyncpg.Connection, email: str, new: str, known: dict[str, Any]) -> list[Entry]:
    """Another e-mail."""
    status = await conn.execute(load(__package__, "employee_rename.sql"), email, new)
    expect_rows(status, 1, EMPLOYEES, email)
    return [
        Entry(PEOPLE, email, "delete", by="email", version="new"),
        Entry(PEOPLE, new, "write", known, by="email", version="new"),
    ]


async def hire(conn: asyncpg.Connection, email: str, number: str) -> list[Entry]:
    """A new employee, unknown to the legacy tables until the mirror tells them."""
    values = {"name": f"Person {number}", "designation": "Agent L1", "employee_id": number}
    await conn.execute(load(__package__, "employee_insert.sql"), email, *values.values())
    return [Entry(EMPLOYEES, email, "write", values, by="email", version="new")]


def _scores(table: LegacyTable, dice: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """New scores: as the journal notes them, and as the unified table takes them."""
    scores = {"average_score": 50, "passing_status": "pass", "total_errors_count": 0} | table.scores(dice)
    scores["passing_status"] = str(scores["passing_status"]).lower().removesuffix("ed")
    parameters = {name: value for name, value in scores.items() if name not in _CORE}
    core = {name: scores[name] for name in _CORE}
    return core | parameters, core | {"parameters": parameters}


def _comparable(table: LegacyTable, values: dict[str, Any]) -> dict[str, Any]:
    """What of these values a legacy table of these columns can show again, as its own types have it."""
    return {name: value for name, value in values.items() if name in table.columns}


@cache
def _shipped(file: str) -> str:
    """A report of the plan itself: it ships those that its indexes are made for; a pack is data, not a package."""
    return resources.files("orchestrator").joinpath("plans", "cqms", "sql", file).read_text(encoding="utf-8")
