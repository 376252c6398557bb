"""Notifications are a bell. The attacker may connect, and has no other right: he may listen and send on any channel."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from flags import store
from flags.answers import Answers
from flags.client import AsyncFlagClient
from flags.stages import Stage
from flags.sync_client import FlagClient
from orchestrator.kernel.connections import connect, connect_rows
from orchestrator.ledger import schema
from tests.support.database import Database
from tests.support.running import eventually

if TYPE_CHECKING:
    import psycopg

FLAG = "READ_NEW_ORDERS"
ANN = store.By("ann", "because")
TEXTS = [
    json.dumps({"flag": FLAG, "version": 10_000, "stage": "complete", "rollout": 100, "rules": [], "deleted": False}),
    json.dumps({"flag": FLAG, "version": 10_001, "stage": "complete", "rollout": 100, "rules": [], "deleted": True}),
    json.dumps({"flag": "OF_NOBODY", "version": 1, "stage": "live", "rollout": 100, "rules": [], "deleted": False}),
    "{",
    "null",
    FLAG,
    "\N{SNOWMAN}" * 2000,
]


class _InAThread:
    """An async client in a loop and a thread of its own."""

    def __init__(self, client: AsyncFlagClient) -> None:
        self.client = client
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> AsyncFlagClient:
        self._thread.start()
        assert asyncio.run_coroutine_threadsafe(self.client.start(), self._loop).result(60)
        return self.client

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.client.close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()


@pytest.fixture
def conn(database: Database) -> psycopg.Connection:
    conn = database.connect()
    schema.install(conn)
    conn.execute("INSERT INTO changeover.feature_flags (flag, stage) VALUES (%s, 'shadow')", (FLAG,))
    return conn


@pytest.fixture
def reads() -> list[float]:
    """When a snapshot was taken in, by either client."""
    return []


@pytest.fixture
def clients(
    database: Database, conn: psycopg.Connection, reads: list[float], monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Answers]]:
    """One of each kind, which would not poll within the test."""
    assert not conn.closed
    with ExitStack() as stack:
        made: list[Answers] = [
            stack.enter_context(FlagClient(lambda: connect(database.dsn, role="flags"), poll=600)),
            stack.enter_context(_InAThread(AsyncFlagClient(lambda: connect_rows(database.dsn, "flags"), poll=600))),
        ]
        for client in made:

            def counted(rows: Any, take: Callable[[Any], bool] = client.cache.replace) -> bool:
                reads.append(time.monotonic())
                return take(rows)

            monkeypatch.setattr(client.cache, "replace", counted)
        yield made


def test_what_somebody_sends_is_not_believed(database: Database, clients: list[Answers], reads: list[float]) -> None:
    attacker = database.connect("app")
    for text in TEXTS:
        attacker.execute("SELECT pg_notify('changeover_flags', %s)", (text,))
    eventually(lambda: len(reads) >= 2)
    until = time.monotonic() + 1
    while time.monotonic() < until:
        for client in clients:
            assert not client.reads_new(FLAG, "key")
            assert client.stage(FLAG) is Stage.SHADOW
            assert client.cache.flags() == [FLAG]
        time.sleep(0.01)
    assert [client.cache.failures for client in clients] == [0, 0]


def test_a_flood_costs_a_few_reads_and_delays_a_change_by_little(
    database: Database, conn: psycopg.Connection, clients: list[Answers], reads: list[float]
) -> None:
    over = threading.Event()

    def flood() -> None:
        with connect(database.app_dsn) as attacker:
            while not over.is_set():
                attacker.execute("SELECT pg_notify('changeover_flags', n::text) FROM generate_series(1, 200) AS n")

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        begun = time.monotonic()
        eventually(lambda: len(reads) >= 16)
        # Doubling pauses from 20 ms to a second: six looks of each client within a second, then one a second.
        assert len(reads) <= 2 * (8 + 2 * (time.monotonic() - begun)), "and not thousands"
        store.kill(conn, FLAG, ANN)
        eventually(lambda: {client.stage(FLAG) for client in clients} == {Stage.DUALWRITE})
    finally:
        over.set()
        thread.join()
    # Quiet again, and neither polls within the test: a change is known by its notification.
    store.set_flag(conn, FLAG, store.Change(Stage.OFF), ANN)
    eventually(lambda: {client.stage(FLAG) for client in clients} == {Stage.OFF})


def test_a_listener_learns_nothing(database: Database, conn: psycopg.Connection) -> None:
    attacker = database.connect("app")
    attacker.execute("LISTEN changeover_flags")
    attacker.execute("LISTEN changeover_control")
    rules = [{"name": "pilots", "if": {"tenant": "acme"}, "rollout": 100}]
    store.set_flag(conn, FLAG, store.Change(rollout=20, rules=rules), ANN)
    store.delete(conn, FLAG, ANN)
    heard = list(attacker.notifies(timeout=60, stop_after=2))
    assert [notice.payload for notice in heard] == ["", ""]
