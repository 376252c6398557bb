"""What every kind's source has alike when it is compiled: its functions' prefix, its mirrors' origins, its settings, its key.

A mixin of dataclasses: the fields are those of the class that takes it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestrator.kernel.errors import RefusedError
from orchestrator.mapping.objects import pins

if TYPE_CHECKING:
    from orchestrator.mapping.catalog import Column, Table


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
        column = self.table.by_name.get(self.spec.key.column)
        if column is None:
            raise RefusedError(
                what=f"{self.table.label} has no column {self.spec.key.column!r}, the key of mapping {self.spec.label}.",
                kept="Nothing was changed.",
                todo="Give the table that column, or leave it out of the discovery query.",
            )
        return column

    def row_of(self, key: str) -> str:
        """The predicate that finds the source row ``x`` of a key given as text."""
        return f"x.{self.key.sql} = nullif({key}, '')::{self.key.sql_type}"

    @property
    def keys_of_rows(self) -> str:
        """The keys of all source rows, to be restricted."""
        return f"SELECT coalesce(x.{self.key.sql}::text, '') AS key FROM {self.table.sql} x"
