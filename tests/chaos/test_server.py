"""The server crashes while a phase waits in the middle of its work: it is waited for, or the command is given again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.demo.server import EmbeddedServer
from tests.chaos.killing import ForkServer
from tests.support.cases import EXAMPLE
from tests.support.cli import spawn
from tests.support.database import Database
from tests.support.running import eventually
from tests.support.servers import SETTINGS

pytestmark = pytest.mark.newest

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'changeover/%' AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def lonely() -> Iterator[EmbeddedServer]:
    """A server of our own. With asynchronous commits a crash would take back what was reported done."""
    with EmbeddedServer({**SETTINGS, "synchronous_commit": "on"}) as server:
        yield server


@pytest.mark.parametrize(
    ("until", "command", "waits_itself"),
    [
        ("expand", ("run", "dual-write", "--plan", "example", "--stage", "customers"), True),
        ("verify", ("run", "contract", "--plan", "example", "--stage", "customers"), True),
        ("contract", ("rollback", "--yes", "--plan", "example", "--to", "verify"), False),
        ("verify", ("rollback", "--yes", "--plan", "example", "--to", "expand"), False),
    ],
    ids=["dual-write", "contract", "back from contract", "back from dual-write"],
)
def test_a_crash(
    lonely: EmbeddedServer, fork_server: ForkServer, until: str, command: tuple[str, ...], *, waits_itself: bool
) -> None:
    name = f"crash_{until}_{command[-1].replace('-', '_')}_{command[0]}"
    lonely.create_database(name)
    database = Database(lonely, name)
    EXAMPLE.build(database)
    assert fork_server.run(database.dsn, "init").code == 0
    done = fork_server.run(database.dsn, "start", "example", "--kind", "rehearsal", "--until", until)
    assert done.code == 0, done.err
    holder = database.connect("app", autocommit=False)
    holder.execute("UPDATE public.customers_old SET name = name WHERE id = 1")
    process = spawn(database.dsn, *command)
    eventually(lambda: bool(database.value(WAITS)))
    lonely.crash()
    out, err = process.communicate(timeout=120)
    assert process.returncode == (0 if waits_itself else 1), f"{out}\n{err}"
    done = fork_server.patiently(database.dsn, *command)
    assert done.code == 0, done.err
    done = fork_server.patiently(database.dsn, "start", "example", "--until", "verify")
    assert done.code == 0, done.err
    done = fork_server.patiently(database.dsn, "verify", "--plan", "example")
    assert done.code == 0, done.err
    database.close()
    lonely.drop_database(name)
