"""`only_where:` of a stage: SQL files for some databases only, by what must be there."""

from __future__ import annotations

from pydantic import Field, model_validator

from orchestrator.mapping.model import Strict


class OnlyWhere(Strict):
    """Expand files that are carried out where all of this exists, and left out elsewhere."""

    title: str = Field(default="", description="A line for people.")
    roles: list[str] = Field(default_factory=list, description="Roles of the server.")
    functions: list[str] = Field(
        default_factory=list, description="Functions that we may use, with schema and types: auth.uid()."
    )
    tables: list[str] = Field(default_factory=list, description="Tables or views, with their schemas.")
    expand: list[str] = Field(
        min_length=1,
        description="SQL files, carried out after the stage's own: functions, policies, triggers, rights; no tables.",
    )

    @model_validator(mode="after")
    def _says_where(self) -> OnlyWhere:
        if not (self.roles or self.functions or self.tables):
            message = "name the roles, functions or tables that must be there, or give the files to `expand`"
            raise ValueError(message)
        return self

    @property
    def words(self) -> str:
        """What must be there."""
        kinds = (("role", self.roles), ("function", self.functions), ("table", self.tables))
        return ", ".join(f"{kind} {name}" for kind, names in kinds for name in names)
