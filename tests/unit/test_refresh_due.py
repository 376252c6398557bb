"""When a materialized view is due: by its age, by a cron expression in UTC, by writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.engine.run.refresh_due import Content, by_the_clock, is_due
from orchestrator.plan.refresh import Refresh

NOON = datetime(2024, 2, 28, 12, 0, 30, tzinfo=UTC)


def wanted(**keys: Any) -> Refresh:
    return Refresh(view="public.v", **keys)


@pytest.mark.parametrize(
    ("keys", "due"),
    [
        ({}, NOON + timedelta(minutes=60)),
        ({"every_minutes": 0.5}, NOON + timedelta(seconds=30)),
        ({"cron": "0 * * * *"}, datetime(2024, 2, 28, 13, tzinfo=UTC)),
        ({"cron": "15 3 29 2 *"}, datetime(2024, 2, 29, 3, 15, tzinfo=UTC)),
        ({"cron": "0 6 * * MON-FRI", "every_minutes": 100_000}, datetime(2024, 2, 29, 6, tzinfo=UTC)),
        ({"cron": "0 0 1 1 *", "every_minutes": 90}, NOON + timedelta(minutes=90)),
        ({"minutes_after_writes": 5}, None),
    ],
)
def test_the_clock_says_when(keys: dict[str, Any], due: datetime | None) -> None:
    found = wanted(**keys)
    assert by_the_clock(found, NOON) == due
    if due is not None:
        content = Content(NOON, behind=False)
        moments = [due - timedelta(seconds=1), due, due + timedelta(days=9)]
        assert [is_due(found, content, now) for now in moments] == [False, True, True]


@pytest.mark.parametrize(("minutes", "due"), [(4.9, False), (5, True), (99_999, True)])
def test_a_write_shows_after_so_many_minutes_and_no_write_costs_nothing(minutes: float, *, due: bool) -> None:
    now = NOON + timedelta(minutes=minutes)
    assert is_due(wanted(minutes_after_writes=5), Content(NOON, behind=True), now) is due
    assert not is_due(wanted(minutes_after_writes=5), Content(NOON, behind=False), now)


def test_one_of_several_is_enough() -> None:
    both = wanted(cron="0 * * * *", minutes_after_writes=5)
    assert is_due(both, Content(NOON, behind=True), NOON + timedelta(minutes=6))
    assert not is_due(both, Content(NOON, behind=False), NOON + timedelta(minutes=6))
    assert is_due(both, Content(NOON, behind=False), NOON + timedelta(minutes=60))


def test_what_was_never_computed_is_due() -> None:
    assert is_due(wanted(minutes_after_writes=5), Content(None, behind=False), NOON)


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("@hourly", "five fields"),
        ("0 * * * * *", "five fields"),
        ("61 * * * *", "Bad minute"),
        ("0 0 30 2 *", "Bad day-of-month"),
        ("0 0 * * NEVER", "Bad day-of-week"),
    ],
)
def test_a_cron_expression_that_is_none_is_refused_when_the_plan_is_read(cron: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        wanted(cron=cron)
