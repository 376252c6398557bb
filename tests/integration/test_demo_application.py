"""The simulated application on a legacy database that nobody migrates, and its check of what was acknowledged."""

from __future__ import annotations

from pathlib import Path

import pytest

from flags.mismatches import mismatches, readings
from orchestrator.demo.application import Application, check_acknowledged, counters_of, relabel
from orchestrator.demo.application.journal import Entry, State, last_states
from orchestrator.demo.application.requests import JOBS
from orchestrator.demo.legacy import generate, grant_application
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import ChangeoverError
from orchestrator.ledger import schema
from tests.support.database import Database, Databases
from tests.support.running import eventually


def build(database: Database) -> None:
    generate(database.dsn, audits=1500, tables=13, seed=5)
    grant_application(database.dsn, database.app_role)


@pytest.fixture
def legacy(databases: Databases) -> Database:
    return databases.clone("demo application", build)


def written(application: Application) -> int:
    """Writes that were acknowledged so far."""
    return sum(1 for _ in application.entries())


def has_written(application: Application, entries: int) -> None:
    """Wait for so many acknowledged writes, however fast the machine is."""
    eventually(lambda: written(application) >= entries)


def test_both_versions_work_and_every_acknowledged_write_stands(legacy: Database, tmp_path: Path) -> None:
    with Application(legacy.app_dsn, tmp_path, rate=150, old=3, new=2) as application:
        has_written(application, 250)
        application.phase("backfill")
        has_written(application, 450)
    summed = counters_of(application.requests())
    assert summed.errors == {}
    assert summed.unexpected_retries == 0
    assert {entry.phase for entry in summed.latencies} == {"before", "backfill"}
    assert {entry.kind for entry in summed.latencies} >= {job.kind for job in JOBS if job.weight > 2}
    assert all(entry.p50 <= entry.p99 <= entry.longest for entry in summed.latencies)
    verdict = check_acknowledged(legacy.dsn, application.entries())
    assert verdict.differences == ()
    assert verdict.places == {"legacy": verdict.rows}
    assert verdict.rows > 100
    moments = counters_of(relabel(application.requests(), {"backfill": "during"}))
    assert {entry.phase for entry in moments.latencies} == {"before", "during"}


def test_a_lost_write_is_found(legacy: Database, tmp_path: Path) -> None:
    def lost(table: str, column: str) -> State | None:
        states = last_states(application.entries())
        return next(
            (each for each in states if (each.table, each.deleted) == (table, False) and column in each.values), None
        )

    with Application(legacy.app_dsn, tmp_path, rate=100, old=2, new=0) as application:
        eventually(lambda: bool(lost("public.people", "name") and lost("public.chat_audit", "average_score")))
    entries = list(application.entries())
    gone, changed = lost("public.people", "name"), lost("public.chat_audit", "average_score")
    assert gone
    assert changed
    with legacy.connect() as conn:
        conn.execute("DELETE FROM people WHERE email = %s", (gone.key,))
        conn.execute("UPDATE chat_audit SET average_score = 1 WHERE id::text = %s", (changed.key,))
    verdict = check_acknowledged(legacy.dsn, entries)
    assert {(d.place, d.key, d.wrong[0].partition(" instead of")[0]) for d in verdict.differences} == {
        ("legacy:public.people", gone.key, "(the row is missing)"),
        ("legacy:public.chat_audit", changed.key, "average_score: 1"),
    }
    assert verdict.lost == 2


def test_a_failed_request_is_recorded_with_its_error(legacy: Database, tmp_path: Path) -> None:
    with Application(legacy.app_dsn, tmp_path, rate=150, old=2, new=0) as application:
        has_written(application, 1)
        legacy.run("ALTER TABLE users RENAME TO users_gone")
        failed = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        before = legacy.value(failed)
        eventually(lambda: legacy.value(failed) > before + 10)
    errors = counters_of(application.requests()).errors
    assert any(error.startswith("before: lookup: 42P01") for error in errors), errors


def test_a_broken_connection_leaves_doubt_and_no_false_alarm(legacy: Database, tmp_path: Path) -> None:
    ended = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name LIKE 'cqms/%' AND datname = current_database()"
    )
    with (
        Application(legacy.app_dsn, tmp_path, rate=200, old=3, new=0) as application,
        legacy.connect("admin") as conn,
    ):
        for _ in range(6):
            before = written(application)
            eventually(lambda: conn.execute(ended).fetchone() == (3,))
            has_written(application, before + 20)
    summed = counters_of(application.requests())
    assert summed.failed > 0
    assert all("connection" in error for error in summed.errors), summed.errors
    assert check_acknowledged(legacy.dsn, application.entries()).differences == ()


def test_an_application_that_cannot_start_says_why(legacy: Database, tmp_path: Path) -> None:
    with pytest.raises(ChangeoverError, match="ended by itself"):
        Application(legacy.app_dsn.replace(legacy.name, "no_such_database"), tmp_path)


def test_the_last_state_of_a_row_is_folded_from_its_entries() -> None:
    entries = [
        Entry("t", "1", "write", {"a": 1, "b": 1}),
        Entry("t", "1", "write", {"a": 2}, version="new"),
        Entry("t", "2", "write", {"a": 1}),
        Entry("t", "2", "delete"),
        Entry("t", "3", "write", {"n": 5}),
        Entry("t", "3", "add", {"n": 1}),
        Entry("t", "3", "add", {"n": 1}),
        Entry("t", "4", "doubt"),
    ]
    one, two, three, four = last_states(entries)
    assert (one.values, one.folded) == ({"a": 2, "b": 1}, {"a"})
    assert two.deleted
    assert (three.values, three.added) == ({"n": 5}, {"n": 2})
    assert four.doubtful


PACK = Path(__file__).parents[2] / "orchestrator/plans/cqms/sql"
FLAGS = ("USE_UNIFIED_AUDITS_TABLE", "USE_UNIFIED_EMPLOYEES_TABLE")


def build_unified(database: Database) -> None:
    """The unified tables with nobody but their people in them, and the flags: no mirror, no engine."""
    build(database)
    for file in ("foundation.sql", "foundation_seed.sql", "audits.sql"):
        database.run((PACK / file).read_text())
    database.run("""
        INSERT INTO employees (email, name, role_id)
        SELECT changed.email, changed.email, (SELECT id FROM roles WHERE code = 'UNASSIGNED')
        FROM (SELECT DISTINCT lower(btrim(email)) AS email FROM people) AS changed
        WHERE changed.email ~ '^[a-z0-9._%+-]+@[a-z0-9.-]+[.][a-z]{2,}$'""")
    with connect(database.dsn) as conn:
        schema.install(conn)
        for flag in FLAGS:
            conn.execute("INSERT INTO changeover.feature_flags (flag, stage) VALUES (%s, 'off')", (flag,))
    grant_application(database.dsn, database.app_role)


def test_the_new_version_goes_by_its_flags_and_the_old_one_does_not(databases: Databases, tmp_path: Path) -> None:
    database = databases.clone("demo unified", build_unified)
    with Application(database.app_dsn, tmp_path, rate=150, old=1, new=3) as application:
        has_written(application, 100)
        application.phase("switching")
        has_written(application, 120)
        database.run("UPDATE changeover.feature_flags SET stage = 'complete'")
        # Its clients share what they know of the flags: where one goes by them, all do after the request in hand.
        eventually(lambda: database.value("SELECT count(*) FROM audits") >= 20)
        application.phase("live")
        has_written(application, written(application) + 200)
    sources = {(e.phase, e.version, e.source) for e in counters_of(application.requests()).latencies if e.kind != "all"}
    assert {source for phase, version, source in sources if phase == "before"} == {"legacy"}
    assert ("live", "new", "unified") in sources
    assert ("live", "new", "legacy") not in sources
    assert ("live", "old", "legacy") in sources


def watch(database: Database, application: Application, condition: str) -> None:
    """Wait until a query says true, while the application works."""
    assert application.pid
    eventually(lambda: database.value(condition) is True)


@pytest.mark.newest
def test_a_defect_in_the_new_report_is_found_at_shadow_and_answers_nobody(databases: Databases, tmp_path: Path) -> None:
    """The unified tables hold nothing, so that the employees' are the only lookups that agree."""
    database = databases.clone("demo unified", build_unified)
    database.run("UPDATE changeover.feature_flags SET stage = 'shadow'")
    with Application(database.app_dsn, tmp_path, rate=150, old=0, new=3) as application:
        watch(
            database,
            application,
            "SELECT stage = 'dualwrite' AND updated_by = 'guard' FROM changeover.feature_flags WHERE flag = 'USE_UNIFIED_AUDITS_TABLE'",
        )
        application.deploy("mended")
    found = counters_of(application.requests())
    assert found.errors == {}
    assert {e.source for e in found.latencies if e.kind != "all"} == {"legacy"}
    with database.connect() as conn:
        assert [m.read for m in mismatches(conn, FLAGS[0], read="report")] != []
        (lookups,) = readings(conn, FLAGS[1])
        assert (lookups.read, lookups.errors) == ("lookup", 0)


def test_what_the_new_version_writes_stands_in_the_unified_tables(databases: Databases, tmp_path: Path) -> None:
    database = databases.clone("demo unified", build_unified)
    database.run("UPDATE changeover.feature_flags SET stage = 'complete'")
    # Nothing to claim: an old row is not in the unified table when nobody has copied it.
    database.run("""
        TRUNCATE qa.phone_qa, compliance_review, chat_audit, email_audit, "Sales_Audit", social_media_audit,
            "robert'); drop table people;--", legacy_import_audit, team_01_audit, intercom_ticket_audit""")
    with Application(database.app_dsn, tmp_path, rate=150, old=0, new=3) as application:
        has_written(application, 300)
    assert counters_of(application.requests()).errors == {}
    verdict = check_acknowledged(database.dsn, application.entries())
    assert verdict.places["unified"] > 20
    assert [d for d in verdict.differences if d.place.startswith("unified")] == []
    assert {d.wrong for d in verdict.differences} <= {("(the row is missing)",)}, "without a mirror"
