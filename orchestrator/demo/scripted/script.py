"""`demo.yaml`: what the applications of a plan do, in the words of its own schemas.

The old version works on the old tables from the first moment. The new version begins with a stage when that stage has
been verified. A **record** is a row that a client makes for itself: it carries a tag in a column of its own, and each
write of the row gives it another tag, so the tags that a table must hold in the end are known. A **request** is any
other statement, on rows that are everybody's; one client of each version makes them.

Statements have places: `{tag}` is the tag that the row gets, `{was}` the one that it has, `{n}` a number that no other
statement gets. `{rows}` in the file `grow` is how many rows the demo is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.plan.errors import PlanError

if TYPE_CHECKING:
    from orchestrator.plan.loader import LoadedPlan

FILE: Final = "demo.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Record(_Strict):
    """A row of a client's own, found by its tag."""

    insert: str
    update: list[str] = Field(default_factory=list)
    delete: str | None = None
    read: list[str] = Field(default_factory=list)
    found: dict[str, str]
    """Place: a query of one column, the tags that are there, each once."""


class Side(_Strict):
    """What one version does."""

    records: dict[str, Record] = Field(default_factory=dict)
    requests: dict[str, str] = Field(default_factory=dict)


class Counted(_Strict):
    """How the rows of an old table are counted, by rules of their own and not by those of the plan."""

    table: str
    mapping: str | None = None
    """The mapping whose rejects these are, where the table has more than one."""
    legacy: str | None = None
    """A query for the number of its rows that are to be migrated; all of them otherwise."""
    migrated: str
    """A query for the number of those that are."""
    rejects: dict[str, str] = Field(default_factory=dict)
    """Reason: a query for the number of those that cannot be."""


class Script(_Strict):
    """A `demo.yaml`."""

    legacy: str = "legacy.sql"
    grow: str
    rows: int = 20_000
    old: Side
    new: dict[str, Side] = Field(default_factory=dict)
    """By the stage that makes it possible."""
    mend: list[str] = Field(default_factory=list)
    """What people correct in the old tables before contract, beside what they answer for."""
    counts: dict[str, Counted]

    @property
    def records(self) -> dict[str, Record]:
        """All records, by a name of their own."""
        sides = {"old": self.old, **{f"new, {stage}": side for stage, side in self.new.items()}}
        return {f"{side}: {name}": record for side, each in sides.items() for name, record in each.records.items()}


def load_script(plan: LoadedPlan) -> Script:
    """The script of a plan; it says what to do where there is none."""
    path = plan.folder.joinpath(FILE)
    if not path.is_file():
        raise PlanError(
            what=f"Plan {plan.name} has no {FILE}, so there is no demo of it.",
            kept="Nothing was started.",
            todo="Write one beside its plan.yaml; docs/operations/demo.md says how.",
        )
    try:
        script = Script.model_validate(yaml.safe_load(plan.read(FILE)))
    except (yaml.YAMLError, ValidationError) as exc:
        raise PlanError(what=f"{FILE}: {exc}", kept="Nothing was started.", todo="Correct it.") from exc
    known = {stage.stage for stage in plan.model.stages}
    if unknown := sorted(script.new.keys() - known):
        raise PlanError(
            what=f"{FILE}: plan {plan.name} has no stage {', '.join(unknown)}.",
            kept="Nothing was started.",
            todo=f"Its stages are: {', '.join(sorted(known))}.",
        )
    return script
