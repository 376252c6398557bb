"""Both drivers' connections: recognisable, in UTC, and in the state that was asked for."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from orchestrator.kernel.connections import connect, connect_rows
from orchestrator.kernel.errors import RetryableError, translate
from tests.support.database import Database

WHO = "SELECT current_setting('application_name'), current_setting('TimeZone'), current_user"


def test_control_connection(database: Database) -> None:
    with connect(database.dsn) as conn:
        assert conn.execute(WHO).fetchone() == ("changeover/control", "UTC", database.server.owner)
        assert conn.autocommit
    with connect(database.dsn, autocommit=False, role="verify") as conn:
        assert not conn.autocommit
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        row = conn.execute(WHO).fetchone()
        assert row is not None
        assert row[:2] == ("changeover/verify", "UTC")


def test_the_time_zone_outlives_a_rollback(database: Database) -> None:
    with connect(database.dsn, autocommit=False) as conn:
        conn.execute("SELECT 1")
        conn.rollback()
        assert conn.execute("SHOW TimeZone").fetchone() == ("UTC",)


def test_the_users_own_options_survive(database: Database) -> None:
    dsn = psycopg.conninfo.make_conninfo(database.dsn, options="-c search_path=elsewhere")
    with connect(dsn) as conn:
        assert conn.execute("SHOW search_path").fetchone() == ("elsewhere",)

    async def rows() -> str:
        conn = await connect_rows(dsn)
        try:
            path: str = await conn.fetchval("SHOW search_path")
        finally:
            await conn.close()
        return path

    assert asyncio.run(rows()) == "elsewhere"


@pytest.mark.parametrize("uri", [True, False])
def test_rows_connection(database: Database, uri: bool) -> None:  # noqa: FBT001 - a parametrised test
    parts = psycopg.conninfo.conninfo_to_dict(database.dsn)
    address = f"postgresql://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"

    async def who() -> tuple[object, ...]:
        conn = await connect_rows(address if uri else database.dsn, "backfill")
        try:
            row = await conn.fetchrow(WHO)
        finally:
            await conn.close()
        assert row is not None
        return tuple(row)

    assert asyncio.run(who()) == ("changeover/backfill", "UTC", database.server.owner)


def test_nobody_there_is_retryable(database: Database) -> None:
    dead = psycopg.conninfo.make_conninfo(database.dsn, port=1)
    with pytest.raises(psycopg.OperationalError) as control:
        connect(dead)
    assert isinstance(translate(control.value), RetryableError)
    with pytest.raises(ConnectionRefusedError) as rows:
        asyncio.run(connect_rows(dead))
    assert isinstance(translate(rows.value), RetryableError)
