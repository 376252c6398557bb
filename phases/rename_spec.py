"""`rename:` of a stage: a table or its columns get other names, and the old names go on working.

Every name is read as SQL: folded to lower case unless it is in double quotes.
"""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from orchestrator.kernel.sqlcursor import Name, sql_name
from orchestrator.mapping.model import Strict
from phases.alter_spec import column, table


class Rename(Strict):
    """One table."""

    table: str = Field(description="The table, with its schema.")
    to: str | None = Field(default=None, description="The new name of the table, without its schema.")
    columns: dict[str, str] = Field(default_factory=dict, description="Old name: new name.")
    new_names_in: str | None = Field(
        default=None,
        description="Where the table keeps its name: the schema of a view with the new column names, for the search "
        "path of the new application.",
    )

    @field_validator("table")
    @classmethod
    def _with_schema(cls, given: str) -> str:
        table(given)
        return given

    @model_validator(mode="after")
    def _one_way(self) -> Rename:
        names = [*self.columns, *self.columns.values(), *(each for each in (self.to, self.new_names_in) if each)]
        for each in names:
            column(each)
        if (self.to is None) == (self.new_names_in is None):
            message = (
                "give `to`, the new name of the table, or `new_names_in`, a schema for the new names of its columns"
            )
            raise ValueError(message)
        if self.to is None and not self.columns:
            message = "`columns` says which columns get which names"
            raise ValueError(message)
        return self

    @property
    def old(self) -> Name:
        """The table before."""
        return table(self.table)

    @property
    def new(self) -> Name:
        """The name under which the new application finds it from expand on."""
        if self.to is not None:
            return (self.old[0], column(self.to))
        return (column(self.new_names_in or ""), self.old[1])

    @property
    def renamed(self) -> dict[str, str]:
        """Old and new names of columns."""
        return {column(old): column(new) for old, new in self.columns.items()}

    @property
    def id(self) -> str:
        """The id of the action."""
        verb = "rename" if self.to is not None else "new names of"
        return f"{verb} {'.'.join(self.old)}: {'.'.join(self.new)}"

    @property
    def sql(self) -> tuple[str, str]:
        """Old and new name in SQL."""
        return sql_name(self.old), sql_name(self.new)
