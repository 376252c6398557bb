"""The report of a demo run: what a manager can read, and what a script can judge (`Report.good`).

The driver fills in plain values; `sections` turns them into titled tables, each with a verdict of its own;
`rendering.py` puts those on the terminal and into a file. Every promise has a line that says whether it
was kept: rows lost, requests failed, values that differ, planted dirt found, the way back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.demo import moved, parts
from orchestrator.demo.section import Document, Section

if TYPE_CHECKING:
    from orchestrator.demo.application.record import Counters
    from orchestrator.demo.legacy.found import Found
    from orchestrator.demo.legacy.planted import Planted
    from orchestrator.demo.moved import Moved
    from orchestrator.demo.parts import PhaseTime, Rollback, Verified
    from orchestrator.demo.pictures import Picture
    from orchestrator.demo.verdict import Verdict

_CERTAIN_WARNINGS = ("no_name", "no_table", "shared_table")


@dataclass(frozen=True)
class QueryTime:
    """A report query on both sides, without the application beside it (median of several)."""

    name: str
    legacy_ms: float
    legacy_queries: int
    unified_ms: float
    unified_queries: int = 1


@dataclass(frozen=True)
class Report:
    """Everything about one run."""

    title: str
    facts: dict[str, str]
    """Server, seed, sizes: what one needs to run it again."""
    planted: Planted
    """Counted over the legacy tables at the end of the migration, by rules of its own."""
    found: Found
    verified: tuple[Verified, ...]
    verdict: Verdict
    during: Counters
    """Requests by phase, as the driver named them."""
    moments: Counters
    """The same requests, under the labels `before`, `during` and `after`."""
    phases: tuple[PhaseTime, ...]
    queries: tuple[QueryTime, ...] = ()
    rollback: Rollback | None = None
    moved: Moved | None = None
    decoys_before: dict[str, str] = field(default_factory=dict)
    hindered: dict[str, int] = field(default_factory=dict)
    """What the mirrors left for the drain, by cause: a word, or the SQLSTATE of what stood in the way."""
    unsettled: int = 0
    """What was still left at the end."""
    pictures: tuple[Picture, ...] = ()
    """For the form that can show them, which is HTML."""

    @property
    def lost(self) -> int:
        """Rows that are neither migrated nor rejected, and acknowledged writes that do not stand."""
        return self.verdict.lost + sum(
            max(0, self.planted.rows[table] - self.found.rows[table] - sum(self.found.rejects.get(table, {}).values()))
            for table in self.found.rows
        )

    @property
    def good(self) -> bool:
        """Whether every section is."""
        return all(section.good is not False for section in sections(self))


def document(report: Report) -> Document:
    """What the report shows."""
    return Document(report.title, tuple(sections(report)), report.pictures)


def sections(report: Report) -> list[Section]:
    """The report as tables, the verdict first."""
    planted, found = report.planted, report.found
    shown = [
        parts.rows(planted.rows, found.rows, found.rejects, planted.troubles),
        parts.rejects(planted.rejects, found.rejects),
        parts.compared("Rows that break a new rule and are let through by name", planted.exempt, found.exempt),
        _persons(report),
        parts.compared("Statuses after folding", planted.statuses, found.statuses, only_planted=True),
        parts.compared("Sums over all audits", planted.totals, found.totals),
        _warnings(report),
        _decoys(report),
        parts.verified(report.verified),
        parts.writes(report.verdict),
        *moved.sections(report.moved),
        parts.mirrors(report.hindered, report.unsettled),
        parts.failures(report.during),
        parts.latency("Latency before, during and after, in ms", report.moments),
        parts.latency("Latency per phase, in ms", report.during),
        parts.kinds(report.moments),
        _queries(report),
        parts.phases(report.phases),
        None if report.rollback is None else parts.rollback(report.rollback),
    ]
    there = [part for part in shown if part is not None]
    return [_summary(report, there), *there]


def _summary(report: Report, there: list[Section]) -> Section:
    lines = parts.summary_lines(report.lost, report.during, report.verified, report.verdict)
    if report.moved and report.moved.caught:
        answered = f"{report.moved.defective:,} users were answered by it"
        lines.append(("Planted defect", f"taken back after {report.moved.caught.seconds:.1f} s, {answered}"))
    return parts.summary(report.title, lines, report.rollback, report.facts, there)


def _persons(report: Report) -> Section:
    names = {"employees": report.planted.employees, "placeholders for who has left": report.planted.placeholders}
    found = {"employees": report.found.employees, "placeholders for who has left": report.found.placeholders}
    return parts.compared("Persons", names, found)


def _warnings(report: Report) -> Section:
    lines = [
        (code, str(len(s)), str(report.found.warnings.get(code, 0)), ", ".join(s))
        for code, s in report.planted.warnings.items()
    ]
    found, planted = report.found.warnings, report.planted.warnings
    # A column that is added meanwhile has no parameter either.
    good = all(found.get(code, 0) >= len(subjects) for code, subjects in planted.items()) and all(
        found.get(code, 0) == len(planted.get(code, ())) for code in _CERTAIN_WARNINGS
    )
    return Section(
        "Scorecards that lead nowhere, and other drift", ("warning", "planted", "found", "of"), tuple(lines), good
    )


def _decoys(report: Report) -> Section | None:
    if not report.decoys_before:
        return None
    now = report.planted.decoys
    lines = [(name, parts.mark(good=now.get(name) == was)) for name, was in report.decoys_before.items()]
    good = all(now.get(name) == was for name, was in report.decoys_before.items())
    return Section("Tables that only look like audit tables", ("table", "untouched"), tuple(lines), good)


def _queries(report: Report) -> Section | None:
    if not report.queries:
        return None
    lines = [
        (
            q.name,
            f"{q.legacy_ms:.1f} ms in {q.legacy_queries}",
            f"{q.unified_ms:.1f} ms in {q.unified_queries}",
            _ratio(q),
        )
        for q in report.queries
    ]
    headers = ("query", "before, in queries", "after, in queries", "times faster")
    return Section("Report queries, before and after", headers, tuple(lines))


def _ratio(query: QueryTime) -> str:
    return f"{query.legacy_ms / query.unified_ms:.1f}" if query.unified_ms > 0 else ""
