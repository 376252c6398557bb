"""What every kind's source has alike when it is compiled: its functions' prefix, its mirrors' origins, its settings, its key.

A mixin of dataclasses: the fields are those of the class that takes it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.words import meant
from orchestrator.mapping import types
from orchestrator.mapping.objects import pins

if TYPE_CHECKING:
    from orchestrator.mapping.catalog import Column, Table


def among(key: Column, keys: str) -> str:
    """The predicate for the rows ``x`` whose key is among these, given as an array of text."""
    if key.type.startswith("_"):
        # An array of arrays is a matrix, whose rows are of one length.
        return f"x.{key.sql} IN (SELECT k.key::{key.sql_type} FROM unnest({keys}) AS k (key))"
    return f"x.{key.sql} = ANY (({keys})::{key.sql_type}[])"


class OneSource:
    """One table that is read by one key column into a target."""

    if TYPE_CHECKING:
        # Fields of the dataclass, read-only there.
        @property
        def id(self) -> int: ...  # noqa: D102
        @property
        def spec(self) -> Any: ...  # noqa: D102
        @property
        def table(self) -> Table: ...  # noqa: D102
        @property
        def target(self) -> Table: ...  # noqa: D102

    @property
    def fn(self) -> str:
        """Prefix of this source's functions."""
        return f"m{self.id}"

    @property
    def forward(self) -> str:
        """The origin that the forward mirror writes under."""
        return f"{self.spec.label}:f"

    @property
    def reverse(self) -> str:
        """The origin that the reverse mirror writes under."""
        return f"m{self.id}:r"

    @cached_property
    def pins(self) -> str:
        """Fixed settings of every function here."""
        return pins(self.table.home or self.table.schema, self.target.schema, *self.spec.search_path)

    @cached_property
    def key(self) -> Column:
        """The source's key column."""
        name = self.spec.key.column
        column = self.table.by_name.get(name)
        if column is None:
            raise RefusedError(
                what=f"{self.table.label} has no column {name!r}, the key of mapping {self.spec.label}{meant(name, self.table.by_name, '.')}",
                kept="Nothing was changed.",
                todo="Give the table that column, or leave it out of the discovery query.",
            )
        return column

    @cached_property
    def blank(self) -> bool:
        """Whether an empty text is a key like any other here; elsewhere it stands for NULL, which is no key."""
        return self.key.not_null and types.has_blank(self.key)

    def given(self, key: str, kind: str) -> str:
        """A key given as text, as a value of this type."""
        return f"({key})::{kind}" if self.blank else f"nullif({key}, '')::{kind}"

    def row_of(self, key: str) -> str:
        """The predicate that finds the source row ``x`` of a key given as text."""
        return f"x.{self.key.sql} = {self.given(key, self.key.sql_type)}"

    def rows_of(self, keys: str) -> str:
        """The predicate for the source rows ``x`` of an array of keys given as text."""
        found = among(self.key, keys if types.has_blank(self.key) else f"array_remove({keys}, '')")
        if self.key.not_null:
            return found
        # Both arms can use the index.
        return f"({found} OR (x.{self.key.sql} IS NULL AND '' = ANY ({keys})))"

    @property
    def keys_of_rows(self) -> str:
        """The keys of all source rows, to be restricted."""
        return f"SELECT coalesce(x.{self.key.sql}::text, '') AS key FROM {self.table.sql} x"
