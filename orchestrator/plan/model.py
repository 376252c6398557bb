"""The plan as its author writes it: stages in order, each with its DDL, its mappings and its gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, field_validator, model_validator

from orchestrator.mapping.discovery import never, schemas_of
from orchestrator.mapping.kinds import Mapping
from orchestrator.mapping.model import Strict
from orchestrator.plan import added
from orchestrator.plan.checks import Check
from orchestrator.plan.controls import Control
from orchestrator.plan.measures import Measure
from orchestrator.plan.only_where import OnlyWhere
from orchestrator.plan.partition import Partition
from orchestrator.plan.refresh import Refresh
from phases.alter_spec import Alter
from phases.rename_spec import Rename

if TYPE_CHECKING:
    from collections.abc import Callable


class Dataset(Strict):
    """A list that a library keeps, loaded into a table of the new schema."""

    dataset: str = Field(description="Name of the data set: iso3166.")
    table: str = Field(description="The table, with its schema.")
    columns: dict[str, str] = Field(description="Column of the table: field of the data set.")


class Gates(Strict):
    """What must hold before the old tables are archived. A clean verification always must."""

    flag: str = Field(default="live", description="Earliest stage the flag must have reached; `none` for no such gate.")
    rejects: bool = Field(default=True, description="Every reject is replayed or waived by name.")
    soak_hours: float = Field(default=0, ge=0, description="Hours since the clean verification.")
    approvals: int = Field(
        default=0, ge=0, description="How many people must have approved: short for a control `approval`."
    )


class Contract(Strict):
    """What becomes of the old tables."""

    archive: str = Field(
        default="sources",
        pattern="^(sources|none)$",
        description="`sources`: the old tables move to schema `archive` and views take their names. `none`: they stay.",
    )
    keep_days: int = Field(default=90, ge=0, description="Days after which `changeover retire` may drop them.")
    quiet_hours: float | None = Field(
        default=None,
        ge=0,
        description="Hours in which nobody has read or written the old tables before `changeover retire` drops them; "
        "24, or keep_days if that is less; 0: it does not look.",
    )
    keys: list[str] = Field(
        default_factory=list,
        description="SQL files of foreign keys that would hinder the old application; added after the archive.",
    )
    gates: Gates = Field(default=Gates(), description="What must hold before.")

    @property
    def quiet(self) -> float:
        """Hours of quiet that `retire` wants."""
        return min(24.0, self.keep_days * 24) if self.quiet_hours is None else self.quiet_hours


class Stage(Strict):
    """One deliverable of a plan, with its own flag."""

    stage: str = Field(pattern="^[a-z][a-z0-9_]*$", description="The stage's name.")
    title: str = Field(default="", description="A line for people.")
    after: str | None = Field(default=None, description="The stage that must be verified before this one begins.")
    flag: str | None = Field(
        default=None, description="The flag that says where readers read. Without one, contract asks for none."
    )
    expand: list[str] = Field(default_factory=list, description="SQL files: tables and keys of the new schema.")
    only_where: list[OnlyWhere] = Field(
        default_factory=list,
        description="More SQL files, for the databases that have certain roles, functions or tables.",
    )
    rename: list[Rename] = Field(default_factory=list, description="Tables and columns that get other names.")
    alter: list[Alter] = Field(default_factory=list, description="Tables in use, and what changes of them.")
    seed: list[str] = Field(default_factory=list, description="SQL files that seed reference tables; idempotent.")
    datasets: list[Dataset] = Field(default_factory=list, description="Reference rows from a library.")
    mappings: list[Mapping] = Field(
        default_factory=list,
        description="How rows move: one entry for each new table, or for each table that is changed in place.",
    )
    indexes: list[str] = Field(default_factory=list, description="SQL files of CREATE INDEX, run after the rows.")
    keys: list[str] = Field(default_factory=list, description="SQL files of foreign keys, added after the rows.")
    partition: list[Partition] = Field(
        default_factory=list,
        description="Tables of the new schema whose partitions `changeover refresh` makes in time.",
    )
    refresh: list[Refresh] = Field(
        default_factory=list, description="Materialized views that `changeover refresh` keeps young."
    )
    checks: list[Check] = Field(default_factory=list, description="Queries that judge.")
    controls: list[Control] = Field(default_factory=list, description="What contract waits for besides the gates.")
    contract: Contract | None = Field(
        default=None,
        description="What becomes of the old tables, and the gates before it. Without it the stage ends at verify.",
    )

    @property
    def all_expand(self) -> list[str]:
        """The expand files, with those that are for some databases only."""
        return [*self.expand, *(file for each in self.only_where for file in each.expand)]

    @property
    def all_controls(self) -> list[Control]:
        """The controls, with the approvals that the gates of contract ask for."""
        people = 0 if self.contract is None else self.contract.gates.approvals
        short = [Control(control="approval", title="People who approve contract", people=people)] if people else []
        return [*self.controls, *short]


class Plan(Strict):
    """A plan: `plan.yaml`."""

    plan: str = Field(pattern="^[a-z][a-z0-9_]*$", description="The plan's name, as commands and the ledger know it.")
    version: int = Field(ge=1, description="Counts up with each change that you give out.")
    title: str = Field(default="", description="A line for people.")
    define: dict[str, str] = Field(
        default_factory=dict, description="Name: an SQL expression, or the file that holds it; used as ${name}."
    )
    schemas: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Schemas from which `discover` takes tables; left out: public and those that targets, sources and "
        "lookups are in.",
    )
    search_path: list[str] = Field(
        default_factory=list,
        description="Schemas in which expressions find functions and operators, of extensions for instance, beside "
        "PostgreSQL's own and the schemas of the mapping's tables. Nobody else may create objects there.",
    )
    measures: list[Measure] = Field(
        default_factory=list, description="What the migration is for, as `changeover report` measures it."
    )
    stages: list[Stage] = Field(min_length=1, description="The deliverables, in order.")

    @model_validator(mode="before")
    @classmethod
    def _hand_down(cls, given: Any) -> Any:
        """Each mapping has the plan's search path, unless it has one of its own."""
        path = given.get("search_path") if isinstance(given, dict) else None
        if path is None or not isinstance(given.get("stages"), list):
            return given

        def with_path(part: Any, key: str, each: Callable[[Any], Any]) -> Any:
            found = part.get(key) if isinstance(part, dict) else None
            return {**part, key: [each(one) for one in found]} if isinstance(found, list) else part

        def mapping(one: Any) -> Any:
            return {"search_path": path, **one} if isinstance(one, dict) else one

        return with_path(given, "stages", lambda stage: with_path(stage, "mappings", mapping))

    @model_validator(mode="after")
    def _beside(self) -> Self:
        """Each mapping is told of the columns that the plan adds to its target until then."""
        for number, stage in enumerate(self.stages, 1):
            for mapping in stage.mappings:
                columns = added.columns(self.stages[:number], mapping.target)
                rules = added.checks(self.stages, mapping.target), added.not_null(self.stages, mapping.target)
                mapping.told_of(columns, *rules)
        return self

    @field_validator("schemas", "search_path")
    @classmethod
    def _of_the_application(cls, given: list[str] | None) -> list[str] | None:
        for schema in given or []:
            if never(schema):
                message = f"schema {schema} is Changeover's or PostgreSQL's own, and not for a plan to name"
                raise ValueError(message)
        return given

    @property
    def discoverable(self) -> frozenset[str]:
        """The schemas from which `discover` takes tables."""
        if self.schemas is not None:
            return frozenset(self.schemas)
        return schemas_of(table for mapping in self._mappings for table, _ in mapping.tables)

    @property
    def reach(self) -> frozenset[str]:
        """The schemas in which the plan's SQL finds tables, functions and operators."""
        named = schemas_of(table for mapping in self._mappings for table, _ in mapping.tables)
        return named | self.discoverable | {schema for mapping in self._mappings for schema in mapping.search_path}

    @property
    def _mappings(self) -> list[Mapping]:
        return [mapping for stage in self.stages for mapping in stage.mappings]
