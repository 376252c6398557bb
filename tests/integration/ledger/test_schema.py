from __future__ import annotations

import threading

import psycopg
import pytest

from orchestrator.kernel.errors import LockTimeoutError
from orchestrator.ledger import actions, leases, phases, runs, schema
from orchestrator.ledger.errors import SchemaRefusedError
from orchestrator.ledger.store import Ledger
from tests.support.database import Database


def test_uninstall_leaves_nothing_behind(database: Database) -> None:
    conn = database.connect()
    before = database.schema_dump()
    assert schema.install(conn)
    assert database.schema_dump() != before
    assert schema.uninstall(conn)
    assert database.schema_dump() == before
    assert not schema.uninstall(conn)


def test_second_install_touches_nothing(installed: Database) -> None:
    held = installed.connect(autocommit=False)
    held.execute("LOCK TABLE changeover.event, changeover.feature_flags IN ACCESS EXCLUSIVE MODE")
    conn = installed.connect()
    conn.execute("SET lock_timeout = '1s'")
    assert not schema.install(conn)


def test_install_can_be_repeated_over_itself(installed: Database) -> None:
    before = installed.schema_dump()
    installed.run("INSERT INTO changeover.feature_flags (flag) VALUES ('F')")
    installed.run("UPDATE changeover.meta SET checksum = 'of an earlier day'")
    assert schema.install(installed.connect())
    assert installed.schema_dump() == before
    assert installed.value("SELECT flag FROM changeover.feature_flags") == "F"


def test_a_pair_of_keys_of_an_older_ledger_stays_one(installed: Database) -> None:
    installed.run(
        "ALTER TABLE changeover.key_map DROP COLUMN item, ADD PRIMARY KEY (source_id, key);"
        "INSERT INTO changeover.key_map (source_id, key, target_key) VALUES (1, 'a', 'b');"
        "UPDATE changeover.meta SET checksum = 'of an earlier day'"
    )
    assert schema.install(installed.connect())
    assert installed.rows("SELECT key, item, target_key FROM changeover.key_map") == [("a", "", "b")]
    key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'key_map_pkey'"
    assert installed.value(key) == "PRIMARY KEY (key, source_id, item)"


def test_install_is_all_or_nothing(database: Database) -> None:
    before = database.schema_dump()
    conn = database.connect(autocommit=False)
    conn.execute("SELECT")
    schema.install(conn)
    conn.rollback()
    assert database.schema_dump() == before


def test_install_gives_the_search_path_back(database: Database) -> None:
    conn = database.connect(autocommit=False)
    conn.execute("SET search_path = public, pg_temp")  # opens the transaction that install joins
    schema.install(conn)
    assert conn.execute("SHOW search_path").fetchone() == ("public, pg_temp",)


def test_two_installers_at_once(database: Database) -> None:
    results: list[bool] = []
    conns = [database.connect(), database.connect()]
    threads = [threading.Thread(target=lambda c=conn: results.append(schema.install(c))) for conn in conns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == [False, True]


def test_newer_schema_is_refused(installed: Database) -> None:
    installed.run("UPDATE changeover.meta SET version = 99")
    with pytest.raises(SchemaRefusedError, match="version 99"):
        schema.install(installed.connect())


def test_somebody_elses_schema_is_refused(database: Database) -> None:
    database.run("CREATE SCHEMA changeover; CREATE TABLE changeover.money_changers (i int)")
    with pytest.raises(SchemaRefusedError, match="money_changers"):
        schema.install(database.connect())


def test_an_empty_schema_of_that_name_will_do(database: Database) -> None:
    database.run("CREATE SCHEMA changeover")
    assert schema.install(database.connect())


def test_meta_has_one_row(installed: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        installed.run("INSERT INTO changeover.meta (version, checksum) VALUES (2, '')")


def test_uninstall_refuses_while_a_run_is_active(ledger: Ledger) -> None:
    runs.start_or_resume(ledger, runs.PlanMark("p", 1, "abc"), "cutover")
    with pytest.raises(SchemaRefusedError, match="run 1 of plan p is active"):
        schema.uninstall(ledger.conn)


def test_uninstall_refuses_while_an_abandoned_run_has_left_something(ledger: Ledger, run: runs.Run) -> None:
    epoch = leases.acquire(ledger, "p", "ann")
    phases.begin(ledger, run, "audits", "expand", epoch=epoch)
    which = actions.Which("audits", "expand", "table.audits")
    actions.start(ledger, run, which, actions.Text("CREATE TABLE a ()", "DROP TABLE a"), epoch=epoch)
    runs.move(ledger, run, "abandoned", reason="the budget is gone")
    with pytest.raises(SchemaRefusedError, match="abandoned with 1 action not undone"):
        schema.uninstall(ledger.conn)
    actions.undone(ledger, run, which, epoch=epoch)
    assert schema.uninstall(ledger.conn)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ("CREATE VIEW public.v AS SELECT changeover.fold('X')", "view v"),
        ("CREATE TABLE public.t (e text CHECK (changeover.valid_email(e)))", "table t"),
        ("CREATE TABLE public.t (e text DEFAULT changeover.fold('X'))", "table t"),
        ("CREATE TABLE public.t (e text); CREATE INDEX i ON public.t (changeover.fold(e))", "index i"),
        (
            """CREATE TABLE public.t (e text);
               CREATE TRIGGER m AFTER INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION changeover.append_only()""",
            "trigger m on table t",
        ),
        ("CREATE TABLE public.t (f changeover.feature_flags)", "table t"),
    ],
)
def test_uninstall_refuses_while_something_depends_on_it(database: Database, make: str, said: str) -> None:
    conn = database.connect()
    schema.install(conn)
    database.run(make)
    with pytest.raises(SchemaRefusedError, match=said):
        schema.uninstall(conn)
    assert schema.installed(conn) is not None
    assert schema.uninstall(conn, force=True)
    assert schema.installed(conn) is None


def test_uninstall_does_not_wait_for_long(installed: Database) -> None:
    held = installed.connect(autocommit=False)
    held.execute("SELECT FROM changeover.event")
    with pytest.raises(LockTimeoutError):
        schema.uninstall(installed.connect(), attempts=2)
    held.rollback()


@pytest.mark.parametrize("statement", ["UPDATE", "DELETE", "TRUNCATE"])
def test_events_only_grow(ledger: Ledger, statement: str) -> None:
    runs.start_or_resume(ledger, runs.PlanMark("p", 1, "abc"), "cutover")
    texts = {
        "UPDATE": "UPDATE changeover.event SET actor = 'nobody'",
        "DELETE": "DELETE FROM changeover.event",
        "TRUNCATE": "TRUNCATE changeover.event",
    }
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        ledger.conn.execute(texts[statement])


def test_the_application_has_no_rights_here(installed: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        installed.connect("app").execute("SELECT * FROM changeover.run")
