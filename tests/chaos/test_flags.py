"""The database, the listener or a pooler between: every client has an answer throughout, and they agree afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flags import store
from flags.client import AsyncFlagClient
from flags.stages import Stage
from flags.store import By, Change
from flags.sync_client import FlagClient
from orchestrator.demo import binaries
from orchestrator.demo.ports import free_port
from orchestrator.demo.server import EmbeddedServer
from orchestrator.kernel.connections import connect, connect_rows
from orchestrator.ledger import schema
from tests.support.cli import spawn
from tests.support.database import Database
from tests.support.running import eventually
from tests.support.servers import SETTINGS
from tests.support.tools import program

ANN = By("ann", "because")
POLL = 0.5


class AsyncAside:
    """An async client in a loop and thread of its own, so that both kinds can be watched side by side."""

    def __init__(self, dsn: str, *, listen: bool = True) -> None:
        self.client = AsyncFlagClient(lambda: connect_rows(dsn, "flags"), poll=POLL, listen=listen)
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


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    # What is committed has to outlive the crash.
    with EmbeddedServer({**SETTINGS, "synchronous_commit": "on"}, next(iter(binaries.installations()))) as running:
        yield running


def test_a_crash_in_the_middle_of_a_switch(server: EmbeddedServer) -> None:
    server.create_database("flags", "template1")
    dsn = server.owner_dsn("flags")
    with connect(dsn) as conn:
        schema.install(conn)
        conn.execute("INSERT INTO changeover.feature_flags (flag, stage) VALUES ('F', 'shadow')")
    with ExitStack() as stack:
        clients: list[FlagClient | AsyncFlagClient] = [
            stack.enter_context(FlagClient(lambda: connect(dsn, role="flags"), poll=POLL)),
            stack.enter_context(FlagClient(lambda: connect(dsn, role="flags"), poll=POLL, listen=False)),
            stack.enter_context(AsyncAside(dsn)),
            stack.enter_context(AsyncAside(dsn, listen=False)),
        ]
        for rollout in (10, 50, 100):
            switching = connect(dsn, autocommit=False)
            switching.execute("SELECT 1")  # within a transaction that the crash will end
            store.set_flag(switching, "F", Change(Stage.LIVE, rollout=rollout), ANN)
            before = [client.stage("F", "key") for client in clients]
            down = threading.Thread(target=server.crash)
            down.start()
            answers: set[bool] = set()
            while down.is_alive():
                answers.update(client.reads_new("F", "key") for client in clients)
                time.sleep(0.002)
            down.join()
            assert answers <= {True, False}
            assert [client.stage("F", "key") for client in clients] == before
            switching.close()
            with connect(dsn) as conn:
                moved = store.set_flag(conn, "F", Change(Stage.LIVE, rollout=rollout), ANN)
            # The pause before trying again is at most the polling interval, then one look.
            eventually(lambda: {c.cache.version("F") for c in clients} == {moved.version})  # noqa: B023
            said = {client.stage("F", str(n)) for client in clients for n in range(50)}
            assert said == ({Stage.LIVE, Stage.SHADOW} if rollout < 100 else {Stage.LIVE})


@pytest.mark.newest
def test_the_flag_server_is_killed_in_the_middle_of_a_switch(database: Database) -> None:
    """Its clients have their default while it is away; the next one at the same address says what stands."""
    conn = database.connect()
    schema.install(conn)
    conn.execute("INSERT INTO changeover.feature_flags (flag, stage) VALUES ('F', 'shadow')")
    port = free_port()
    serving = (database.dsn, "flag", "serve", "--port", str(port), "--poll", str(POLL))
    provider = OFREPProvider(f"http://127.0.0.1:{port}")
    server = spawn(*serving)
    try:
        api.set_provider_and_wait(provider)
        client, asked = api.get_client(), EvaluationContext("key")

        def answer() -> str:
            return client.get_string_value("F.stage", "the default", asked)

        eventually(lambda: answer() == "shadow")
        for rollout, stage in ((0, "shadow"), (100, "live")):
            with conn.transaction():
                store.set_flag(conn, "F", Change(Stage.LIVE, rollout=rollout), ANN)
                server.kill()
                server.communicate(timeout=60)
                assert {answer() for _ in range(5)} == {"the default"}
            server = spawn(*serving)
            eventually(lambda: answer() != "the default")
            assert answer() == stage
        store.kill(conn, "F", ANN)
        eventually(lambda: answer() == "dualwrite")
    finally:
        server.kill()
        server.communicate(timeout=60)
        provider.session.close()
        api.clear_providers()


@pytest.fixture
def pooled(database: Database) -> Iterator[str]:
    """The database through a PgBouncer of our own, transactions pooled."""
    direct = conninfo_to_dict(database.dsn)
    port = free_port()
    # Below /tmp for everybody: it does not run as root.
    with tempfile.TemporaryDirectory(prefix="changeover_pgbouncer_") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "users.txt").write_text(f'"{direct["user"]}" "{direct["password"]}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"""[databases]
{direct["dbname"]} = host={direct["host"]} port={direct["port"]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 2
"""
        )
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = subprocess.Popen(
            [program("pgbouncer"), *user, str(folder / "pgbouncer.ini")],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        dsn = make_conninfo(database.dsn, port=port)

        def up() -> bool:
            try:
                connect(dsn).close()
            except psycopg.Error:
                return False
            return True

        try:
            eventually(up)
            yield dsn
        finally:
            process.terminate()
            process.wait(60)


@pytest.mark.newest
@pytest.mark.parametrize("listen", [True, False])
def test_behind_a_transaction_pooler_polling_does_it(
    database: Database,
    pooled: str,
    listen: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    conn = database.connect()
    schema.install(conn)
    conn.execute("INSERT INTO changeover.feature_flags (flag, stage) VALUES ('F', 'shadow')")
    with ExitStack() as stack:
        clients: list[FlagClient | AsyncFlagClient] = [
            stack.enter_context(FlagClient(lambda: connect(pooled, role="flags"), poll=POLL, listen=listen)),
            stack.enter_context(AsyncAside(pooled, listen=listen)),
        ]
        for stage in (Stage.LIVE, Stage.SHADOW, Stage.RAMPDOWN):
            store.set_flag(conn, "F", Change(stage), ANN)
            eventually(lambda: {client.stage("F") for client in clients} == {stage})  # noqa: B023 - at once
