"""The pictures of the demo's report: what is drawn, from requests and from the engine's events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from orchestrator.cli.demo import demo
from orchestrator.demo import run
from orchestrator.demo.application.record import Request
from orchestrator.demo.pictures import Copied, latency, phases, pictures
from orchestrator.demo.rendering import to_html, to_markdown
from orchestrator.demo.report import document
from orchestrator.kernel.charts import Band
from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.events import Event
from tests.unit.test_demo_report import GOOD


def _request(at: float, phase: str, milliseconds: float) -> Request:
    return Request(1000 + at, "report", "old", "legacy", phase, milliseconds)


REQUESTS = [
    _request(0.1, "before", 4.0),
    _request(0.2, "before", 6.0),
    _request(2.5, "<b>audits</b>, backfill", 50.0),
    _request(2.6, "before", 5.0),  # began before the label changed
    _request(3.9, "after", 5.0),
]


def test_latency_has_a_point_a_second_and_gaps() -> None:
    p50, p95 = latency(REQUESTS, 1000.1)
    assert [y for _, y in p50.points] == [6.0, None, 50.0, 5.0]
    assert [x for x, _ in p95.points] == [0.5, 1.5, 2.5, 3.5]


def test_a_phase_ends_where_the_next_begins() -> None:
    found = phases(REQUESTS, 1000.0)
    assert [(each.name, round(each.start, 1), round(each.end, 1)) for each in found] == [
        ("before", 0.1, 2.5),
        ("<b>audits</b>, backfill", 2.5, 3.9),
        ("after", 3.9, 3.9),
    ]
    assert isinstance(found[0], Band)


def test_several_copies_are_added_up() -> None:
    now = iter(range(100))
    copied = Copied(clock=lambda: float(next(now)))
    for rows in (10, 30, 5, 20, 20, 3):
        copied.listen(Event("backfill.progress", {"rows_seen": rows}))
        copied.listen(Event("backfill.batch", {"seen": 1}))
    assert [rows for _, rows in copied.marks] == [10, 30, 35, 50, 50, 53]


def test_the_report_shows_them_as_html_only() -> None:
    report = replace(GOOD, pictures=pictures(REQUESTS, [(1001.0, 0.0), (1003.0, 500.0)]))
    page = to_html(document(report))
    assert page.count("<svg") == page.count("</svg>") == 2
    assert "<b>audits" not in page
    assert page.index("<svg") < page.index("Rows per table")
    for each in report.pictures:
        ET.fromstring(each.svg)  # noqa: S314 - our own text
    assert "<svg" not in to_markdown(document(report))
    assert pictures([], []) == ()


def test_the_option_of_the_command_reaches_the_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: dict[str, object] = {}

    def main(plan: str, size: run.Size, **options: object) -> int:
        given.update(options, plan=plan, size=size)
        return 0

    monkeypatch.setattr(run, "main", main)
    demo(audits=100, tables=1, report=tmp_path / "r.html", page=True)
    assert (given["page"], given["plan"], given["size"]) == (True, "cqms", run.Size(100, 1, None, 1))
    demo(plan="solar", rows=50, seed=3)
    assert (given["plan"], given["size"]) == ("solar", run.Size(rows=50, seed=3))


@pytest.mark.parametrize("options", [{"plan": "solar", "audits": 200}, {"plan": "cqms", "rows": 20}])
def test_a_size_of_another_plan_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        demo(**options)
