"""What `ALTER ROLE … SET` says for an application's sessions is set aside in ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import orchestrator
from orchestrator.kernel.connections import connect, connect_rows
from tests.support.cli import Cli
from tests.support.database import Database

EXAMPLE = Path(orchestrator.__file__).parent / "plans" / "example"
HOSTILE = (
    "datestyle = 'German, DMY'",
    "intervalstyle = 'iso_8601'",
    "bytea_output = 'escape'",
    "extra_float_digits = -5",
    "standard_conforming_strings = off",
    "quote_all_identifiers = on",
    "transform_null_equals = on",
    "timezone = 'Asia/Kolkata'",
    "default_transaction_isolation = 'serializable'",
    "default_transaction_deferrable = on",
    "statement_timeout = '150ms'",
    "lock_timeout = '100ms'",
    "idle_in_transaction_session_timeout = '150ms'",
    "idle_session_timeout = '150ms'",
    "plan_cache_mode = 'force_generic_plan'",
)


@pytest.fixture
def hostile(database: Database) -> Database:
    """A database with the example's old tables, whose owner has settings that no session of ours is made for."""
    database.run((EXAMPLE / "legacy.sql").read_text())
    owner = database.value("SELECT current_user")
    for setting in HOSTILE:
        database.connect("admin").execute(f'ALTER ROLE "{owner}" IN DATABASE {database.name} SET {setting}'.encode())
    return database


@pytest.mark.every
def test_both_kinds_of_session_read_write_and_wait_as_ever(hostile: Database) -> None:
    asked = (
        "SELECT timestamptz '2026-03-04 05:06:07+00', '1 day 02:03'::interval::text, '\\x00ff'::bytea::text, "
        "current_setting('transaction_isolation'), current_setting('statement_timeout'), "
        "current_setting('idle_in_transaction_session_timeout'), current_setting('jit')"
    )
    with connect(hostile.dsn) as conn:
        row = conn.execute(asked.encode()).fetchone()
    assert row is not None

    async def rows() -> tuple[Any, ...]:
        other = await connect_rows(hostile.dsn)
        try:
            return tuple(await other.fetchrow(asked) or ())
        finally:
            await other.close()

    for said in (row, asyncio.run(rows())):
        assert said[0].isoformat() == "2026-03-04T05:06:07+00:00"
        assert said[1:] == ("1 day 02:03:00", "\\x00ff", "read committed", "0", "0", "off")


def test_a_plan_goes_its_way_and_back(hostile: Database) -> None:
    cli, before = Cli(hostile.dsn), hostile.schema_dump()
    cli.ok("init")
    cli.ok("start", "example", "--until", "verify")
    assert all(each["clean"] for each in cli.ok("verify", "--plan", "example", "--json").json)
    cli.ok("rollback", "--yes", "--plan", "example")
    assert hostile.schema_dump(["changeover"]) == before


def test_a_role_that_only_reads_is_told_where_to_look(hostile: Database) -> None:
    Cli(hostile.dsn).ok("init")
    hostile.connect("admin").execute(f"ALTER DATABASE {hostile.name} SET default_transaction_read_only = on".encode())
    refused = Cli(hostile.dsn)("start", "example")
    assert refused.code == 5
    assert "`changeover doctor` says which" in refused.err
    assert "default_transaction_read_only = off" in " ".join(Cli(hostile.dsn)("doctor").out.split())
