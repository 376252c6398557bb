"""The mapping as a plan's author writes it: strict models, one per kind.

Expressions are SQL. They see these names and no others:

=========== =====================================================================================
``s``       the source row, with the columns of ``types`` in their declared types (unify, split)
source name in a merge, the winning row of that source (``people.name``), all NULL where there is none
``t``       the target row (in ``reverse``, ``rejects``, ``exempt``); in ``from`` it is not there yet
lookup name the row of the looked-up table (``employee.id``)
``d``       what the discovery said of this source (``d.discriminator``, ``d.name``)
``k.key``   in a merge, the natural key
``v``       in a split, the column at hand: ``v.name``, ``v.text``, ``v.number``
=========== =====================================================================================
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestrator.kernel.sqltokens import table_name


class Strict(BaseModel):
    """Unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ColumnRule(Strict):
    """How one target column is computed."""

    expression: str = Field(alias="from", description="SQL expression over the source.")
    insert_only: bool = Field(
        default=False, description="Computed when the row is made, never again, and not compared."
    )
    unique: bool = Field(
        default=False, description="A value that several keys claim goes to the first of them by the source's order."
    )


class Create(Strict):
    """How a missing row of the looked-up table is made (a placeholder)."""

    when: str = Field(description="Condition under which a missing row is made.")
    columns: dict[str, str] = Field(description="Column of the looked-up table: expression over the source.")


class Lookup(Strict):
    """A join of the source to another table, both ways."""

    table: str
    match: str = Field(description="Join condition from the source; the lookup's name is the alias.")
    join: str = Field(default="", description="Join condition from the target row t, for the way back.")
    key: str = Field(default="id", description="A NOT NULL column, to see whether a row was found.")
    create: Create | None = None


class Key(Strict):
    """The source's key column and the target's."""

    column: str
    target: str = "id"


class Base(Strict):
    """What every kind has."""

    name: str = Field(default="", description="The mapping's name; the target's name when left out.")
    warnings: str | None = Field(
        default=None, description="SQL file: code, subject, detail of what a person should know; it stops nothing."
    )
    search_path: list[str] = Field(
        default_factory=list, description="As the plan's key of this name, for this mapping; left out: the plan's."
    )
    lookups: dict[str, Lookup] = Field(default_factory=dict)
    rejects: dict[str, str] = Field(
        default_factory=dict, description="Reason: condition under which a row cannot be represented."
    )
    exempt: dict[str, str] = Field(
        default_factory=dict, description="Rule: condition under which a legacy row breaks it."
    )
    exempt_column: str | None = None
    originals: str | None = Field(
        default=None, description="JSONB column of the target, or column.key, that keeps what has no other place."
    )

    @property
    def originals_column(self) -> str | None:
        """The JSONB column."""
        return None if self.originals is None else self.originals.partition(".")[0]

    @property
    def originals_key(self) -> str | None:
        """The member within it; None where the whole column is the originals."""
        return None if self.originals is None else (self.originals.partition(".")[2] or None)


class Unify(Base):
    """Many tables, found by a query or listed, into one."""

    target: str = Field(alias="unify")
    discover: str | None = Field(default=None, description="SQL file: one row per (table_name, discriminator, rank).")
    sources: list[str] | None = None
    key: Key
    discriminator: str | None = Field(default=None, description="Target column that tells the source of a row.")
    exists_when: str | None = Field(
        default=None, description="Condition over t; a row that fails it has no counterpart in the source."
    )
    types: dict[str, str] = Field(default_factory=dict, description="Source column: the type it is read as.")
    columns: dict[str, ColumnRule | str]
    reverse: dict[str, str] = Field(default_factory=dict, description="Source column: expression over t and lookups.")
    keep_original: list[str] = Field(
        default_factory=list,
        description="Source columns whose value always stays in the originals (names and the like).",
    )
    pack: dict[str, str] = Field(
        default_factory=dict, description="LIKE pattern (or rest): JSONB target column for the source's other columns."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Unify:
        if (self.discover is None) == (self.sources is None):
            message = "give either `discover` (an SQL file) or `sources` (a list of tables)"
            raise ValueError(message)
        return self

    @property
    def label(self) -> str:
        """The mapping's name."""
        return self.name or table_name(self.target)[1]


class MergeSource(Strict):
    """One table that takes part in a merge."""

    table: str
    key: str = Field(description="Expression over s that gives the natural key.")
    valid: str = Field(default="true", description="Condition over s; a row that fails it has no usable key.")
    invalid: str = Field(default="invalid_key", description="The reject reason of such a row.")
    order: list[str] = Field(description="ORDER BY terms over s: which row of one key wins.")
    types: dict[str, str] = Field(default_factory=dict)
    reverse: dict[str, str] = Field(default_factory=dict, description="Source column: expression over t and lookups.")
    when: str = Field(default="true", description="Condition over a new t: whether it gets a row in this source.")


class Merge(Base):
    """Several tables into one by a natural key, with precedence."""

    target: str = Field(alias="merge")
    key: str = Field(description="The target column that holds the natural key; it needs a unique index.")
    sources: dict[str, MergeSource]
    columns: dict[str, ColumnRule | str]
    on_source_delete: dict[str, str] = Field(
        default_factory=dict, description="Columns of a row whose sources are gone; without it the row is deleted."
    )

    @property
    def label(self) -> str:
        """The mapping's name."""
        return self.name or table_name(self.target)[1]

    @model_validator(mode="after")
    def _needs_originals(self) -> Merge:
        if self.originals is None or self.originals_key is not None:
            message = "a merge needs `originals: <jsonb column>`: it also tells which sources a row has"
            raise ValueError(message)
        return self


class Split(Base):
    """Columns of one table into rows of another: one row per column that counted."""

    target: str = Field(alias="split")
    discover: str | None = None
    sources: list[str] | None = None
    key: Key = Field(description="The source's key and the target column that refers to the parent row.")
    parent: str | None = Field(default=None, description="The table whose row must exist; its key is `parent_key`.")
    parent_key: str = "id"
    parent_discriminator: str | None = Field(
        default=None, description="The parent's column that tells its source, where it has several."
    )
    item: str = Field(description="The target column that holds the source column's name.")
    except_columns: list[str] | dict[str, str] = Field(
        default_factory=list, alias="except", description="Columns that are never items: a list, or a map by name."
    )
    except_like: list[str] = Field(default_factory=list, description="LIKE patterns of columns that are never items.")
    when: str = Field(description="Condition over v: which columns count.")
    columns: dict[str, ColumnRule | str]
    value: str = Field(description="Expression over t that gives the source column's value back.")
    absent: str | int | float | None = Field(
        default=None, description="What the old column gets when the new side deletes its row: NULL, or this SQL value."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Split:
        if (self.discover is None) == (self.sources is None):
            message = "give either `discover` (an SQL file) or `sources` (a list of tables)"
            raise ValueError(message)
        return self

    @property
    def label(self) -> str:
        """The mapping's name."""
        return self.name or table_name(self.target)[1]


Mapping = Annotated[Unify | Merge | Split, Field(union_mode="left_to_right")]
Kind = Literal["unify", "merge", "split"]


def rule(value: ColumnRule | str) -> ColumnRule:
    """A column given as bare SQL is a rule without options."""
    return ColumnRule.model_validate({"from": value}) if isinstance(value, str) else value
