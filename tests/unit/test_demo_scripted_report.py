"""The report of a plan's demo: of the checks it shows those that a person has written, and every one that is not good."""

from __future__ import annotations

from orchestrator.demo.parts import Rollback
from orchestrator.demo.scripted.cutover import Check, Outcome
from orchestrator.demo.scripted.report import Report, document
from orchestrator.demo.verdict import Verdict

CHECKS = [
    Check("boats", "orphans of public.boats.owner", ok=True, binding=True, words="no orphan"),
    Check("boats", "orphans of public.boats.harbour", ok=False, binding=True, words="2 orphans"),
    Check("boats", "three_harbours", ok=True, binding=True, words="gives 3"),
    Check("boats", "late", ok=False, binding=False, words="7 rows"),
    Check("boats", "table public.boats", ok=True, binding=True, words=""),
]


def _checks(checks: list[Check]) -> tuple[tuple[str, ...], bool | None]:
    verdict = Verdict(writes=0, rows=0, doubtful=0, places={}, differences=())
    outcome = Outcome({}, {}, {}, {}, [], verdict, [], [], checks, [], {}, 0, ())
    shown = document(Report("Boats", {}, outcome, Rollback(1.0, dump_equal=True)))
    (section,) = (each for each in shown.sections if each.title.startswith("Checks of the plan"))
    return tuple(row[1] for row in section.rows), section.good


def test_what_the_engine_asks_of_each_key_is_counted_and_shown_where_it_is_not_good() -> None:
    named, good = _checks(CHECKS)
    assert named == (
        "orphans of public.boats.harbour",
        "three_harbours",
        "late",
        "objects, seeds and foreign keys of the plan",
    )
    assert good is False
    assert _checks([each for each in CHECKS if each.ok or not each.binding])[1] is True
