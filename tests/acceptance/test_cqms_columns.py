"""What `audits` has of the columns of the old tables, of their scorecard, and of the types of their parameters."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.support import cqms_assigned as assigned

if TYPE_CHECKING:
    from tests.support.database import Database, Databases

pytestmark = pytest.mark.newest


@pytest.fixture
def migrated(databases: Databases) -> Database:
    return assigned.migrated(databases)


def test_a_column_that_is_named_like_one_of_audits_goes_there(migrated: Database) -> None:
    """D5: by its text, whatever its type; what cannot be read is NULL and stays as original; it is no parameter."""
    migrated_row = """
        SELECT a.client_email, a.client_id, a.interaction_type, a.transcript_summary, a.validated_at::text, a.passing_threshold,
               a.reversal_reason, a.recommendations, a.agent_pre_status, a.ai_assisted, a.ai_confidence_score, a.ai_review_required
        FROM public.audits a WHERE a.transcript_summary = 'sum {}'"""
    rows = [migrated.rows(migrated_row.format(i)) for i in (4, 13, 42)]
    assert rows == [
        [("client4@else.example", "4", "email", "sum 4", None, 75, "why 4", '["more"]', " Ready", True, Decimal("0.91"), True)],
        [("client13@else.example", "13", "chat", "sum 13", None, 80, "why 13", '["more"]', " Ready", False, None, False)],
        [("client42@else.example", "42", "other", "sum 42", "2024-02-01 10:00:00+00", 80, "why 42", '["more"]', " Ready", False, None, True)],
    ]  # fmt: skip
    named = [
        "client_email",
        "client_id",
        "interaction_type",
        "validated_at",
        "passing_threshold",
        "ai_assisted",
        "recommendations",
    ]
    assert migrated.value("SELECT count(*) FROM public.audits WHERE parameter_scores ?| %s::text[]", (named,)) == 0
    assert migrated.value("SELECT count(*) FROM public.audit_errors WHERE field_id = ANY (%s::text[])", (named,)) == 0
    assert migrated.rows(
        "SELECT count(*) FROM (SELECT to_jsonb(v.*) FROM compat.typed v EXCEPT SELECT to_jsonb(t.*) FROM public.typed t) x"
    ) == [(0,)]
    app = migrated.connect("app")
    app.execute("UPDATE public.typed SET validated_at = '2024-03-01', ai_confidence_score = '0.5' WHERE id = 'T-4'")
    app.execute(
        "UPDATE public.audits SET validated_at = '2025-05-05 05:05+00', interaction_type = 'call' WHERE transcript_summary = 'sum 42'"
    )
    new, old = (
        migrated.rows(migrated_row.format(4)),
        "SELECT validated_at, interaction_type FROM public.typed WHERE id = 'T-42'",
    )
    assert (new[0][4], new[0][10]) == ("2024-03-01 00:00:00+00", Decimal("0.5"))
    assert migrated.rows(old) == [("2025-05-05 05:05:00+00", "call")]
    assigned.clean(migrated, "audits")


def test_a_threshold_is_what_the_scorecard_said_when_the_audit_came(migrated: Database) -> None:
    """D5: the snapshot of the document; another threshold of the scorecard is for the audits to come."""
    app = migrated.connect("app")
    app.execute("UPDATE public.scorecards SET passing_threshold = 91 WHERE name = 'Typed'")
    for i in (7001, 7002):
        app.execute(
            "INSERT INTO public.typed (id, employee_email, auditor_email, interaction_date, passing_threshold) "
            "VALUES (%s, 'p3@x.com', 'p4@x.com', '2024-01-01', %s)", (f"T-{i}", "66" if i == 7002 else None)
        )  # fmt: skip
    thresholds = "SELECT a.passing_threshold, count(*) FROM public.audits a JOIN public.scorecards s ON s.id = a.scorecard_id WHERE s.name = 'Typed' GROUP BY 1"
    assert {value for value, _ in migrated.rows(thresholds)} == {
        66,
        75,
        80,
        91,
        None,
    }  # 1e9 has no place in the new column
    assigned.clean(migrated, "audits")


def test_errors_are_counted_by_the_type_of_their_parameter(migrated: Database) -> None:
    """D5: significant_errors_count and minor_errors_count, from the scores and as the scores change."""
    counted = (
        "SELECT significant_errors_count, minor_errors_count FROM public.audits a WHERE a.transcript_summary = 'sum {}'"
    )
    wanted = {4: (1, 0), 13: (1, 1), 42: (0, 2)}
    assert {i: migrated.rows(counted.format(i))[0] for i in wanted} == wanted
    app = migrated.connect("app")
    app.execute("UPDATE public.typed SET slips = 5, key = 2 WHERE id = 'T-42'")
    assert migrated.rows(counted.format(42)) == [(2, 5)]
    app.execute("UPDATE public.audits SET minor_errors_count = 9 WHERE transcript_summary = 'sum 42'")
    app.execute("UPDATE public.typed SET average_score = '77' WHERE id = 'T-42'")
    assert migrated.rows(counted.format(42)) == [(2, 9)]
    app.execute("UPDATE public.scorecard_perameters SET parameter_type = 'critical' WHERE field_id = 'slips'")
    assigned.clean(migrated, "links")  # what was counted is no difference
