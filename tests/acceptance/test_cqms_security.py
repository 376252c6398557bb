"""Pack cqms where Supabase's roles exist: who sees and writes what, versions, and what becomes of a closed account."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import orchestrator
from tests.support import cqms
from tests.support.cli import Cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.database import Database, Databases

pytestmark = [pytest.mark.newest, pytest.mark.timeout(600)]

LEADS = """
UPDATE public.employees SET supervisor_id = (SELECT id FROM public.employees WHERE email = 'u7@cqms.example') WHERE email = 'u1@cqms.example';
UPDATE public.teams SET supervisor_id = (SELECT id FROM public.employees WHERE email = 'u8@cqms.example') WHERE name = 'South';
"""
NEW_AUDIT = """
INSERT INTO public.audits (employee_id, auditor_id, scorecard_id, interaction_date, total_score, max_possible_score)
SELECT e.id, a.id, s.scorecard_id, '2025-06-01', 90, 100
FROM (SELECT md5(%s)::uuid AS id) AS e, (SELECT md5(%s)::uuid AS id) AS a,
     (SELECT scorecard_id FROM public.audits LIMIT 1) AS s
"""
REPORT = Path(orchestrator.__file__).parent / "plans/cqms/sql/employee_report.sql"
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def database(databases: Databases) -> Database:
    return cqms.migrated(databases)


@contextmanager
def seen_by(database: Database, user: int | None, role: str = "authenticated") -> Iterator[psycopg.Connection[Any]]:
    """What PostgREST does for a request: the role of the token, and whose it is."""
    with database.connect("admin") as conn:
        conn.execute("SELECT set_config('request.jwt.claim.sub', CASE WHEN %s THEN '' ELSE md5('user ' || %s::text)::uuid::text END, false)",
                     (user is None, user))  # fmt: skip
        conn.execute(f"SET ROLE {role}")
        yield conn


def ask(conn: psycopg.Connection[Any], query: str) -> set[Any]:
    return {row[0] for row in conn.execute(query.encode()).fetchall()}


def count(conn: psycopg.Connection[Any], table: str) -> int:
    row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def people(*numbers: int) -> set[str]:
    return {f"u{number}@cqms.example" for number in numbers}


def test_everybody_sees_their_own_and_the_service_role_sees_all(database: Database) -> None:
    database.run(LEADS)
    every = database.value("SELECT count(*) FROM public.audits")
    emails, audited = (
        "SELECT email FROM public.employees",
        "SELECT e.email FROM public.audits a JOIN public.employees e ON e.id = a.employee_id",
    )

    with seen_by(database, 3) as agent:
        assert ask(agent, emails) == people(3)
        own = count(agent, "public.audits")
        assert own == database.value("SELECT count(*) FROM public.audits WHERE employee_id = md5('user 3')::uuid") > 0
        listed = agent.execute(
            REPORT.read_text(encoding="utf-8").replace("$1", "%(who)s").encode(), {"who": "u3@cqms.example"}
        )
        assert listed.rowcount == own, "an auditor whom the agent may not see hides no audit"
        assert ask(agent, "SELECT employee_id::text FROM public.audits") == ask(
            agent, "SELECT public.current_employee_id()::text"
        )
        assert count(agent, "public.audit_errors") == database.value(
            "SELECT count(*) FROM public.audit_errors r JOIN public.audits a ON a.id = r.audit_id WHERE a.employee_id = md5('user 3')::uuid"
        )
        assert count(agent, "public.roles") == database.value("SELECT count(*) FROM public.roles") > 0
        with pytest.raises(DENIED):
            agent.execute(NEW_AUDIT, ("user 3", "user 11"))
        assert agent.execute("UPDATE public.audits SET total_score = 100").rowcount == 0
        for denied in ("UPDATE public.employees SET access_level = 'admin'", "DELETE FROM public.audits", "TRUNCATE public.audits",
                       "INSERT INTO public.roles (name, code, level) VALUES ('x', 'x', 9)", "SELECT * FROM public.audit_statistics"):  # fmt: skip
            with pytest.raises(DENIED):
                agent.execute(denied.encode())

    with seen_by(database, 12) as auditor:
        assert count(auditor, "public.audits") == database.value(
            "SELECT count(*) FROM public.audits WHERE auditor_id = md5('user 12')::uuid"
        )
        assert ask(auditor, emails) >= people(12) | ask(auditor, audited)
        auditor.execute(NEW_AUDIT, ("user 4", "user 12"))
        with pytest.raises(DENIED):
            auditor.execute(NEW_AUDIT, ("user 4", "user 11"))
        with pytest.raises(DENIED):
            auditor.execute(
                "UPDATE public.audits SET auditor_id = md5('user 11')::uuid WHERE interaction_date = '2025-06-01'"
            )
        row = auditor.execute(
            "UPDATE public.audits SET total_score = 80, status = 'submitted' WHERE interaction_date = '2025-06-01' AND version = 1 "
            "RETURNING version, updated_at >= now()"
        ).fetchone()
        assert row == (2, True)
    # The mirror writes for who may not: the old application has the audit.
    assert database.rows("SELECT average_score FROM public.email_audit WHERE interaction_date = '2025-06-01' UNION ALL "
                         "SELECT average_score FROM public.chat_audit WHERE interaction_date = '2025-06-01'") == [(80,)]  # fmt: skip

    for manager, team in ((7, people(1, 2, 3, 4, 5, 6)), (8, people(8, 9, 10))):  # the people of 7 say so themselves
        with seen_by(database, manager) as conn:
            assert ask(conn, emails) == team | people(manager)
            assert ask(conn, audited) == (team | people(manager)) & ask(conn, audited)
            assert ask(conn, audited) >= team

    with seen_by(database, None, "service_role") as service:
        assert count(service, "public.audits") == every + 1
        assert count(service, "public.employees") == database.value("SELECT count(*) FROM public.employees")
        assert count(service, "public.audit_statistics") > 0
        service.execute(
            "UPDATE public.audits SET acknowledgement_status = 'acknowledged' WHERE interaction_date = '2025-06-01'"
        )
    with seen_by(database, None) as nobody:
        assert (count(nobody, "public.audits"), count(nobody, "public.employees")) == (0, 0)
    with seen_by(database, None, "anon") as stranger, pytest.raises(DENIED):
        stranger.execute("SELECT * FROM public.channels")
    cli = Cli(database.dsn)
    cli.ok("drain", "--plan", "cqms")
    cli.ok("verify", "--plan", "cqms")


def test_an_auditor_sees_what_is_assigned_by_whichever_version(database: Database) -> None:
    audit = "SELECT auditor_id = md5('user 11')::uuid FROM public.audits WHERE id = md5('chat 3')::uuid"
    assert database.value(audit) is True
    shown = "SELECT interaction_date::text FROM public.audits WHERE id = md5('chat 3')::uuid"
    with seen_by(database, 12) as auditor, seen_by(database, 9) as other:
        before = ask(auditor, "SELECT email FROM public.employees")
        assert before >= {email for (email,) in database.rows(
            "SELECT lower(employee_email) FROM public.audit_assignments WHERE lower(auditor_email) = 'u12@cqms.example'")}  # fmt: skip
        assert ask(auditor, shown) == set()
        database.run(
            """
            INSERT INTO public.audit_assignments (employee_email, auditor_email, scorecard_id, scheduled_date, audit_id)
            SELECT 'U13@cqms.example', 'U12@cqms.example ', s.id, '2025-06-01', md5('chat 3')::uuid::text
            FROM public.scorecards s WHERE s.name = 'Chat'
            """
        )
        assert ask(auditor, shown) == {"2025-02-06"}
        assert ask(auditor, "SELECT email FROM public.employees") == before | people(13)
        database.run(
            "UPDATE public.audit_assignments SET auditor_id = md5('user 9')::uuid WHERE employee_email = 'U13@cqms.example'"
        )
        assert (ask(auditor, shown), ask(other, shown)) == (set(), {"2025-02-06"})


def test_who_is_gone_sees_nothing(database: Database) -> None:
    with seen_by(database, 3) as agent:
        assert count(agent, "public.audits") > 0
        database.run("UPDATE public.people SET is_active = false WHERE lower(email) = 'u3@cqms.example'")
        assert (count(agent, "public.audits"), count(agent, "public.employees")) == (0, 0)


def test_a_version_counts_what_the_new_application_writes_and_nothing_else(database: Database) -> None:
    cli = Cli(database.dsn)
    numbers = "SELECT version, updated_at FROM public.audits WHERE id = md5('email 5')::uuid"
    assert database.value("SELECT count(*) FROM public.audits WHERE version <> 1") == 0
    assert database.value("SELECT count(*) FROM public.employees WHERE version <> 1") == 0
    ((_, before),) = database.rows(numbers)
    database.run(
        "UPDATE public.email_audit SET average_score = 7, updated_at = '2024-01-01 00:00+00' WHERE id = md5('email 5')::uuid"
    )
    ((version, updated),) = database.rows(numbers)
    assert (version, str(updated)) == (1, "2024-01-01 00:00:00+00:00"), "a mirror wrote it"
    database.run("UPDATE public.audits SET total_score = 8, version = 40 WHERE id = md5('email 5')::uuid")
    ((version, updated),) = database.rows(numbers)
    assert (version, updated > before) == (2, True), "nobody skips a version"
    assert database.value("SELECT updated_at FROM public.email_audit WHERE id = md5('email 5')::uuid") == updated
    assert database.value("SELECT average_score FROM public.email_audit WHERE id = md5('email 5')::uuid") == 8
    # A row that the mirror left, and the drain writes.
    with database.connect(autocommit=False) as late:
        late.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        late.execute(
            "UPDATE public.email_audit SET average_score = 9, updated_at = '2024-02-02 00:00+00' WHERE id = md5('email 5')::uuid"
        )
        late.commit()
    cli.ok("drain", "--plan", "cqms")
    assert database.value("SELECT total_score FROM public.audits WHERE id = md5('email 5')::uuid") == 9
    assert database.value("SELECT version FROM public.audits WHERE id = md5('email 5')::uuid") == 2
    for table, change in (("employees", "name = 'x'"), ("roles", "level = 2"), ("teams", "capacity = 3")):
        database.run(f"UPDATE public.{table} SET updated_at = '2020-01-01', {change}")
        assert (
            database.value(f"SELECT count(*) FROM public.{table} WHERE updated_at < now() - interval '1 minute'") == 0
        ), table
    assert database.value("SELECT count(*) FROM public.employees WHERE version <> 2") == 0
    cli.ok("drain", "--plan", "cqms")
    cli.ok("verify", "--plan", "cqms")


def test_a_closed_account_leaves_the_employee_with_the_history(database: Database) -> None:
    """The document deletes both, by ON DELETE CASCADE."""
    cli = Cli(database.dsn)
    key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'employees_auth_user_id_fkey' AND convalidated"
    assert "REFERENCES auth.users(id) ON DELETE SET NULL" in database.value(key)
    audits = database.value("SELECT count(*) FROM public.audits WHERE employee_id = md5('user 5')::uuid")
    database.run("DELETE FROM auth.users WHERE id = md5('user 5')::uuid")
    assert audits > 0
    assert database.value("SELECT count(*) FROM public.audits WHERE employee_id = md5('user 5')::uuid") == audits
    assert database.rows("SELECT auth_user_id, name FROM public.employees WHERE email = 'u5@cqms.example'") == [
        (None, "Person 5")
    ]
    assert database.value("SELECT count(*) FROM public.users WHERE email = 'u5@cqms.example'") == 0
    cli.ok("drain", "--plan", "cqms")
    cli.ok("verify", "--plan", "cqms")


def test_where_supabase_is_not_there_are_no_policies_and_that_is_said(databases: Databases) -> None:
    database = cqms.legacy(databases)
    database.run("DROP FUNCTION auth.uid()")
    cli = Cli(database.dsn)
    told = cli.ok("plan", "check", "cqms").out
    assert "row-level security of audits is left out: this database has no function auth.uid()" in " ".join(
        told.split()
    )
    cli.ok("init")
    cli.ok("start", "cqms", "--stage", "foundation", "--until", "expand")
    assert database.value("SELECT count(*) FROM pg_policies WHERE schemaname = 'public'") == 0
    assert database.value("SELECT relrowsecurity FROM pg_class WHERE oid = 'public.employees'::regclass") is False
    assert database.value("SELECT to_regprocedure('public.current_employee_id()')") is None
