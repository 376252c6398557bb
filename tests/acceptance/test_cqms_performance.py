"""Pack cqms, stage performance: figures that agree with the rows, keys without NULL, refreshed beside their readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import cqms
from tests.support.cli import Cli
from tests.support.running import counted

if TYPE_CHECKING:
    from tests.support.database import Database, Databases

pytestmark = [pytest.mark.newest, pytest.mark.timeout(600)]

VIEWS = {"public.audit_statistics": "employee_id", "public.auditor_performance": "auditor_id"}
FIGURES = """
SELECT year, quarter, week, sum(total_audits), sum(passed_audits), sum(failed_audits), sum(total_errors),
       round(sum(average_score * total_audits) / sum(total_audits), 6), sum(reversal_requests), sum(approved_reversals),
       min(first_audit_date), max(last_submitted_at)
FROM {} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
ROWS = """
SELECT extract(year FROM interaction_date)::integer, quarter, week, count(*)::numeric,
       count(*) FILTER (WHERE passing_status = 'pass')::numeric, count(*) FILTER (WHERE passing_status = 'fail')::numeric,
       sum(total_errors_count)::numeric, round(avg(percentage_score), 6), count(reversal_requested_at)::numeric,
       count(*) FILTER (WHERE reversal_approved)::numeric, min(interaction_date), max(submitted_at)
FROM public.audits WHERE deleted_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
SAME_ROWS = "SELECT count(*), sum(('x' || substr(md5(ctid::text || xmin::text), 1, 8))::bit(32)::bigint) FROM {}"


@pytest.fixture
def database(databases: Databases) -> Database:
    return cqms.migrated(databases)


def test_the_statistics_are_those_of_the_rows_and_follow_them(database: Database) -> None:
    cli = Cli(database.dsn)
    for view, person in VIEWS.items():
        assert database.rows(FIGURES.format(view)) == database.rows(ROWS), view
        keys = ("scorecard_id", "channel_key", "year", "quarter", "week", person)
        assert database.value(f"SELECT count(*) FROM {view} WHERE num_nulls({', '.join(keys)}) > 0") == 0
        assert database.value(f"SELECT count(DISTINCT year) FROM {view}") == 3, "three years are not one"
        assert database.value(f"SELECT count(*) FROM {view} WHERE channel_id IS NULL AND channel_name IS NULL") > 0
    assert {each["state"] for each in cli.ok("refresh", "cqms", "--if-due", "--json").json} == {"young"}

    # Nothing was written: a refresh rewrites no row, though channels are missing.
    before = [database.rows(SAME_ROWS.format(view)) for view in VIEWS]
    cli.ok("refresh", "cqms")
    assert [database.rows(SAME_ROWS.format(view)) for view in VIEWS] == before

    # Both versions write, on a day that no calendar has and without quarter and week too; a scorecard goes.
    database.run(
        """
        INSERT INTO public.chat_audit (employee_email, auditor_email, interaction_date) VALUES ('u1@cqms.example', 'u2@cqms.example', 'infinity');
        UPDATE public.email_audit SET average_score = 1, channel = NULL WHERE interaction_id = 'I7';
        INSERT INTO public.audits (employee_id, auditor_id, scorecard_id, interaction_date, total_score, max_possible_score)
        SELECT e.id, a.id, s.id, '2024-12-31', 5, 10 FROM public.employees e, public.employees a, public.scorecards s
        WHERE e.email = 'u3@cqms.example' AND a.email = 'u12@cqms.example' AND s.name = 'Email'
        """
    )
    with database.connect(autocommit=False) as reader:
        reader.execute("SELECT count(*) FROM public.audit_statistics")
        cli.ok("refresh", "cqms")
    for view in VIEWS:
        assert database.value(f"SELECT sum(total_audits) FROM {view}") == database.value(
            "SELECT count(*) FROM public.audits"
        )
        new = "year = 2024 AND quarter = 'Q4' AND week = 1 AND average_score = 50"
        assert database.value(f"SELECT count(*) FROM {view} WHERE {new}") == 1
        assert database.rows(f"SELECT quarter, week FROM {view} WHERE year = 0") == [("", 0)]


def test_a_write_makes_them_due_after_a_quarter_of_an_hour_and_the_hour_by_itself(database: Database) -> None:
    cli = Cli(database.dsn)

    def states() -> set[str]:
        return {each["state"] for each in cli.ok("refresh", "cqms", "--if-due", "--json").json}

    def earlier(to: str) -> None:
        database.run(
            f"""
            ALTER TABLE changeover.event DISABLE TRIGGER USER;
            UPDATE changeover.event SET detail = detail || jsonb_build_object('as_of', {to}) WHERE kind = 'view.refreshed'
            """
        )

    cli.ok("refresh", "cqms")
    earlier("date_trunc('hour', now()) - interval '1 second'")
    assert states() == {"refreshed"}, "a full hour has passed"
    database.run("UPDATE public.email_audit SET average_score = 2 WHERE interaction_id = 'I8'")
    counted(database)
    assert database.value("SELECT count(*) FROM public.audits WHERE total_score = 2") == 1
    assert states() == {"young"}
    earlier("now() - interval '16 minutes'")
    assert states() == {"refreshed"}


def test_the_flag_goes_with_the_stage_and_the_stage_goes_back_alone(database: Database) -> None:
    cli = Cli(database.dsn)
    assert "USE_MATERIALIZED_VIEWS" in cli.ok("flag", "list").out
    assert cli("rollback", "--yes", "--plan", "cqms", "--stage", "relationships").code == 5, (
        "statistics come after them"
    )
    cli.ok("rollback", "--yes", "--plan", "cqms", "--stage", "performance")
    assert "USE_MATERIALIZED_VIEWS" not in cli.ok("flag", "list").out
    assert database.value("SELECT count(*) FROM pg_matviews") == 0
    cli.ok("start", "cqms", "--stage", "performance", "--until", "verify")
    assert database.rows(FIGURES.format("public.audit_statistics")) == database.rows(ROWS)
