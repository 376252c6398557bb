"""The columns that a plan adds to tables in use: by `alter`, and by mappings that are changed in place.

Before expand they are not there yet. Whatever is tried or compiled beforehand and names them is given them from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.sqltokens import table_label
from phases.alter_spec import column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.plan.model import Stage


def columns(stages: Sequence[Stage], table: str) -> dict[str, str]:
    """Name and definition of each, as ADD COLUMN takes it, of a table as the plan names it."""
    wanted = table_label(table)
    found: dict[str, str] = {}
    for stage in stages:
        for alter in stage.alter:
            if ".".join(alter.parts) == wanted:
                found |= {column(name): new.definition for name, new in alter.add.items()}
        for mapping in stage.mappings:
            if table_label(mapping.target) == wanted:
                found |= mapping.added
    return found


def checks(stages: Sequence[Stage], table: str) -> dict[str, str | None]:
    """Name and condition of each CHECK that a plan adds to a table; no condition of one that it replaces."""
    wanted = table_label(table)
    made = [alter.constraints for stage in stages for alter in stage.alter if ".".join(alter.parts) == wanted]
    gone = {column(each.replaces): None for some in made for each in some.values() if each.replaces is not None}
    return gone | {column(name): each.check for some in made for name, each in some.items() if each.check is not None}


def not_null(stages: Sequence[Stage], table: str) -> set[str]:
    """The columns that are there and that a plan makes NOT NULL."""
    wanted = table_label(table)
    altered = [alter.columns for stage in stages for alter in stage.alter if ".".join(alter.parts) == wanted]
    return {column(name) for some in altered for name, each in some.items() if each.nullable is False}


def of_mappings(stages: Sequence[Stage], table: str) -> set[str]:
    """The names of those that mappings add."""
    wanted = table_label(table)
    return {name for stage in stages for m in stage.mappings if table_label(m.target) == wanted for name in m.added}
