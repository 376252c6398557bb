"""What the mappings of all kinds have in common, as a plan's author writes it; the kinds are in `mapping.kinds`.

Expressions are SQL. They see these names and no others:

=========== =====================================================================================
``s``       the source row, with the columns of ``types`` in their declared types (unify, split)
source name in a merge, the winning row of that source (``people.name``), all NULL where there is none
``t``       the target row (in ``reverse``, ``rejects``, ``exempt``); in ``from`` it is not there yet
lookup name the row of the looked-up table (``employee.id``)
``d``       what the discovery said of this source (``d.discriminator``, ``d.name``)
``k.key``   in a merge, the natural key
``v``       in a split, the column at hand: ``v.name``, ``v.text``, ``v.number``; in a derive with `each`, the item: ``v.text``, ``v.number``
=========== =====================================================================================
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


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

    table: str = Field(description="The looked-up table, with its schema.")
    match: str = Field(description="Join condition from the source; the lookup's name is the alias.")
    join: str = Field(default="", description="Join condition from the target row t, for the way back.")
    key: str = Field(default="id", description="A NOT NULL column, to see whether a row was found.")
    create: Create | None = Field(default=None, description="How a row that is missing there is made.")
    follow: bool = Field(
        default=False,
        description="In a mapping in place: where looked-up rows come, go or change, the new columns follow by the queue.",
    )
    touches: str = Field(
        default="",
        description="With `follow`, where `match` depends on more rows than the one: which rows may be concerned by a "
        "looked-up row; left out, `match`.",
    )

    @model_validator(mode="after")
    def _touches_what_it_follows(self) -> Lookup:
        if self.touches and not self.follow:
            message = "`touches` says which rows follow: give `follow: true` too"
            raise ValueError(message)
        return self


class Key(Strict):
    """The source's key column and the target's."""

    column: str = Field(description="The key column of the old table.")
    target: str = Field(default="id", description="The key column of the new table.")


class Base(Strict):
    """What every kind has."""

    name: str = Field(default="", description="The mapping's name; the target's name when left out.")
    warnings: str | None = Field(
        default=None, description="SQL file: code, subject, detail of what a person should know; it stops nothing."
    )
    search_path: list[str] = Field(
        default_factory=list, description="As the plan's key of this name, for this mapping; left out: the plan's."
    )
    lookups: dict[str, Lookup] = Field(
        default_factory=dict,
        description="Name of a lookup, by which expressions call its row: the table, and how it is found.",
    )
    rejects: dict[str, str] = Field(
        default_factory=dict, description="Reason: condition under which a row cannot be represented."
    )
    exempt: dict[str, str] = Field(
        default_factory=dict, description="Rule: condition under which a legacy row breaks it."
    )
    exempt_column: str | None = Field(
        default=None,
        description="Array column of the new table that holds the names of the rules that an old row breaks.",
    )
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


def rule(value: ColumnRule | str) -> ColumnRule:
    """A column given as bare SQL is a rule without options."""
    return ColumnRule.model_validate({"from": value}) if isinstance(value, str) else value
