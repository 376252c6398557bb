"""The report of a scripted demo: the parts that every demo has, and the plan's own checks and controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.demo import parts
from orchestrator.demo.application import counters_of, relabel
from orchestrator.demo.pictures import pictures
from orchestrator.demo.scripted.cutover import AFTER, BEFORE
from orchestrator.demo.section import Document, Section
from orchestrator.ledger.check_results import ORPHANS

if TYPE_CHECKING:
    from orchestrator.demo.application.record import Counters
    from orchestrator.demo.parts import Rollback
    from orchestrator.demo.scripted.cutover import Outcome

_DURING = "during"


@dataclass(frozen=True)
class Report:
    """Everything about one run."""

    title: str
    facts: dict[str, str]
    outcome: Outcome
    rollback: Rollback

    @property
    def during(self) -> Counters:
        """Requests by what the migration did meanwhile."""
        return counters_of(self.outcome.requests)

    @property
    def lost(self) -> int:
        """Rows that are neither migrated nor rejected, and acknowledged writes that are not there."""
        found = self.outcome
        missing = (
            found.legacy[table] - number - sum(found.rejects.get(table, {}).values())
            for table, number in found.migrated.items()
        )
        return found.verdict.lost + sum(max(0, number) for number in missing)


def document(report: Report) -> Document:
    """What the report shows."""
    found, during = report.outcome, report.during
    moments = {each.phase: _DURING for each in found.requests if each.phase not in {BEFORE, AFTER}}
    by_moment = counters_of(relabel(found.requests, moments))
    counted = {table: found.rejects[table] for table in found.migrated if table in found.rejects}
    shown = [
        parts.rows(found.legacy, found.migrated, found.rejects),
        parts.rejects(found.planted, counted),
        parts.verified(found.verified),
        _checks(found),
        _controls(found),
        parts.writes(found.verdict),
        parts.mirrors(found.hindered, found.unsettled),
        parts.failures(during),
        parts.latency("Latency before, during and after, in ms", by_moment),
        parts.latency("Latency per phase, in ms", during),
        parts.kinds(by_moment),
        parts.phases(found.phases),
        parts.rollback(report.rollback),
    ]
    there = [part for part in shown if part is not None]
    lines = parts.summary_lines(report.lost, during, found.verified, found.verdict)
    head = parts.summary(report.title, lines, report.rollback, report.facts, there)
    return Document(report.title, (head, *there), pictures(found.requests, found.copied))


def as_json(report: Report) -> dict[str, Any]:
    """The numbers behind the verdict, for scripts."""
    during = report.during
    return {
        "lost": report.lost,
        "requests": during.requests,
        "failed": during.failed,
        "rollback_equal": report.rollback.dump_equal,
        "facts": report.facts,
    }


def _checks(found: Outcome) -> Section | None:
    """The plan's own checks, and what is not good; one that only warns is shown, and judges nothing."""
    if not found.checks:
        return None
    states = {(True, True): "good", (True, False): "good", (False, True): "NOT GOOD", (False, False): "a warning"}
    asked = [each for each in found.checks if not each.ok or (each.words and not each.check.startswith(ORPHANS))]
    lines = [(each.stage, each.check, states[each.ok, each.binding], each.words) for each in asked]
    lines.append(("", "objects, seeds and foreign keys of the plan", "", f"{len(found.checks) - len(asked):,} good"))
    good = all(each.ok or not each.binding for each in found.checks)
    return Section("Checks of the plan, at the end", ("stage", "check", "", "answer"), tuple(lines), good)


def _controls(found: Outcome) -> Section | None:
    if not found.answers:
        return None
    return Section("Who said yes before contract", ("control", "role", "person"), tuple(found.answers))
