"""The doctor: whether Changeover can do its work here, told before it is begun (P7).

`doctor_facts` measures, `diagnosis` judges, this puts them together. Each finding has a level: *fail* for what would
lose rows or cannot work (then `changeover doctor` ends with 5), *warn* for what a person should have thought about,
*ok* for what was looked at and is right, so that one sees what was looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engine.doctor import doctor_facts
from orchestrator.engine.doctor.diagnosis import Check, Level, diagnose
from orchestrator.engine.doctor.diagnosis_tables import judge_tables

if TYPE_CHECKING:
    from orchestrator.plan.loader import LoadedPlan

__all__ = ["Check", "Level", "examine", "healthy"]


def examine(dsn: str, plan: LoadedPlan | None = None, *, workers: int = 2) -> list[Check]:
    """Look at a database, and at what a plan would meet in it."""
    measured = doctor_facts.measure(dsn, plan)
    return [*diagnose(measured, workers=workers), *judge_tables(measured.tables)]


def healthy(checks: list[Check]) -> bool:
    """Nothing fails."""
    return all(check.level != "fail" for check in checks)
