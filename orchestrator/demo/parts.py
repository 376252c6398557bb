"""Sections that every demo's report has: rows, rejects, verification, writes, requests, latency, phases, way back.

They take plain values and judge them; each demo puts its report together from them and from what only it can tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestrator.demo.section import Section
from orchestrator.kernel import words
from orchestrator.kernel.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orchestrator.demo.application.record import Counters
    from orchestrator.demo.verdict import Verdict

_SHOWN: Final = 12  # lines of a list of faults
_SQLSTATE: Final = re.compile("[0-9A-Z]{5}")
_CONFLICTS: Final = {
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


def summary_lines(lost: int, during: Counters, verified: Sequence[Verified], verdict: Verdict) -> list[tuple[str, str]]:
    """The promises in one line each."""
    rows, differences = sum(stage.rows for stage in verified), sum(stage.differences for stage in verified)
    return [
        ("Rows lost", f"{lost:,}"),
        ("Requests failed", f"{during.failed:,} of {during.requests:,}"),
        ("Values compared", words.compared(rows, differences)),
        ("Acknowledged writes checked", f"{counted(verdict.writes, 'write')} of {counted(verdict.rows, 'row')}"),
        ("Downtime", "0 s" if during.failed == 0 else "see the failed requests"),
    ]


def summary(
    title: str,
    lines: Sequence[tuple[str, str]],
    back: Rollback | None,
    facts: Mapping[str, str],
    shown: Iterable[Section],
) -> Section:
    """The head of a report: good where each section below is."""
    shape = [] if back is None else [("Schema after rollback", "equal" if back.dump_equal else "DIFFERENT")]
    return Section(title, ("", ""), (*lines, *shape, *facts.items()), all(part.good is not False for part in shown))


def rows(
    legacy: Mapping[str, int],
    migrated: Mapping[str, int],
    rejects: Mapping[str, Mapping[str, int]],
    troubles: Mapping[str, str] | None = None,
) -> Section:
    """Whether each old row is a new one or a reject; `troubles` says why a table is there."""
    lines: list[tuple[str, ...]] = []
    good = True
    for table, number in migrated.items():
        rejected = sum(rejects.get(table, {}).values())
        adds_up = legacy[table] == number + rejected
        good = good and adds_up
        line = (table, f"{legacy[table]:,}", f"{number:,}", f"{rejected:,}", mark(good=adds_up))
        lines.append(line if troubles is None else (*line, troubles.get(table, "")))
    headers = (
        "table",
        "legacy rows",
        "migrated",
        "rejected",
        "adds up",
        *(() if troubles is None else ("its trouble",)),
    )
    return Section("Rows per table: legacy = migrated + rejected", headers, tuple(lines), good)


def rejects(planted: Mapping[str, Mapping[str, int]], found: Mapping[str, Mapping[str, int]]) -> Section:
    """Rejects by rules of their own, beside those that the migration has made."""
    expected = {(table, reason): n for table, by in planted.items() for reason, n in by.items() if n}
    made = {(table, reason): n for table, by in found.items() for reason, n in by.items() if n}
    lines = [
        (table, reason, f"{expected.get((table, reason), 0):,}", f"{made.get((table, reason), 0):,}")
        for table, reason in sorted({*expected, *made})
    ]
    return Section("Rejected rows by reason", ("table", "reason", "planted", "found"), tuple(lines), expected == made)


def verified(found: Sequence[Verified]) -> Section:
    """What was compared, and what differed."""
    lines = [(v.stage, f"{v.rows:,}", f"{v.differences:,}", f"{v.seconds:.1f} s") for v in found]
    good = bool(lines) and all(v.differences == 0 for v in found)
    return Section("Verification, value by value", ("stage", "rows compared", "different", "time"), tuple(lines), good)


def writes(verdict: Verdict) -> Section:
    """Whether every acknowledged write is there."""
    lines = [(f"rows checked in {place}", f"{number:,}") for place, number in verdict.places.items()]
    lines += [("in doubt (the connection broke)", f"{verdict.doubtful:,}"), ("lost", f"{verdict.lost:,}")]
    lines += [(f"{d.place} {d.key}", ", ".join(d.wrong)) for d in verdict.differences[:_SHOWN]]
    return Section("Acknowledged writes", ("", ""), tuple(lines), verdict.lost == 0)


def mirrors(hindered: Mapping[str, int], unsettled: int) -> Section:
    """A mirror leaves to the drain what it cannot do at once; an SQLSTATE that is no conflict is an error."""
    faults = {cause for cause in hindered if _SQLSTATE.fullmatch(cause) and cause not in _CONFLICTS}
    lines = [
        (_CONFLICTS.get(cause, f"ERROR {cause}" if cause in faults else cause), f"{number:,}")
        for cause, number in sorted(hindered.items())
    ]
    lines.append(("still left at the end", f"{unsettled:,}"))
    return Section("What the mirrors left to be derived again", ("", ""), tuple(lines), not faults and not unsettled)


def failures(counters: Counters) -> Section:
    """The requests, and those that did not get what they asked for."""
    lines = [
        ("requests", f"{counters.requests:,}"),
        ("failed", f"{counters.failed:,}"),
        ("tried again, conflicts of the application's own", f"{counters.retries - counters.unexpected_retries:,}"),
        ("tried again in REPEATABLE READ, other", f"{counters.unexpected_retries:,}"),
    ]
    lines += [(error, str(number)) for error, number in list(counters.errors.items())[:_SHOWN]]
    return Section("Requests of the application", ("", ""), tuple(lines), counters.failed == 0)


def latency(title: str, counters: Counters) -> Section:
    """How long the requests took, by label."""
    lines = [
        (
            entry.phase,
            f"{entry.requests:,}",
            f"{entry.p50:.1f}",
            f"{entry.p99:.1f}",
            f"{entry.longest:.0f}",
            str(entry.failed),
        )
        for entry in counters.latencies
        if entry.kind == "all"
    ]
    return Section(title, ("", "requests", "p50", "p99", "longest", "failed"), tuple(lines))


def kinds(moments: Counters) -> Section:
    """Reads and writes by kind, side by side for what was read or written: the old tables or the unified ones."""
    lines = [
        (e.kind, e.version, e.source, e.phase, f"{e.requests:,}", f"{e.p50:.1f}", f"{e.p99:.1f}")
        for e in sorted(moments.latencies, key=lambda e: (e.kind, e.version, e.source))
        if e.kind != "all"
    ]
    headers = ("request", "version", "tables", "moment", "requests", "p50", "p99")
    return Section("Latency by request, in ms", headers, tuple(lines))


def phases(times: Sequence[PhaseTime]) -> Section:
    """How long each phase took."""
    lines = [(p.stage, p.phase, f"{p.seconds:.1f} s") for p in times]
    lines.append(("", "together", f"{sum(p.seconds for p in times):.1f} s"))
    return Section("Time per phase", ("stage", "phase", "time"), tuple(lines))


def rollback(back: Rollback) -> Section:
    """Whether the way back led to where it began."""
    lines = [
        ("schema dump equal to the one at the start", mark(good=back.dump_equal)),
        ("time", f"{back.seconds:.1f} s"),
    ]
    lines += [("difference", line) for line in back.difference[:_SHOWN]]
    return Section("A second copy, migrated and rolled back", ("", ""), tuple(lines), back.dump_equal)


def compared(
    title: str, planted: Mapping[str, int], found: Mapping[str, int], *, only_planted: bool = False
) -> Section:
    """What was planted beside what was found; equal or not."""
    names = sorted(planted if only_planted else {*planted, *found})
    lines = [(name, f"{planted.get(name, 0):,}", f"{found.get(name, 0):,}") for name in names]
    good = all(planted.get(name, 0) == found.get(name, 0) for name in names)
    return Section(title, ("", "planted", "found"), tuple(lines), good)


def mark(*, good: bool) -> str:
    """In one word."""
    return "yes" if good else "NO"
