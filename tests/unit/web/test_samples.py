from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from orchestrator.ledger.control import Control
from orchestrator.web.rendering import charts
from orchestrator.web.samples import Sample, sample


def _control(plan: str, answer: dict[str, Any]) -> Control:
    now = datetime.now(UTC)
    return Control(plan, "run", {}, 1, "ann", now, "", 1, answer, now)


ANSWER = {
    "progress": {"rows_per_second": 1200.0},
    "probes": {"login": {"value": 12.5, "limit": 20}, "lag": {"value": 3.0, "limit": None}},
    "settings": {"probes": {"login": {"unit": "ms"}, "lag": {"unit": ""}}},
}


def test_a_sample_has_the_rate_of_jobs_at_work_only() -> None:
    rows = [
        ("queue_waiting", ("p", "a", "t"), 3.0),
        ("queue_waiting", ("p", "b", "u"), 4.0),
        ("replication_lag_seconds", (), 1.5),
        ("lease_held", ("p",), 1.0),
        ("lease_held", ("q",), 0.0),
    ]
    found = sample(7.0, rows, [_control("p", ANSWER), _control("q", ANSWER)])
    assert found == Sample(7.0, {"p": 1200.0}, {"p": 7.0}, {("p", "login"): 12.5}, 1.5)
    hidden = sample(7.0, [("replication_lag_seconds", (), 0.0), ("replication_lag_readable", (), 0.0)], [])
    assert hidden.replica_lag_s is None


def test_a_chart_shows_its_plan_alone_and_gaps_where_nothing_was_read() -> None:
    taken = [
        Sample(0.0, {"p": 5.0}, {"p": 1.0}, {("p", "login"): 9.0}),
        Sample(3.0, read=False),
        Sample(6.0, {"q": 8.0}, {"p": 0.0, "q": 2.0}),
    ]
    drawn = charts(taken, "p")
    assert [each["title"] for each in drawn] == ["Rows per second", "Keys in the queue", "Latency of the application"]
    assert [each["names"] for each in drawn] == [[(0, "p", 0.0)], [(0, "p", 0.0)], [(0, "login", None)]]
    assert str(drawn[0]["svg"]).count("M") == 2
    assert len(charts(taken)[0]["names"]) == 2
    assert charts([]) == []
