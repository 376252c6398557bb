"""Finding a plan: shipped by its name, any by its folder, and one that was begun here by the name that the ledger has.

Who rolls back at night knows the name that `status` shows. The folder that the ledger remembers is that of the machine
on which the plan was begun; where it is not there, the error says so.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.engine.session import open_ledger
from orchestrator.kernel.errors import ChangeoverError
from orchestrator.ledger import runs
from orchestrator.plan.errors import UnknownPlanError
from orchestrator.plan.loader import LoadedPlan, load


def find(dsn: str | None, plan: str | LoadedPlan) -> LoadedPlan:
    """The plan. Raise UnknownPlanError where neither the program, nor the disk, nor the ledger knows it."""
    try:
        return load(plan)
    except UnknownPlanError:
        if dsn is None or isinstance(plan, LoadedPlan) or "/" in plan:
            raise
        folder = _folder(dsn, plan)
        if folder is None:
            raise
        if not Path(folder, "plan.yaml").is_file():
            raise UnknownPlanError(
                f"Plan {plan} was begun from the folder {folder}, and no plan.yaml is there on this machine.",
                kept="Nothing was changed.",
                todo="Give the path of the folder in which the plan's files are here.",
            ) from None
        return load(folder)


def _folder(dsn: str, plan: str) -> str | None:
    try:
        with open_ledger(dsn, "find") as ledger:
            last = runs.latest(ledger, plan)
    except ChangeoverError:
        return None  # the plan is what was asked for, and there is none of that name
    return None if last is None else last.folder
