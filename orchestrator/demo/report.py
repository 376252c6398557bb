"""The report of a demo run: what a manager can read, and what a script can judge (`Report.good`).

The driver fills in plain values; `sections` turns them into titled tables, each with a verdict of its own;
`rendering.py` puts those on the terminal and into a file. Every promise has a line that says whether it
was kept: rows lost, requests failed, values that differ, planted dirt found, the way back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.demo import moved
from orchestrator.demo.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestrator.demo.application.check import Verdict
    from orchestrator.demo.application.record import Tally
    from orchestrator.demo.legacy.found import Found
    from orchestrator.demo.legacy.planted import Planted
    from orchestrator.demo.moved import Moved
    from orchestrator.demo.pictures import Picture

_CERTAIN_WARNINGS = ("no_name", "no_table", "shared_table")
_SHOWN = 12  # lines of a list of faults
_SQLSTATE = re.compile("[0-9A-Z]{5}")
_CONFLICTS = {
    "40001": "a snapshot too old to see the newer row",
    "40P01": "a deadlock, avoided",
    "55P03": "a lock held by somebody else",
}


@dataclass(frozen=True)
class PhaseTime:
    """How long a phase of a stage took."""

    stage: str
    phase: str
    seconds: float


@dataclass(frozen=True)
class QueryTime:
    """A report query on both sides, without the application beside it (median of several)."""

    name: str
    legacy_ms: float
    legacy_queries: int
    unified_ms: float
    unified_queries: int = 1


@dataclass(frozen=True)
class Verified:
    """The outcome of the verification of a stage."""

    stage: str
    rows: int
    differences: int
    seconds: float


@dataclass(frozen=True)
class Rollback:
    """The second copy, migrated and taken back."""

    seconds: float
    dump_equal: bool
    difference: tuple[str, ...] = ()
    """The first lines in which the schema dumps differ."""


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
    during: Tally
    """Requests by phase, as the driver named them."""
    moments: Tally
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


def sections(report: Report) -> list[Section]:
    """The report as tables, the verdict first."""
    parts = [
        _rows(report),
        _rejects(report),
        _compared("Rows that break a new rule and are let through by name", report.planted.exempt, report.found.exempt),
        _persons(report),
        _compared("Statuses after folding", report.planted.statuses, report.found.statuses, only_planted=True),
        _compared("Sums over all audits", report.planted.totals, report.found.totals),
        _warnings(report),
        _decoys(report),
        _verified(report),
        _writes(report),
        *moved.sections(report.moved),
        _mirrors(report),
        _failures(report),
        _latency("Latency before, during and after, in ms", report.moments),
        _latency("Latency per phase, in ms", report.during),
        _kinds(report),
        _queries(report),
        _phases(report),
        _rollback(report),
    ]
    shown = [part for part in parts if part is not None]
    return [_summary(report, shown), *shown]


def _summary(report: Report, parts: Iterable[Section]) -> Section:
    verified = sum(stage.rows for stage in report.verified)
    rows = [
        ("Rows lost", f"{report.lost:,}"),
        ("Requests failed", f"{report.during.failed:,} of {report.during.requests:,}"),
        ("Values compared", f"{verified:,} rows, {sum(stage.differences for stage in report.verified):,} differ"),
        ("Acknowledged writes checked", f"{report.verdict.writes:,} writes of {report.verdict.rows:,} rows"),
        ("Downtime", "0 s" if report.during.failed == 0 else "see the failed requests"),
    ]
    if report.moved and report.moved.caught:
        answered = f"{report.moved.defective:,} users were answered by it"
        rows.append(("Planted defect", f"taken back after {report.moved.caught.seconds:.1f} s, {answered}"))
    if report.rollback:
        rows.append(("Schema after rollback", "equal" if report.rollback.dump_equal else "DIFFERENT"))
    facts = [(name, value) for name, value in report.facts.items()]
    return Section(report.title, ("", ""), (*rows, *facts), all(part.good is not False for part in parts))


def _rows(report: Report) -> Section:
    lines, good = [], True
    for table, migrated in report.found.rows.items():
        legacy = report.planted.rows[table]
        rejected = sum(report.found.rejects.get(table, {}).values())
        adds_up = legacy == migrated + rejected
        good = good and adds_up
        trouble = report.planted.troubles.get(table, "")
        lines.append((table, f"{legacy:,}", f"{migrated:,}", f"{rejected:,}", _mark(good=adds_up), trouble))
    headers = ("table", "legacy rows", "migrated", "rejected", "adds up", "its trouble")
    return Section("Rows per table: legacy = migrated + rejected", headers, tuple(lines), good)


def _rejects(report: Report) -> Section:
    planted = {(table, reason): n for table, by in report.planted.rejects.items() for reason, n in by.items()}
    found = {(table, reason): n for table, by in report.found.rejects.items() for reason, n in by.items()}
    lines = [
        (table, reason, f"{planted.get((table, reason), 0):,}", f"{found.get((table, reason), 0):,}")
        for table, reason in sorted({*planted, *found})
    ]
    return Section("Rejected rows by reason", ("table", "reason", "planted", "found"), tuple(lines), planted == found)


def _persons(report: Report) -> Section:
    names = {"employees": report.planted.employees, "placeholders for who has left": report.planted.placeholders}
    found = {"employees": report.found.employees, "placeholders for who has left": report.found.placeholders}
    return _compared("Persons", names, found)


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
    lines = [(name, _mark(good=now.get(name) == was)) for name, was in report.decoys_before.items()]
    good = all(now.get(name) == was for name, was in report.decoys_before.items())
    return Section("Tables that only look like audit tables", ("table", "untouched"), tuple(lines), good)


def _verified(report: Report) -> Section:
    lines = [(v.stage, f"{v.rows:,}", f"{v.differences:,}", f"{v.seconds:.1f} s") for v in report.verified]
    good = bool(lines) and all(v.differences == 0 for v in report.verified)
    return Section("Verification, value by value", ("stage", "rows compared", "different", "time"), tuple(lines), good)


def _writes(report: Report) -> Section:
    verdict = report.verdict
    lines = [(f"rows checked in {place}", f"{number:,}") for place, number in verdict.places.items()]
    lines += [("in doubt (the connection broke)", f"{verdict.doubtful:,}"), ("lost", f"{verdict.lost:,}")]
    lines += [(f"{d.place} {d.key}", ", ".join(d.wrong)) for d in verdict.differences[:_SHOWN]]
    return Section("Acknowledged writes", ("", ""), tuple(lines), verdict.lost == 0)


def _mirrors(report: Report) -> Section:
    """A mirror leaves to the drain what it cannot do at once; an SQLSTATE that is no conflict is an error."""
    faults = {cause for cause in report.hindered if _SQLSTATE.fullmatch(cause) and cause not in _CONFLICTS}
    lines = [
        (_CONFLICTS.get(cause, f"ERROR {cause}" if cause in faults else cause), f"{number:,}")
        for cause, number in sorted(report.hindered.items())
    ]
    lines.append(("still left at the end", f"{report.unsettled:,}"))
    return Section(
        "What the mirrors left to be derived again", ("", ""), tuple(lines), not faults and not report.unsettled
    )


def _failures(report: Report) -> Section:
    tally = report.during
    lines = [
        ("requests", f"{tally.requests:,}"),
        ("failed", f"{tally.failed:,}"),
        ("tried again, conflicts of the application's own", f"{tally.retries - tally.unexpected_retries:,}"),
        ("tried again in REPEATABLE READ, other", f"{tally.unexpected_retries:,}"),
    ]
    lines += [(error, str(number)) for error, number in list(tally.errors.items())[:_SHOWN]]
    return Section("Requests of the application", ("", ""), tuple(lines), tally.failed == 0)


def _latency(title: str, tally: Tally) -> Section:
    lines = [
        (
            entry.phase,
            f"{entry.requests:,}",
            f"{entry.p50:.1f}",
            f"{entry.p99:.1f}",
            f"{entry.longest:.0f}",
            str(entry.failed),
        )
        for entry in tally.latencies
        if entry.kind == "all"
    ]
    return Section(title, ("", "requests", "p50", "p99", "longest", "failed"), tuple(lines))


def _kinds(report: Report) -> Section:
    """Reads and writes by kind, side by side for what was read or written: the old tables or the unified ones."""
    lines = [
        (e.kind, e.version, e.source, e.phase, f"{e.requests:,}", f"{e.p50:.1f}", f"{e.p99:.1f}")
        for e in sorted(report.moments.latencies, key=lambda e: (e.kind, e.version, e.source))
        if e.kind != "all"
    ]
    headers = ("request", "version", "tables", "moment", "requests", "p50", "p99")
    return Section("Latency by request, in ms", headers, tuple(lines))


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


def _phases(report: Report) -> Section:
    lines = [(p.stage, p.phase, f"{p.seconds:.1f} s") for p in report.phases]
    lines.append(("", "together", f"{sum(p.seconds for p in report.phases):.1f} s"))
    return Section("Time per phase", ("stage", "phase", "time"), tuple(lines))


def _rollback(report: Report) -> Section | None:
    if report.rollback is None:
        return None
    back = report.rollback
    lines = [
        ("schema dump equal to the one at the start", _mark(good=back.dump_equal)),
        ("time", f"{back.seconds:.1f} s"),
    ]
    lines += [("difference", line) for line in back.difference[:_SHOWN]]
    return Section("A second copy, migrated and rolled back", ("", ""), tuple(lines), back.dump_equal)


def _compared(
    title: str, planted: Mapping[str, int], found: Mapping[str, int], *, only_planted: bool = False
) -> Section:
    """What was planted beside what was found; equal or not."""
    names = sorted(planted if only_planted else {*planted, *found})
    lines = [(name, f"{planted.get(name, 0):,}", f"{found.get(name, 0):,}") for name in names]
    good = all(planted.get(name, 0) == found.get(name, 0) for name in names)
    return Section(title, ("", "planted", "found"), tuple(lines), good)


def _mark(*, good: bool) -> str:
    return "yes" if good else "NO"
