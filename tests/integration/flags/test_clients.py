"""The clients: quick to learn, slow to forget, and silent when the database is away."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from flags import store
from flags.client import AsyncFlagClient
from flags.stages import Stage
from flags.store import By, Change
from flags.sync_client import FlagClient
from orchestrator.kernel.connections import connect, connect_rows
from tests.integration.flags.conftest import FLAG
from tests.support.running import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

    from tests.support.database import Database

ANN = By("ann")
LONG = 600.0  # a polling interval that no test waits for


async def _soon(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if condition():
            return True
        await asyncio.sleep(0.01)
    return condition()


def _async(work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await work()

    asyncio.run(run())


def _end_clients(conn: psycopg.Connection) -> None:
    conn.execute(
        """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
           WHERE application_name = 'changeover/flags' AND datname = current_database()"""
    )


@pytest.mark.parametrize("listen", [True, False])
def test_async_client_follows(
    installed: Database,
    conn: psycopg.Connection,
    verified: store.Flag,
    listen: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async def work() -> None:
        # Announced: at once, however long the interval. Not announced (as behind a pooler): within the interval.
        client = AsyncFlagClient(
            lambda: connect_rows(installed.dsn, "flags"), poll=LONG if listen else 0.1, listen=listen
        )
        async with client:
            assert client.stage(FLAG) is Stage.DUALWRITE
            assert not client.reads_new(FLAG, "key")
            store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
            assert await _soon(lambda: client.reads_new(FLAG, "key"))
            conn.execute("UPDATE changeover.feature_flags SET enabled = false")
            assert await _soon(lambda: not client.reads_new(FLAG, "key"))
            store.delete(conn, FLAG, ANN)
            assert await _soon(lambda: client.stage(FLAG) is None)
            assert client.reads_new(FLAG, default=True)
        assert verified.plan == "cqms"

    _async(work)


@pytest.mark.parametrize("listen", [True, False])
def test_sync_client_follows(
    installed: Database,
    conn: psycopg.Connection,
    verified: store.Flag,
    listen: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    client = FlagClient(lambda: connect(installed.dsn, role="flags"), poll=LONG if listen else 0.1, listen=listen)
    with client:
        assert client.stage(FLAG) is Stage.DUALWRITE
        store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
        eventually(lambda: client.reads_new(FLAG))
        store.set_flag(conn, FLAG, Change(Stage.OFF), ANN)
        eventually(lambda: not client.reads_new(FLAG))
    assert client.stage(FLAG) is Stage.OFF  # closed, it still answers
    assert verified.plan == "cqms"


def test_async_client_survives_the_loss_of_its_connection(
    installed: Database, conn: psycopg.Connection, verified: store.Flag
) -> None:
    async def work() -> None:
        down = False

        async def connect_if_up() -> asyncpg.Connection:
            if down:
                raise OSError
            return await connect_rows(installed.dsn, "flags")

        async with AsyncFlagClient(connect_if_up, poll=0.5) as client:
            store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
            assert await _soon(lambda: client.reads_new(FLAG))
            down = True
            _end_clients(conn)
            store.set_flag(conn, FLAG, Change(Stage.OFF), ANN)
            assert await _soon(lambda: client.last_error is not None)
            assert client.reads_new(FLAG)  # the last known value
            down = False
            assert await _soon(lambda: not client.reads_new(FLAG))
            assert client.age is not None
            assert client.age < LONG

    assert verified.version
    _async(work)


def test_sync_client_survives_the_loss_of_its_connection(
    installed: Database, conn: psycopg.Connection, verified: store.Flag
) -> None:
    with FlagClient(lambda: connect(installed.dsn, role="flags"), poll=0.5) as client:
        _end_clients(conn)
        store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
        eventually(lambda: client.reads_new(FLAG))
        assert client.last_error is not None
    assert verified.version


FORKING = """
import os, sys, time
from flags.sync_client import FlagClient
from orchestrator.kernel.connections import connect

client, flag = FlagClient(lambda: connect(sys.argv[1], role="flags"), poll=0.3), sys.argv[2]
assert client.start(wait=30) and not client.reads_new(flag)
child = os.fork()
print("forked", flush=True)
until = time.monotonic() + 30
while not client.reads_new(flag) and time.monotonic() < until:
    time.sleep(0.02)
if child == 0:
    os._exit(0 if client.reads_new(flag) else 1)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) or not client.reads_new(flag))
"""


def test_both_sides_of_a_fork_follow(installed: Database, conn: psycopg.Connection, verified: store.Flag) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKING, installed.dsn, FLAG]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "forked\n"
        store.set_flag(conn, FLAG, Change(Stage.LIVE), ANN)
        assert process.wait(60) == 0
    assert verified.version


def test_without_a_database_the_answer_is_the_old_side() -> None:
    nowhere = "host=127.0.0.1 port=1 dbname=nowhere connect_timeout=1"

    async def work() -> None:
        client = AsyncFlagClient(lambda: connect_rows(nowhere, "flags"), poll=0.2)
        assert not await client.start(wait=0.5)
        assert not client.reads_new(FLAG)
        assert client.age is None
        await client.close()

    _async(work)
    with FlagClient(lambda: connect(nowhere), poll=0.2) as client:
        assert not client.reads_new(FLAG)
        eventually(lambda: client.last_error is not None)


def test_without_the_table_the_answer_is_the_old_side(database: Database) -> None:
    with FlagClient(lambda: connect(database.dsn, role="flags"), poll=0.2) as client:
        assert not client.reads_new(FLAG)
        eventually(lambda: isinstance(client.last_error, psycopg.errors.InvalidSchemaName))
