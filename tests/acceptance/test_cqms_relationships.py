"""The stages relationships, links and parameters of the pack cqms, written by an ordinary role.

One database, migrated once up to the verification of the stage; each test has a copy of it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from orchestrator.plan.loader import load
from tests.support import cqms_assigned as assigned
from tests.support.cli import Cli

if TYPE_CHECKING:
    from tests.support.database import Database, Databases

pytestmark = pytest.mark.newest

OLD: Final = (
    "id, employee_email, employee_name, auditor_email, scorecard_id, status, scheduled_date, audit_id, conversation_id, "
    "source_type, assigned_by, remark, created_at"
)
PEOPLE: Final = "public.audit_assignments a LEFT JOIN public.employees e ON e.id = a.employee_id"


@pytest.fixture
def migrated(databases: Databases) -> Database:
    return assigned.migrated(databases)


def test_every_assignment_has_its_people(migrated: Database) -> None:
    """D1: ids beside the e-mails; who is nobody gets a placeholder, nobody is lost; `system` is no assigner."""
    one = migrated.value
    assert one("SELECT count(*) FROM public.audit_assignments") == 120
    nobody = "SELECT count(*) FROM public.audit_assignments WHERE employee_id IS NULL OR auditor_id IS NULL"
    assert one(nobody) == 0
    folded = "lower(btrim(a.employee_email))"
    assert (
        one(
            f"SELECT count(*) FROM {PEOPLE} WHERE e.email <> coalesce(nullif({folded}, ''), 'unknown@unresolved.invalid')"
        )
        == 0
    )
    placeholders = migrated.rows(f"""
        SELECT DISTINCT e.email, e.is_active, e.is_archived, e.legacy_exempt FROM {PEOPLE}
        WHERE {folded} IN ('', 'n/a', 'gone2@left.example') ORDER BY 1""")
    assert placeholders == [
        ("gone2@left.example", False, True, []),
        ("n/a", False, True, ["valid_email_format"]),
        ("unknown@unresolved.invalid", False, True, []),
    ]  # fmt: skip
    assigned = (
        "SELECT assigned_by, count(assigner_id) > 0 FROM public.audit_assignments GROUP BY 1 ORDER BY 1 NULLS FIRST"
    )
    assert migrated.rows(assigned) == [
        (None, False),
        ("", False),
        ("p2@x.com", True),
        ("system", False),
        ("who@left.example", True),
    ]
    assert one("SELECT count(*) FROM public.people WHERE email LIKE '%left.example' OR email IN ('n/a')") == 0


def test_audit_id_is_resolved_by_scorecard_and_key(migrated: Database) -> None:
    """D1: audit_id is text, a number or nothing; it leads to the audit that the old table's row has become."""
    wrong = """
        SELECT a.audit_id, s.name FROM public.audit_assignments a JOIN public.scorecards s ON s.id = a.scorecard_id
        LEFT JOIN public.audits x ON x.scorecard_id = s.id AND x.metadata -> 'legacy' ->> 'id' = a.audit_id
        WHERE a.audit_id_new IS DISTINCT FROM x.id"""
    assert migrated.rows(wrong) == []
    found = "SELECT count(audit_id_new) > 5 FROM public.audit_assignments WHERE audit_id LIKE {}"
    assert migrated.value(found.format("'T-%%'", ())) is True
    assert migrated.value("SELECT count(audit_id_new) FROM public.audit_assignments WHERE audit_id ~ '^[0-9]+$'") > 5
    assert (
        migrated.value(
            "SELECT count(*) FROM public.audit_assignments WHERE audit_id LIKE 'lost%' AND audit_id_new IS NULL"
        )
        == 20
    )


def test_the_documents_columns_and_rules_are_there(migrated: Database) -> None:
    """D1: 25 columns, a valid CHECK for each rule, an index for each foreign key; what was there already stays."""
    columns = {row[0] for row in migrated.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'public.audit_assignments'::regclass AND attnum > 0")}  # fmt: skip
    assert columns >= {
        *("id", "employee_id", "auditor_id", "assigner_id", "scorecard_id", "status", "priority", "scheduled_date", "due_date"),
        *("week", "quarter", "interaction_id", "conversation_id", "intercom_alias", "source_type", "completed_at"),
        *("audit_id", "completion_notes", "cancelled_at", "cancelled_by", "cancellation_reason", "metadata", "tags"),
        *("created_at", "updated_at", "remark"),
    }  # fmt: skip
    checks = "SELECT conname FROM pg_constraint WHERE conrelid = 'public.audit_assignments'::regclass AND contype = 'c' AND convalidated"
    assert {row[0] for row in migrated.rows(checks)} == set(load("cqms").stage("relationships").alter[0].constraints)
    bare = """
        SELECT conname FROM pg_constraint c WHERE conrelid = 'public.audit_assignments'::regclass AND contype = 'f'
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL)"""
    assert migrated.rows(bare) == []
    assert migrated.value("SELECT pg_get_indexdef('public.idx_audit_assignments_status'::regclass)").endswith(
        "(status, created_at)"
    )
    assert migrated.value("SELECT count(updated_at) FROM public.audit_assignments") == 0


def test_rules_bind_new_rows_and_let_old_ones_through(migrated: Database) -> None:
    """A2: a row of the old application carries the names of the rules it breaks; one of the new application may break none."""
    broken = Counter(row[0] for row in migrated.rows("SELECT unnest(legacy_exempt) FROM public.audit_assignments"))
    assert broken["valid_status"] == 48
    assert broken["scheduled_date_given"] == 17
    assert broken["valid_source_type"] == 40
    assert broken["no_self_assignment"] > 0
    app = migrated.connect("app")
    old = "INSERT INTO public.audit_assignments (employee_email, auditor_email, status) VALUES (%s, %s, %s) RETURNING legacy_exempt"
    assert app.execute(old, ("p4@x.com", "P4@x.com", "Waiting")).fetchone() == (
        ["valid_status", "scheduled_date_given", "no_self_assignment"],
    )
    new = """
        INSERT INTO public.audit_assignments (employee_id, auditor_id, status, scheduled_date)
        SELECT e.id, a.id, %s, '2024-05-05' FROM public.employees e, public.employees a WHERE e.email = 'p4@x.com' AND a.email = %s
        RETURNING id"""
    for auditor, status in (("p4@x.com", "pending"), ("p5@x.com", "Waiting")):
        with pytest.raises(psycopg.errors.CheckViolation):
            app.execute(new, (status, auditor))
    made = app.execute(new, ("pending", "p6@x.com")).fetchone()
    assert made is not None
    with pytest.raises(psycopg.errors.CheckViolation):
        app.execute("UPDATE public.audit_assignments SET employee_id = auditor_id WHERE id = %s", made)
    # An old row that breaks a rule may be given to somebody else by either version.
    moved = "UPDATE public.audit_assignments SET auditor_id = (SELECT id FROM public.employees WHERE email = 'p7@x.com') WHERE status = 'done'"
    assert app.execute(moved).rowcount == 24
    app.execute("UPDATE public.audit_assignments SET status = 'completed' WHERE status = 'done'")
    assert (
        migrated.value(
            "SELECT count(*) FROM public.audit_assignments WHERE status = 'completed' AND 'valid_status' = ANY (legacy_exempt)"
        )
        == 0
    )
    assigned.clean(migrated)


def test_assignments_by_email_and_by_id_in_the_same_minute(migrated: Database) -> None:
    """D1: both versions write; each finds what the other has written in its own words."""
    app = migrated.connect("app")
    for turn in range(1, 6):
        app.execute("INSERT INTO public.audit_assignments (employee_email, employee_name, auditor_email, assigned_by) "
                    "VALUES (%s, 'Fresh', 'P5@x.com', 'system')", (f"Fresh{turn}@X.com",))  # fmt: skip
        app.execute("INSERT INTO public.audit_assignments (employee_id, auditor_id, assigner_id, scheduled_date) "
                    "SELECT e.id, a.id, a.id, '2025-01-01' FROM public.employees e, public.employees a "
                    "WHERE e.email = %s AND a.email = 'p7@x.com'", (f"p{turn + 1}@x.com",))  # fmt: skip
        app.execute(
            "UPDATE public.audit_assignments SET auditor_email = 'p8@x.com' WHERE employee_email = %s",
            (f"p{turn + 1}@x.com",),
        )
        app.execute("UPDATE public.audit_assignments SET employee_id = (SELECT id FROM public.employees WHERE email = 'p9@x.com') "
                    "WHERE employee_email = %s", (f"Fresh{turn}@X.com",))  # fmt: skip
    by_id = "SELECT DISTINCT employee_email, employee_name FROM public.audit_assignments WHERE employee_name = 'User 9' OR employee_name = 'Person 9'"
    assert [row[0] for row in migrated.rows(by_id)] == ["p9@x.com"]
    by_email = (
        f"SELECT count(*) FROM {PEOPLE} WHERE lower(btrim(a.employee_email)) <> e.email AND a.employee_email <> ''"
    )
    assert migrated.value(by_email) == 0
    assert (
        migrated.value("SELECT assigned_by FROM public.audit_assignments WHERE scheduled_date = '2025-01-01' LIMIT 1")
        == "p7@x.com"
    )
    assert assigned.clean(migrated)["rows"] == 130


def test_an_audit_that_comes_later_is_found(migrated: Database) -> None:
    """D1: the assignment was written first, or the audit was a reject until somebody mended it; the old text stays."""
    app = migrated.connect("app")
    card = "(SELECT id FROM public.scorecards WHERE name = 'Typed')"
    app.execute(
        f"INSERT INTO public.audit_assignments (employee_email, auditor_email, scorecard_id, audit_id) VALUES ('p3@x.com', 'p4@x.com', {card}, 'Z-1')".encode()
    )
    resolved = "SELECT audit_id, audit_id_new IS NOT NULL FROM public.audit_assignments WHERE audit_id = 'Z-1'"
    assert migrated.rows(resolved) == [("Z-1", False)]
    app.execute(
        "INSERT INTO public.typed (id, employee_email, auditor_email, interaction_date) VALUES ('Z-1', 'p3@x.com', 'p4@x.com', '2024-01-01')"
    )
    assigned.clean(migrated)
    assert migrated.rows(resolved) == [("Z-1", True)]
    app.execute("DELETE FROM public.typed WHERE id = 'Z-1'")
    assigned.clean(migrated)
    assert migrated.rows(resolved) == [("Z-1", False)]


LEADS: Final = """
    SELECT e.email, s.email, q.email FROM public.employees e LEFT JOIN public.employees s ON s.id = e.supervisor_id
    LEFT JOIN public.employees q ON q.id = e.quality_mentor_id WHERE e.email ~ '^(lea|tom|uma|two.)@' ORDER BY 1"""


def test_people_have_their_supervisor_and_mentor(migrated: Database) -> None:
    """D3: by e-mail, else by a name that only one person has; else the text stays, counted; a new supervisor is followed."""
    expected: dict[str, tuple[str | None, str | None]] = {
        "lea@x.com": (None, None),  # nobody leads themselves
        "tom@x.com": ("lea@x.com", None),
        "uma@x.com": ("lea@x.com", None),
        "two1@x.com": (None, None),
        "two2@x.com": ("uma@x.com", None),
    }
    assert {email: tuple(rest) for email, *rest in migrated.rows(LEADS)} == expected
    shown = Cli(migrated.dsn).ok("verify", "--plan", "cqms").out
    assert "warning: check people_whose_leader_is_unknown" in shown
    assert "nobody at all" in shown
    assert (
        migrated.value(
            "SELECT legacy -> 'people' ->> 'team_supervisor' FROM public.employees WHERE email = 'two1@x.com'"
        )
        == "nobody at all"
    )
    app = migrated.connect("app")
    app.execute(
        "INSERT INTO public.people (email, name) VALUES ('late@x.com', 'Nobody at all'), ('lea2@x.com', 'Lea Lead')"
    )
    app.execute("UPDATE public.people SET team_supervisor = 'tom@x.com' WHERE email = 'two2@x.com'")
    app.execute(
        "UPDATE public.employees SET quality_mentor_id = (SELECT id FROM public.employees WHERE email = 'tom@x.com') WHERE email = 'lea@x.com'"
    )
    app.execute("UPDATE public.people SET login_count = 7, department = 'Care' WHERE email = 'lea@x.com'")
    assigned.clean(migrated, "links")
    expected |= {"lea@x.com": (None, "tom@x.com"), "uma@x.com": (None, None), "two1@x.com": ("late@x.com", None),
                 "two2@x.com": ("tom@x.com", None)}  # fmt: skip
    assert {email: tuple(rest) for email, *rest in migrated.rows(LEADS)} == expected


def test_teams_and_channels_are_linked_where_all_agree(migrated: Database) -> None:
    """D4: the people of a team, the scorecards of a channel; else NULL, counted."""
    teams = """
        SELECT t.name, c.name, d.name, e.email FROM public.teams t LEFT JOIN public.channels c ON c.id = t.channel_id
        LEFT JOIN public.departments d ON d.id = t.department_id LEFT JOIN public.employees e ON e.id = t.supervisor_id ORDER BY 1"""
    assert migrated.rows(teams) == [("North", "Chat", "Sales", "uma@x.com"), ("South", "Chat", None, "lea@x.com")]
    channels = "SELECT c.name, s.name FROM public.channels c LEFT JOIN public.scorecards s ON s.id = c.default_scorecard_id ORDER BY 1"
    assert migrated.rows(channels) == [("Chat", "Typed"), ("Phone", None)]
    app = migrated.connect("app")
    app.execute(
        "UPDATE public.teams SET channel_id = (SELECT id FROM public.channels WHERE name = 'Phone') WHERE name = 'South'"
    )
    app.execute("UPDATE public.people SET channel = 'Phone' WHERE team = 'North'")
    assigned.clean(migrated, "links")
    assert migrated.rows(teams)[1][1] == "Phone"


def test_an_audit_knows_its_assignment(migrated: Database) -> None:
    """D5: assignment_id from audit_assignments, of several the one that was completed last; it follows."""
    wrong = """
        SELECT a.id FROM public.audits a WHERE a.assignment_id IS DISTINCT FROM (SELECT s.id FROM public.audit_assignments s
        WHERE s.audit_id_new = a.id ORDER BY s.created_at DESC LIMIT 1)"""
    assert migrated.rows(wrong) == []
    assert migrated.value("SELECT count(assignment_id) FROM public.audits") > 10
    app = migrated.connect("app")
    first = "SELECT id, assignment_id FROM public.audits WHERE assignment_id IS NOT NULL ORDER BY id LIMIT 1"
    ((audit, before),) = migrated.rows(first)
    one = f"SELECT id, assignment_id FROM public.audits WHERE id = '{audit}'"
    app.execute("INSERT INTO public.audit_assignments (employee_id, auditor_id, scheduled_date, audit_id_new, completed_at) "
                "SELECT a.employee_id, e.id, '2025-01-01', a.id, now() FROM public.audits a, public.employees e "
                "WHERE a.id = %s AND e.email = 'lea@x.com'", (audit,))  # fmt: skip
    assigned.clean(migrated, "links")
    ((_, after),) = migrated.rows(one)
    assert after not in {None, before}
    app.execute("DELETE FROM public.audit_assignments WHERE id = %s", (after,))
    assigned.clean(migrated, "links")
    assert migrated.rows(one) == [(audit, before)]


def test_parameters_have_two_names(migrated: Database) -> None:
    """D2: both names are written; errors refer to the table, whatever it is called; a later table is taken in."""
    app = migrated.connect("app")
    card = "SELECT id FROM public.scorecards WHERE name = 'Typed'"
    app.execute(
        f"INSERT INTO public.scorecard_perameters (scorecard_id, field_id, error_name) SELECT id, 'x', 'By old' FROM ({card}) s".encode()
    )
    migrated.run(f"GRANT ALL ON public.scorecard_parameters TO {migrated.app_role}")
    app.execute("UPDATE public.scorecard_parameters SET penalty_points = 3 WHERE error_name = 'By old'")
    assert app.execute(
        "SELECT penalty_points FROM public.scorecard_perameters WHERE error_name = 'By old' FOR UPDATE"
    ).fetchone() == (3,)
    app.execute(
        "INSERT INTO public.typed (id, employee_email, auditor_email, interaction_date, x) VALUES ('X-1', 'p3@x.com', 'p4@x.com', '2024-01-01', '5')"
    )
    named = "SELECT e.error_name, e.error_count, e.penalty_points FROM public.audit_errors e WHERE e.field_id = 'x' AND e.error_count = 5"
    assert migrated.rows(named) == [("By old", 5, 3)]
    parent = (
        "SELECT confrelid::regclass::text FROM pg_constraint WHERE conname = 'audit_errors_scorecard_parameter_id_fkey'"
    )
    assert migrated.value(parent) == "scorecard_parameters"
    assigned.clean(migrated, "audits")


def test_contract_and_the_way_back(migrated: Database, databases: Databases) -> None:
    """D1: NOT NULL at contract, both versions go on; rollback after contract leaves the old database, and what was written."""
    before = databases.clone("cqms relationships, legacy", assigned.build).schema_dump()
    cli, app = Cli(migrated.dsn), migrated.connect("app")
    for stage in load("cqms").model.stages:
        if stage.flag is not None:
            cli.ok("flag", "set", stage.flag, "--stage", "live", "--reason", "test", "--yes")
    cli.ok("rejects", "waive", "--all", "--reason", "test")
    cli.ok("start", "cqms")
    required = """
        SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = 'public.audit_assignments'::regclass
        AND attname IN ('employee_id', 'auditor_id', 'employee_email') ORDER BY 1"""
    assert migrated.rows(required) == [("auditor_id", True), ("employee_email", False), ("employee_id", True)]
    app.execute("INSERT INTO public.audit_assignments (employee_email, status) VALUES (' ', 'Later')")
    app.execute("INSERT INTO public.audit_assignments (employee_id, auditor_id, scheduled_date, priority) "
                "SELECT e.id, a.id, '2025-02-02', 'high' FROM public.employees e, public.employees a "
                "WHERE e.email = 'p2@x.com' AND a.email = 'p3@x.com'")  # fmt: skip
    assigned.clean(migrated)
    written = Counter(migrated.rows(f"SELECT {OLD} FROM public.audit_assignments"))
    cli.ok("rollback", "--yes", "--plan", "cqms")
    assert Counter(migrated.rows(f"SELECT {OLD} FROM public.audit_assignments")) == written
    assert migrated.rows("SELECT * FROM archive.audit_assignments_columns_run1") != []
    migrated.run("DROP SCHEMA archive CASCADE")
    cli.ok("uninstall")
    assert migrated.schema_dump() == before
