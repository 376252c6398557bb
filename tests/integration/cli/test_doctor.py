"""What the doctor tells before the start, each against the real condition.

Not here: a server older than 14, and what a server of a test cannot be in (synchronous standbys, prepared transactions,
a subscription); the rules for those are tested on facts, in tests/unit/test_doctor.py.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from orchestrator.demo.ports import free_port
from orchestrator.demo.server import FAST, EmbeddedServer
from orchestrator.kernel.connections import connect
from tests.support.cli import Cli
from tests.support.database import Database, Databases
from tests.support.replica import Replica
from tests.support.running import eventually
from tests.support.tools import program


def levels(done_json: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {check["name"]: check["level"] for check in done_json["checks"]}


def details(done_json: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {check["name"]: check["detail"] for check in done_json["checks"]}


def test_doctor_finds_an_ordinary_database_healthy(shops: Database) -> None:
    found = Cli(shops.dsn).ok("doctor", "--plan", "example", "--json").json
    assert found["healthy"] is True
    assert set(levels(found).values()) == {"ok"}
    assert {"version", "ledger", "pooler", "tables", "disk", "connections"} <= levels(found).keys()


def test_doctor_refuses_where_row_level_security_hides_rows(shops: Database) -> None:
    shops.run("ALTER TABLE public.customers_old ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    done = Cli(shops.dsn)("doctor", "--plan", "example", "--json")
    assert done.code == 5
    assert levels(done.json)["row-level security"] == "fail"
    assert done.error["exit_code"] == 5
    assert "row-level security" in done.error["what"]


def test_doctor_lets_the_owner_pass_row_level_security_that_binds_others(shops: Database) -> None:
    shops.run("ALTER TABLE public.customers_old ENABLE ROW LEVEL SECURITY")
    Cli(shops.dsn).ok("doctor", "--plan", "example")


def test_doctor_refuses_a_role_that_does_not_own_the_tables(shops: Database) -> None:
    done = Cli(shops.app_dsn)("doctor", "--plan", "example", "--json")
    assert done.code == 5
    found = levels(done.json)
    assert found["ownership"] == "fail"
    assert found["rights"] == "fail"
    assert found["ledger"] == "fail"


@pytest.mark.parametrize(
    ("statement", "name", "level"),
    [
        ("ALTER TABLE public.customers_old SET UNLOGGED", "unlogged tables", "warn"),
        ("CREATE TABLE public.part () INHERITS (public.customers_old)", "discovery", "warn"),
        ("CREATE TABLE public.notes (customer integer REFERENCES public.customers_old)", "foreign keys", "warn"),
        ("CREATE VIEW public.active AS SELECT id FROM public.customers_old", "views", "warn"),
        ("CREATE RULE lost AS ON DELETE TO public.customers_old DO INSTEAD NOTHING", "rules", "warn"),
        ("CREATE PUBLICATION p FOR TABLE public.customers_old", "publications", "warn"),
        (
            (
                "CREATE TRIGGER mail BEFORE UPDATE ON public.customers_old "
                "FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            ),
            "triggers",
            "warn",
        ),
    ],
)
def test_doctor_sees_what_hangs_on_a_source(shops: Database, statement: str, name: str, level: str) -> None:
    shops.run(statement)
    done = Cli(shops.dsn)("doctor", "--plan", "example", "--json")
    assert levels(done.json)[name] == level
    assert done.code == (5 if level == "fail" else 0)


def test_doctor_sees_event_triggers_and_roles_without_triggers(shops: Database) -> None:
    admin = shops.connect("admin")
    admin.execute(
        "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.watch();"
    )
    admin.execute(f"ALTER DATABASE {shops.name} SET session_replication_role = replica".encode())
    done = Cli(shops.dsn)("doctor", "--json")
    assert done.code == 5
    assert levels(done.json)["event triggers"] == "warn"
    assert levels(done.json)["triggers fire"] == "fail"


def test_doctor_sees_a_plan_for_another_database(shops: Database) -> None:
    done = Cli(shops.dsn)("doctor", "--plan", "cqms")
    assert done.code == 5
    assert "the plan finds none of its tables here" in done.out


@pytest.mark.parametrize(
    ("statement", "name", "level"),
    [
        ("ALTER DATABASE {database} SET default_transaction_read_only = on", "writable", "fail"),
        ("ALTER DATABASE {database} SET deadlock_timeout = '100ms'", "timeouts", "warn"),
        ("ALTER DATABASE {database} CONNECTION LIMIT 4", "connections", "fail"),
        ("ALTER DATABASE {database} CONNECTION LIMIT 10", "connections", "warn"),
        ("CREATE PUBLICATION everything FOR ALL TABLES", "logical replication", "warn"),
        ("ALTER TABLE public.customers_old SET (autovacuum_enabled = off)", "no autovacuum", "warn"),
        (
            "REVOKE CREATE ON DATABASE {database} FROM {owner}; ALTER DATABASE {database} OWNER TO {admin}",
            "ledger",
            "fail",
        ),
        (
            "REVOKE CREATE ON SCHEMA public FROM {owner}, PUBLIC; ALTER SCHEMA public OWNER TO {admin}",
            "schemas",
            "fail",
        ),
    ],
)
def test_doctor_sees_what_an_administrator_has_set(shops: Database, statement: str, name: str, level: str) -> None:
    admin = conninfo_to_dict(shops.admin_dsn)["user"]
    names = {"database": shops.name, "owner": shops.server.owner, "admin": str(admin)}
    shops.connect("admin").execute(
        sql.SQL(statement).format(**{key: sql.Identifier(value) for key, value in names.items()})
    )
    done = Cli(shops.dsn)("doctor", "--plan", "example", "--json")
    assert levels(done.json)[name] == level
    assert done.code == (5 if level == "fail" else 0)


def test_doctor_says_that_a_superuser_tests_nothing(shops: Database) -> None:
    assert levels(Cli(shops.admin_dsn).ok("doctor", "--json").json)["role"] == "warn"


def test_doctor_sees_a_vacuum_at_work(shops: Database) -> None:
    with connect(shops.dsn, autocommit=False, role="vacuum") as conn:
        conn.execute("LOCK TABLE public.customers_old IN SHARE UPDATE EXCLUSIVE MODE")
        assert levels(Cli(shops.dsn).ok("doctor", "--plan", "example", "--json").json)["vacuum"] == "warn"


def test_doctor_sees_a_long_transaction(shops: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.engine.doctor.diagnosis._LONG_TRANSACTION_S", 0.2)
    conn = shops.connect(autocommit=False)
    conn.execute("SELECT pg_sleep(0.5)")
    found = Cli(shops.dsn).ok("doctor", "--json").json
    assert levels(found)["long transactions"] == "warn"


def test_a_publication_of_a_schema_is_one_of_all_its_tables(shops: Database) -> None:
    admin = shops.connect("admin")
    if admin.info.server_version < 150_000:
        return  # there are none before
    admin.execute("CREATE PUBLICATION whole FOR TABLES IN SCHEMA public")
    found = levels(Cli(shops.dsn).ok("doctor", "--plan", "example", "--json").json)
    assert (found["logical replication"], found["publications"]) == ("warn", "warn")


def test_a_publication_of_named_tables_is_not_one_of_all(shops: Database) -> None:
    shops.run("CREATE PUBLICATION p FOR TABLE public.customers_old")
    assert levels(Cli(shops.dsn).ok("doctor", "--json").json)["logical replication"] == "ok"


@pytest.mark.newest
def test_doctor_sees_replicas_slots_freezing_and_the_lack_of_autovacuum() -> None:
    settings = {
        "wal_level": "logical",
        "max_wal_senders": "5",
        "autovacuum": "off",
        "autovacuum_freeze_max_age": "100000",
    }
    with EmbeddedServer({**FAST, **settings}) as server:
        databases = Databases(server, {})
        try:
            database = databases.create()
            database.run("CREATE TABLE public.customers_old (id integer PRIMARY KEY, mail text, name text)")
            with connect(server.admin_dsn(database.name)) as admin:
                admin.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
                admin.execute("SELECT pg_create_logical_replication_slot('debezium', 'pgoutput')")
                _use_up_transactions(admin)
            with Replica(server) as replica:
                found = Cli(database.dsn)("doctor", "--plan", "example", "--json").json
                said, told = levels(found), details(found)
                assert (said["slots"], said["logical replication"], said["autovacuum"]) == ("warn", "warn", "warn")
                assert "forgotten (" in told["slots"]
                assert "debezium" in told["logical replication"]
                assert told["replicas"].startswith("1 connected")
                assert said["wraparound"] == "warn"
                behind = Cli(Database(replica, database.name).admin_dsn)("doctor", "--json")
                assert behind.code == 5
                assert levels(behind.json)["writable"] == "fail"
        finally:
            databases.close()


def _use_up_transactions(admin: psycopg.Connection) -> None:
    """Make tables look old."""
    admin.execute("DO $$ BEGIN FOR i IN 1 .. 95000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")


@contextmanager
def pgbouncer(database: Database, mode: str) -> Iterator[str]:
    """A real one before the database; its DSN."""
    given = conninfo_to_dict(database.dsn)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        config = Path(folder, "pgbouncer.ini")
        config.write_text(
            f"[databases]\n* = host={given['host']} port={given['port']} user={given['user']} password={given['password']}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = {mode}\n"
            "unix_socket_dir =\nignore_startup_parameters = extra_float_digits,options\n"
        )
        identity = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        process = subprocess.Popen(
            [program("pgbouncer"), "-q", config],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **identity,  # type: ignore[call-overload] # three options of the same call
        )
        dsn = make_conninfo(database.dsn, host="127.0.0.1", port=port)
        try:
            eventually(lambda: _answers(dsn))
            yield dsn
        finally:
            process.kill()
            process.wait()


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.newest
@pytest.mark.parametrize(("mode", "level"), [("transaction", "fail"), ("session", "warn")])
def test_doctor_finds_a_real_pooler_out(shops: Database, mode: str, level: str) -> None:
    with pgbouncer(shops, mode) as dsn:
        done = Cli(dsn)("doctor", "--json")
        assert levels(done.json)["pooler"] == level
        assert done.code == (5 if level == "fail" else 0)
        Cli(shops.dsn).ok("init")
        before = shops.schema_dump()
        started = Cli(dsn)("start", "example", "--until", "expand")
        if level == "fail":
            assert started.code == 5
            assert "past the pooler" in started.err
            assert shops.schema_dump() == before
        else:
            assert started.code == 0
