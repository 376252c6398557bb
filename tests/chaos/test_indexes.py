"""CREATE INDEX CONCURRENTLY: what a broken attempt leaves is replaced; what somebody else has made is not touched."""

from __future__ import annotations

import signal

import pytest

from orchestrator.kernel.connections import connect
from tests.chaos.killing import ForkServer
from tests.support.cases import EXAMPLE, PERSONS
from tests.support.cli import spawn
from tests.support.database import Database, Databases
from tests.support.running import eventually

pytestmark = pytest.mark.newest

BACKFILL = ("run", "backfill", "--plan", "example", "--stage", "customers")
BACK = ("rollback", "--yes", "--plan", "example", "--to", "dual-write")
INDEX = "public.customers_email_idx"
VALID = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'public.customers'::regclass ORDER BY 1"
PLACES = "SELECT tablename, tablespace FROM pg_indexes WHERE indexname ~ '^changeover_\\d+_key$' ORDER BY 1"
BUILDING = "FROM pg_stat_activity WHERE query LIKE '%%CREATE INDEX CONCURRENTLY%%' AND pid <> pg_backend_pid()"


def _mirrored(database: Database) -> None:
    EXAMPLE.build(database)
    with ForkServer() as fork_server:
        assert fork_server.run(database.dsn, "init").code == 0
        assert fork_server.run(database.dsn, "start", "example", "--until", "dual-write").code == 0


@pytest.fixture
def mirrored(databases: Databases) -> Database:
    return databases.clone("chaos mirrored for indexes", _mirrored)


def test_one_that_was_killed_half_way_is_built_again(mirrored: Database, fork_server: ForkServer) -> None:
    holder = mirrored.connect("app", autocommit=False)
    holder.execute("SELECT count(*) FROM public.customers_old")
    holder.execute("LOCK TABLE public.customers IN ROW EXCLUSIVE MODE")
    runner = spawn(mirrored.dsn, *BACKFILL)
    eventually(lambda: bool(mirrored.value(f"SELECT count(*) {BUILDING} AND wait_event_type = 'Lock'")))
    runner.send_signal(signal.SIGKILL)
    runner.communicate()
    mirrored.rows(f"SELECT pg_terminate_backend(pid) {BUILDING}")
    eventually(lambda: (INDEX.removeprefix("public."), False) in mirrored.rows(VALID))
    holder.rollback()
    done = fork_server.patiently(mirrored.dsn, *BACKFILL)
    assert done.code == 0, done.err
    assert all(valid for _, valid in mirrored.rows(VALID))


@pytest.mark.parametrize("definition", ["(name)", "(email) WHERE credit > 0", "(email DESC)", "(lower(email))"])
def test_a_valid_one_of_the_same_name_but_another_definition_is_refused(
    mirrored: Database, fork_server: ForkServer, definition: str
) -> None:
    for command in (BACKFILL, BACK):
        assert fork_server.run(mirrored.dsn, *command).code == 0
    mirrored.run(f"CREATE INDEX customers_email_idx ON public.customers {definition}")
    before = mirrored.schema_dump()
    done = fork_server.run(mirrored.dsn, *BACKFILL)
    assert done.code == 5, done.err
    assert "another index has that name" in done.err
    assert definition.split(maxsplit=1)[0] in done.err
    assert "Rename or drop that index" in done.err
    assert mirrored.schema_dump() == before
    mirrored.run(f"DROP INDEX {INDEX}")
    assert fork_server.run(mirrored.dsn, *BACKFILL).code == 0


def test_one_that_stands_already_as_it_would_be_built_will_do(mirrored: Database, fork_server: ForkServer) -> None:
    for command in (BACKFILL, BACK):
        assert fork_server.run(mirrored.dsn, *command).code == 0
    mirrored.run("CREATE INDEX customers_email_idx ON public.customers USING btree (email)")
    made = mirrored.value(f"SELECT '{INDEX}'::regclass::oid::int")
    done = fork_server.run(mirrored.dsn, *BACKFILL)
    assert done.code == 0, done.err
    assert mirrored.value(f"SELECT '{INDEX}'::regclass::oid::int") == made


def test_one_that_was_never_built_to_its_end_is_left_alone(mirrored: Database, fork_server: ForkServer) -> None:
    mirrored.run("CREATE INDEX customers_email_idx ON public.customers (email)")
    with mirrored.connect("admin") as admin:
        admin.execute(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{INDEX}'::regclass".encode())
    done = fork_server.run(mirrored.dsn, *BACKFILL)
    assert done.code == 5, done.err
    assert "this run has not made it" in done.err
    assert (INDEX.removeprefix("public."), False) in mirrored.rows(VALID)


def test_one_that_somebody_has_made_as_the_plan_has_it_outlives_the_way_back(
    mirrored: Database, fork_server: ForkServer
) -> None:
    mirrored.run("CREATE INDEX customers_email_idx ON public.customers (email)")
    for command in (BACKFILL, BACK):
        assert fork_server.run(mirrored.dsn, *command).code == 0
    assert (INDEX.removeprefix("public."), True) in mirrored.rows(VALID)


def test_one_on_an_old_table_stands_on_the_disk_of_its_table(databases: Databases, fork_server: ForkServer) -> None:
    """Where new things go may be full: then who writes the old tables must not notice."""
    database = databases.clone("chaos persons", PERSONS.build)
    elsewhere = f"elsewhere_{database.name}"
    try:
        with connect(database.admin_dsn) as conn:
            conn.execute("SET allow_in_place_tablespaces = on")
            conn.execute(f"CREATE TABLESPACE {elsewhere} LOCATION ''")
            conn.execute(f"GRANT CREATE ON TABLESPACE {elsewhere} TO {database.server.owner}")
            conn.execute(f"ALTER DATABASE {database.name} SET default_tablespace = {elsewhere}")
            conn.execute(f"ALTER TABLE public.staff SET TABLESPACE {elsewhere}")
        assert fork_server.run(database.dsn, "init").code == 0
        done = fork_server.run(database.dsn, "start", PERSONS.plan, "--until", "dual-write")
        assert done.code == 0, done.err
        assert database.rows(PLACES) == [("logins", None), ("staff", elsewhere)]
        assert database.value("SELECT tablespace FROM pg_tables WHERE tablename = 'persons'") == elsewhere
    finally:
        databases.close()
        with connect(database.server.admin_dsn()) as conn:
            conn.execute(f"DROP TABLESPACE IF EXISTS {elsewhere}")
