"""The report of the demo: what it shows, and that each broken promise turns it bad."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.demo.application.record import Counters, Request, counters_of, percentile, relabel
from orchestrator.demo.legacy.found import Found
from orchestrator.demo.legacy.planted import Planted
from orchestrator.demo.moved import MENDED, Caught, Moved, Step
from orchestrator.demo.parts import PhaseTime, Rollback, Verified
from orchestrator.demo.rendering import show, to_html, to_markdown, write
from orchestrator.demo.report import QueryTime, Report, document, sections
from orchestrator.demo.verdict import Difference, Verdict

NASTY = "public.<b>robert'); drop | table"


def request(phase: str, error: str | None = None, *, retries: int = 0, contended: bool = False) -> Request:
    return Request(0, "report", "old", "legacy", phase, 2.0, error, retries, contended)


REQUESTS = [request("before"), request("backfill"), request("backfill", retries=1, contended=True), request("after")]
PLANTED = Planted(
    rows={NASTY: 10},
    sources=(NASTY,),
    rejects={NASTY: {"no_date": 2}},
    exempt={"valid_dates": 1},
    warnings={"no_table": ("video_audit",), "column_without_parameter": ("x.y",)},
    employees=5,
    placeholders=1,
    statuses={"passing_status=pass": 4},
    totals={"audits": 8},
    spellings={},
    decoys={"public.security_audit_log": "abc"},
)
FOUND = Found(
    rows={NASTY: 8},
    rejects={NASTY: {"no_date": 2}},
    exempt={"valid_dates": 1},
    warnings={"no_table": 1, "column_without_parameter": 2},
    employees=5,
    placeholders=1,
    statuses={"passing_status=pass": 4, "passing_status=needs_review": 1},
    totals={"audits": 8},
)
FLAG = "USE_UNIFIED_AUDITS_TABLE"
STEPS = (
    Step("shadow, first attempt", 50, 0, 40, 22, 0),
    Step(MENDED, 60, 0, 60, 0, 1),
    Step("live 10 %", 40, 5, 40, 0, 0),
)
MOVED = Moved(STEPS, Caught(FLAG, "shadow", "dualwrite", 25, 22, 2.5), 0, {FLAG: "complete"})
GOOD = Report(
    title="Changeover",
    facts={"seed": "7"},
    planted=PLANTED,
    found=FOUND,
    verified=(Verified("audits", 8, 0, 1.0),),
    verdict=Verdict(4, 3, 0, {"legacy": 3}, ()),
    during=counters_of(REQUESTS),
    moments=counters_of(relabel(REQUESTS, {"backfill": "during"})),
    phases=(PhaseTime("audits", "expand", 0.5),),
    queries=(QueryTime("one employee", 20.0, 14, 2.0),),
    rollback=Rollback(1.0, dump_equal=True),
    moved=MOVED,
    decoys_before={"public.security_audit_log": "abc"},
)


def failed(counters: Counters) -> Counters:
    return replace(counters, failed=1, errors={"backfill: report: 40P01 deadlock detected": 1})


def test_a_run_that_kept_every_promise_is_good() -> None:
    assert [section.title for section in sections(GOOD) if section.good is False] == []
    assert GOOD.good
    assert GOOD.lost == 0


@pytest.mark.parametrize(
    ("broken", "title"),
    [
        (replace(GOOD, found=replace(FOUND, rows={NASTY: 7})), "Rows per table"),
        (replace(GOOD, found=replace(FOUND, rejects={NASTY: {"no_date": 1, "id_taken": 1}})), "Rejected rows"),
        (replace(GOOD, found=replace(FOUND, exempt={})), "Rows that break a new rule"),
        (replace(GOOD, found=replace(FOUND, placeholders=2)), "Persons"),
        (replace(GOOD, found=replace(FOUND, statuses={})), "Statuses"),
        (replace(GOOD, found=replace(FOUND, totals={"audits": 9})), "Sums"),
        (replace(GOOD, found=replace(FOUND, warnings={})), "Scorecards"),
        (replace(GOOD, decoys_before={"public.security_audit_log": "abd"}), "Tables that only look"),
        (replace(GOOD, verified=(Verified("audits", 8, 1, 1.0),)), "Verification"),
        (replace(GOOD, verified=()), "Verification"),
        (replace(GOOD, verdict=Verdict(4, 3, 0, {}, (Difference("legacy:t", "1", ("a",)),))), "Acknowledged"),
        (replace(GOOD, during=failed(GOOD.during)), "Requests"),
        (replace(GOOD, moved=replace(MOVED, caught=None)), "A defect"),
        (replace(GOOD, moved=replace(MOVED, defective=1)), "A defect"),
        (replace(GOOD, moved=replace(MOVED, stages={FLAG: "rampdown"})), "A defect"),
        (replace(GOOD, moved=replace(MOVED, steps=STEPS[:1])), "A defect"),
        (replace(GOOD, moved=replace(MOVED, steps=(*STEPS, Step("live 50 %", 40, 20, 40, 1, 0)))), "A defect"),
        (replace(GOOD, rollback=Rollback(1.0, dump_equal=False, difference=("+ x",))), "A second copy"),
    ],
)
def test_a_broken_promise_is_seen(broken: Report, title: str) -> None:
    bad = [section.title for section in sections(broken) if section.good is False]
    assert not broken.good
    assert bad[0] == "Changeover"
    assert [name.startswith(title) for name in bad[1:]] == [True]


def test_a_missing_row_and_a_missing_write_are_lost() -> None:
    verdict = Verdict(4, 3, 0, {}, (Difference("legacy:t", "1", ("a",)), Difference("compat:t", "1", ("a",))))
    assert replace(GOOD, found=replace(FOUND, rows={NASTY: 7}), verdict=verdict).lost == 2


def test_all_three_forms_say_the_same(tmp_path: Path) -> None:
    out = io.StringIO()
    show(document(GOOD), Console(file=out, width=200))
    page, text = to_html(document(GOOD)), to_markdown(document(GOOD))
    for said in (
        "Rows lost",
        "one employee",
        "20.0 ms in 14",
        "no_date",
        "before",
        "during",
        "22 of 25 compared reports differ",
        "2.5 s",
    ):
        assert said in out.getvalue()
        assert said in page
        assert said in text
    assert "<b>robert" not in page
    assert "drop \\| table" in text
    write(document(GOOD), tmp_path / "report.md")
    write(document(GOOD), tmp_path / "report.html")
    assert (tmp_path / "report.md").read_text() == text
    assert "<link" not in page
    assert "<script" not in page


def test_requests_are_summed_by_phase_and_moment() -> None:
    entries = {(e.phase, e.kind): e.requests for e in GOOD.moments.latencies}
    assert entries[("during", "all")] == 2
    assert (GOOD.during.retries, GOOD.during.unexpected_retries) == (1, 0)
    assert counters_of([request("x", "boom"), request("x", retries=2)]).errors == {"x: report: boom": 1}


def test_percentiles_by_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([], 0.5)) == (51.0, 100.0, 0.0)
