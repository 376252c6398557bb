"""`alter:` of a stage: what changes of a table that is in use.

Every name is read as SQL: folded to lower case unless it is in double quotes.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from orchestrator.kernel.sqlcursor import Cursor, Name, sql_name
from orchestrator.mapping.model import Strict

_OF_A_COLUMN = (
    *("default", "not", "null", "check", "unique", "primary", "references", "constraint", "generated"),
    *("serial", "serial2", "serial4", "serial8", "smallserial", "bigserial", ";", ","),
)


def column(name: str) -> str:
    """The name that a key of the plan means."""
    cursor = Cursor(name)
    parts = cursor.name()
    if len(parts) != 1 or not cursor.at_end:
        message = (
            f"{name!r} is no name of a column, constraint or index; one with capitals or blanks goes in double quotes"
        )
        raise ValueError(message)
    return parts[0]


def table(name: str) -> Name:
    """The parts of a table's name, which has its schema."""
    cursor = Cursor(name)
    parts = cursor.name()
    if len(parts) != 2 or not cursor.at_end:  # noqa: PLR2004 - schema and name
        message = (
            f"{name!r} is no name of a table with its schema; a part with capitals or blanks goes in double quotes"
        )
        raise ValueError(message)
    return parts


class NewColumn(Strict):
    """A column that is added."""

    type: str = Field(description="Its SQL type.")
    default: str | None = Field(
        default=None, description="An SQL constant. Old rows have it at once, without a rewrite."
    )
    nullable: bool = Field(default=True, description="Whether it may be NULL.")
    check: str | None = Field(default=None, description="A condition, checked without keeping writers out.")
    comment: str | None = Field(default=None, description="COMMENT ON it, in the catalog.")
    unless_there: bool = Field(
        default=False, description="A column of this name that is there already stays as it is, and is not taken back."
    )

    @field_validator("type")
    @classmethod
    def _only_a_type(cls, given: str) -> str:
        if wrong := [t.text for t in Cursor(given).found if t.depth == 0 and t.says(*_OF_A_COLUMN)]:
            message = (
                f"{given!r}: `type` is a type only; {wrong[0]!r} has a key of its own, or is not for a table in use"
            )
            raise ValueError(message)
        return given

    @model_validator(mode="after")
    def _can_be_filled(self) -> NewColumn:
        if not self.nullable and self.default is None:
            message = "a new column that is not nullable needs a `default`: the old application does not fill it"
            raise ValueError(message)
        if self.unless_there and (self.check is not None or self.comment is not None):
            message = "a column that may be there already is left as it is: it takes no `check` and no `comment`"
            raise ValueError(message)
        return self

    @property
    def definition(self) -> str:
        """Type, default and NOT NULL, as ADD COLUMN takes them."""
        value = "" if self.default is None else f" DEFAULT {self.default}"
        return f"{self.type}{value}{'' if self.nullable else ' NOT NULL'}"


class ChangedColumn(Strict):
    """A column that is there. A key that is left out stays as it is; `default: null` and `comment: null` take away."""

    default: str | None = Field(default=None, description="An SQL constant; null takes the default away.")
    nullable: bool | None = Field(default=None, description="Whether it may be NULL.")
    comment: str | None = Field(default=None, description="COMMENT ON it, in the catalog.")

    def says(self, key: str) -> bool:
        """Whether the plan has this key."""
        return key in self.model_fields_set


When = Literal["backfill", "contract"]


class Constraint(Strict):
    """A CHECK, UNIQUE or foreign key that is added; one of the three."""

    check: str | None = Field(default=None, description="A condition.")
    unique: list[str] | None = Field(default=None, min_length=1, description="Columns.")
    foreign_key: str | None = Field(default=None, description="(columns) REFERENCES schema.table (columns) ON DELETE …")
    replaces: str | None = Field(default=None, description="The constraint that goes when this one is valid.")
    when: When = Field(default="backfill", description="After the rows, or when the old tables go.")

    @model_validator(mode="after")
    def _one_kind(self) -> Constraint:
        if sum(each is not None for each in (self.check, self.unique, self.foreign_key)) != 1:
            message = "a constraint is one of check, unique, foreign_key"
            raise ValueError(message)
        if self.unique is not None and self.replaces is not None:
            message = "`replaces` is for a check or a foreign key"
            raise ValueError(message)
        return self

    @property
    def body(self) -> str:
        """The constraint behind its name."""
        if self.check is not None:
            return f"CHECK ({self.check})"
        if self.foreign_key is not None:
            return f"FOREIGN KEY {self.foreign_key}"
        return f"UNIQUE ({', '.join(sql_name([column(each)]) for each in self.unique or ())})"


class Index(Strict):
    """An index, built CONCURRENTLY."""

    of: str = Field(description="(columns), with all that CREATE INDEX takes behind the table: USING, INCLUDE, WHERE.")
    unique: bool = Field(default=False, description="A unique index.")


class Alter(Strict):
    """One table."""

    table: str = Field(description="The table, with its schema.")
    comment: str | None = Field(default=None, description="COMMENT ON it, in the catalog.")
    add: dict[str, NewColumn] = Field(default_factory=dict, description="Name of a new column: what it is.")
    columns: dict[str, ChangedColumn] = Field(
        default_factory=dict, description="Name of a column that is there: what changes."
    )
    constraints: dict[str, Constraint] = Field(
        default_factory=dict, description="Name of a new constraint: what it says."
    )
    indexes: dict[str, Index] = Field(default_factory=dict, description="Name of a new index: what it is on.")
    drop: list[str] = Field(
        default_factory=list,
        description="Columns that nobody needs any more: nullable from expand on, archived and dropped at retire.",
    )

    @field_validator("table")
    @classmethod
    def _with_schema(cls, given: str) -> str:
        table(given)
        return given

    @field_validator("add", mode="before")
    @classmethod
    def _type_alone(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: {"type": each} if isinstance(each, str) else each for name, each in given.items()}

    @field_validator("indexes", mode="before")
    @classmethod
    def _columns_alone(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: {"of": each} if isinstance(each, str) else each for name, each in given.items()}

    @model_validator(mode="after")
    def _names(self) -> Alter:
        groups = ([*self.add, *self.columns, *self.drop], [*self.constraints, *self.indexes])
        for group in groups:
            names = [column(each) for each in group]
            if twice := [each for each in names if names.count(each) > 1]:
                message = f"{twice[0]} is named twice"
                raise ValueError(message)
        for each in self.constraints.values():
            if each.replaces is not None:
                column(each.replaces)
        return self

    def says(self, key: str) -> bool:
        """Whether the plan has this key."""
        return key in self.model_fields_set

    @property
    def added_apart(self) -> list[Alter]:
        """The new columns as they are added: together, but for those that may be there already."""
        together = {name: new for name, new in self.add.items() if not new.unless_there}
        alone = [{name: new} for name, new in self.add.items() if new.unless_there]
        return [self.model_copy(update={"add": add}) for add in (together, *alone) if add]

    @property
    def mark(self) -> Name:
        """The table, and the column that is added alone: what is kept of columns is called after it."""
        alone = [column(name) for name, new in self.add.items() if new.unless_there]
        return (*self.parts, *alone) if len(alone) == len(self.add) == 1 else self.parts

    @property
    def parts(self) -> Name:
        """Schema and name of the table."""
        return table(self.table)

    @property
    def sql(self) -> str:
        """The table in SQL."""
        return sql_name(self.parts)

    @property
    def label(self) -> str:
        """The table as ids and messages have it."""
        return ".".join(self.parts)
