"""The legacy generator: the same every time, all kinds of dirt, and counts that can be trusted."""

from __future__ import annotations

import json

import pytest

from orchestrator.demo.legacy import Planted, add_column, add_scorecard, expect, generate
from orchestrator.demo.legacy.catalogue import MINIMUM_TABLES
from orchestrator.plan.loader import load
from tests.support.database import Database, Databases

AUDITS, TABLES, SEED = 2500, 14, 11
REASONS = {"invalid_email", "no_date", "number_too_large", "id_taken", "duplicate"}
RULES = {
    *("no_self_audit", "valid_dates", "valid_duration", "valid_score", "valid_percentage"),
    "unique_employee_id",
    "valid_email_format",
}


def build(database: Database) -> None:
    generate(database.dsn, audits=AUDITS, tables=TABLES, seed=SEED)


@pytest.fixture
def legacy(databases: Databases) -> Database:
    return databases.clone("demo legacy", build)


def test_every_kind_of_dirt_is_there(legacy: Database) -> None:
    planted = expect(legacy.dsn)
    assert planted.audits == AUDITS
    assert len(planted.sources) == TABLES
    assert {reason for reasons in planted.rejects.values() for reason in reasons} == REASONS
    assert planted.exempt.keys() == RULES
    assert all(number > 0 for number in planted.exempt.values())
    assert planted.warnings.keys() == {
        *("no_name", "no_table", "shared_table", "parameter_without_column", "column_without_parameter"),
    }
    assert planted.placeholders > 0
    assert min(planted.spellings.values()) > 3
    assert len(planted.decoys) == 4


def test_a_seed_makes_one_database(databases: Databases, legacy: Database) -> None:
    again = databases.create()
    planted = generate(again.dsn, audits=AUDITS, tables=TABLES, seed=SEED)
    assert planted == expect(legacy.dsn, troubles=planted.troubles)
    query = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} AS t"
    for table in ("public.people", "public.users", "public.chat_audit", "public.compliance_review", "qa.phone_qa"):
        assert again.value(query.format(table)) == legacy.value(query.format(table)), table
    other = generate(databases.create().dsn, audits=AUDITS, tables=TABLES, seed=SEED + 1)
    assert other.rejects != planted.rejects


def test_a_table_outside_of_the_plans_schemas_is_not_said_to_be_migrated(databases: Databases) -> None:
    database = databases.clone("demo legacy", build)
    plan = load("cqms")
    assert plan.model.stages[1].mappings[0].warnings == "sql/parameter_drift.sql"
    drift = f"SELECT count(*), count(*) FILTER (WHERE subject ~ '^qa') FROM ({plan.read('sql/parameter_drift.sql')}) d"
    with database.connect("admin") as conn:
        before = conn.execute(drift.encode()).fetchall()
        conn.execute("CREATE SCHEMA payroll; CREATE TABLE payroll.reviews (id uuid, salary_band text)")
        conn.execute("UPDATE public.scorecards SET table_name = 'payroll.reviews' WHERE table_name IS NULL")
        assert conn.execute(drift.encode()).fetchall() == before
        assert plan.model.discoverable == {"public", "qa"}
        conn.execute("CREATE TABLE qa.odd (id uuid, grade text)")
        conn.execute("UPDATE public.scorecards SET table_name = 'qa.odd' WHERE table_name = 'payroll.reviews'")
        assert conn.execute(drift.encode()).fetchall() == [(before[0][0] + 1, before[0][1] + 1)]


def test_the_expectations_are_json(legacy: Database) -> None:
    planted = expect(legacy.dsn)
    assert Planted.from_dict(json.loads(json.dumps(planted.as_dict()))) == planted


def test_too_few_tables_are_raised_to_those_that_carry_the_dirt(database: Database) -> None:
    assert len(generate(database.dsn, audits=300, tables=1, seed=1).sources) == MINIMUM_TABLES


def test_one_more_row_of_each_kind_is_counted_once(legacy: Database) -> None:
    before = expect(legacy.dsn)
    legacy.run("""
        UPDATE chat_audit SET employee_email = 'nobody' WHERE id = (
            SELECT id FROM chat_audit WHERE average_score BETWEEN 50 AND 90 AND interaction_date IS NOT NULL
            AND employee_email = lower(employee_email) AND employee_email LIKE '%_@express.example'
            AND audit_duration > '00:01'
            AND auditor_email LIKE '%_@express.example' AND lower(auditor_email) <> employee_email
            AND audit_end_time > audit_start_time AND id NOT IN (SELECT id FROM email_audit)
            ORDER BY id LIMIT 1)""")
    after = expect(legacy.dsn)
    assert (
        after.rejects["public.chat_audit"]["invalid_email"] == before.rejects["public.chat_audit"]["invalid_email"] + 1
    )
    assert after.totals["audits"] == before.totals["audits"] - 1
    assert after.exempt == before.exempt

    legacy.run("""
        INSERT INTO people (email, name, is_active)
        VALUES ('  Twice@Express.example', 'a', true), ('twice@express.example', 'b', false);
        INSERT INTO email_audit (employee_email, auditor_email, interaction_date, average_score, audit_duration)
        VALUES ('TWICE@express.example', 'twice@express.example ', '2024-01-01', 120, '-00:00:01')""")
    last = expect(legacy.dsn)
    assert last.rejects["public.people"]["duplicate"] == after.rejects["public.people"]["duplicate"] + 1
    assert last.employees == after.employees + 1
    grown = {rule for rule in RULES if last.exempt[rule] == after.exempt[rule] + 1}
    assert grown == {"no_self_audit", "valid_percentage", "valid_duration"}


def test_the_legacy_system_changes_in_the_middle(legacy: Database) -> None:
    before = expect(legacy.dsn)
    assert add_column(legacy.dsn) == 20
    assert add_scorecard(legacy.dsn) == 35
    after = expect(legacy.dsn)
    assert set(after.sources) - set(before.sources) == {"public.video_call_audit"}
    assert after.totals["audits"] == before.totals["audits"] + 35
    assert after.rejects == before.rejects
    assert legacy.value("SELECT count(*) FROM chat_audit WHERE proactivity = 3") > 0


def test_nothing_was_built_by_a_superuser(legacy: Database) -> None:
    assert legacy.rows("SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper") == []
    owners = "SELECT DISTINCT tableowner = current_user FROM pg_tables WHERE schemaname IN ('public', 'qa', 'auth')"
    assert legacy.rows(owners) == [(True,)]
