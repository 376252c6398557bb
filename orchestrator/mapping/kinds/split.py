"""Split: columns of one table into rows of another. See `mapping.split` for how it works."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import psycopg
from pydantic import Field

from orchestrator.mapping import catalog, compiling, needs, split_functions
from orchestrator.mapping.expressions import LOOKUPS, Expression, Scope, Sight
from orchestrator.mapping.kinds.base import Discovering
from orchestrator.mapping.model import Key
from orchestrator.mapping.part import like
from orchestrator.mapping.split import SplitSource
from orchestrator.mapping.sqltext import text_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from orchestrator.mapping.compile import Compiled, SourceRow
    from orchestrator.mapping.discovery import Found
    from orchestrator.mapping.expressions import Path
    from orchestrator.mapping.memory import Memory


class Split(Discovering):
    """Columns of one table into rows of another: one row per column that counted."""

    kind: ClassVar[str] = "split"
    archives: ClassVar[bool] = False
    sight: ClassVar[Sight] = MappingProxyType(
        {
            Scope.FORWARD: frozenset({"s", "d", "v", LOOKUPS}),
            Scope.RULE: frozenset({"s", "d", "v", "t", LOOKUPS}),
            Scope.TARGET: frozenset({"t"}),
            Scope.SOURCE: frozenset({"s", "d", "v"}),
            Scope.JOIN: frozenset({"t", LOOKUPS}),
        }
    )

    target: str = Field(alias="split", description="The new table, with its schema.")
    key: Key = Field(description="The source's key and the target column that refers to the parent row.")
    parent: str | None = Field(default=None, description="The table whose row must exist; its key is `parent_key`.")
    parent_key: str = Field(default="id", description="The key column of the parent.")
    parent_discriminator: str | None = Field(
        default=None, description="The parent's column that tells its source, where it has several."
    )
    item: str = Field(description="The target column that holds the source column's name.")
    except_columns: list[str] | dict[str, str] = Field(
        default_factory=list, alias="except", description="Columns that are never items: a list, or a map by name."
    )
    except_like: list[str] = Field(default_factory=list, description="LIKE patterns of columns that are never items.")
    when: str = Field(description="Condition over v: which columns count.")
    value: str = Field(description="Expression over t that gives the source column's value back.")
    absent: str | int | float | None = Field(
        default=None, description="What the old column gets when the new side deletes its row: NULL, or this SQL value."
    )

    @property
    def tables(self) -> list[tuple[str, Path]]:
        """The parent is one of them."""
        return super().tables if self.parent is None else [*super().tables, (self.parent, ("parent",))]

    @property
    def parent_table(self) -> str | None:
        """The plan's `parent`."""
        return self.parent

    def declared(self, found: Found) -> dict[str, str]:
        """What is excepted by name, as far as the table has it."""
        return {name: "" for name in self.except_columns if name in found.table.by_name}

    def undeclared(self, column: str) -> str:
        """There is one column at a time."""
        return f"a split reads one column at a time, as v (v.name, v.text, v.number), and not {column} beside it"

    def goes_to(self, column: str) -> str:
        """Into a row, unless it is excepted."""
        skipped = column in self.except_columns or any(like(p, column) for p in self.except_like)
        return "no row is made of it" if skipped else f"becomes a row of {self.target} where it counts"

    def type_of(self, alias: str, column: str) -> str:
        """``v.number`` is one; everything else is text."""
        return "numeric" if (alias, column) == ("v", "number") else "text"

    @property
    def conflict(self) -> list[str]:
        """The parent and the item."""
        return [self.key.target, self.item]

    @property
    def named_columns(self) -> list[tuple[str, Path]]:
        """The parent and the item."""
        return [(self.key.target, ("key",)), (self.item, ("item",))]

    def _own_expressions(self) -> Iterator[Expression]:
        yield Expression(self.when, ("when",), Scope.SOURCE)
        yield Expression(self.value, ("value",), Scope.TARGET)

    def problems(self, conn: psycopg.Connection[Any], compiled: Compiled) -> Iterator[str]:
        """An old column that becomes `absent` when its row is deleted must not count, or the row would come back."""
        if self.absent is None:
            return
        names = sorted({column.name for table in compiled.sources for column in table.columns})
        query = (
            f"SELECT v.name FROM (SELECT n AS name, ({self.absent})::text AS text, "
            f"changeover.try_numeric(({self.absent})::text) AS number FROM unnest({text_array(names)}) n) v "
            f"WHERE {self.when} LIMIT 1"
        )
        try:
            with conn.transaction(force_rollback=True):
                counted = conn.execute(query.encode()).fetchone()
        except psycopg.Error:
            return  # the condition reads the old row as well: what it says of an absent value differs from row to row
        if counted is not None:
            yield (
                f"mapping {compiled.name}: absent is {self.absent}, and `when` counts that (column {counted[0]}), "
                "so a row that the new application deletes would come back. Choose a value that does not count, or NULL"
            )

    def compile(
        self, conn: psycopg.Connection[Any], mapping_id: int, stage: str, sources: Sequence[SourceRow], memory: Memory
    ) -> Compiled:
        """Functions and triggers for each source, and what the target has once."""
        target, lookups = catalog.require(conn, self.target), compiling.lookup_tables(conn, self)
        parent = None if self.parent is None else catalog.require(conn, self.parent)
        refers = [] if parent is None else [(parent, self.parent_key, "parent_key")]
        if parent is not None and self.parent_discriminator is not None:
            refers.append((parent, self.parent_discriminator, "parent_discriminator"))
        needs.require(self, target, lookups, refers)
        made = [
            SplitSource(
                id=s.id,
                mapping_id=mapping_id,
                stage=stage,
                discriminators=s.discriminators,
                spec=self,
                table=table,
                target=target,
                parent=parent,
                lookup_tables=lookups,
                describe=compiling.describer(conn),
            )
            for s, table in zip(sources, compiling.source_tables(conn, sources), strict=True)
        ]
        pieces = [memory.recall(("source", s.id), s, partial(_piece, s)) for s in made]
        known = [p.source for p in pieces]
        whole = memory.recall(("mapping", mapping_id), known, partial(split_functions.mapping_objects, known))
        return compiling.of_pieces(mapping_id, self, target, [s.table for s in made], pieces, whole)


def _piece(source: SplitSource) -> compiling.Piece:
    return compiling.Piece(source, [], split_functions.functions(source), split_functions.triggers(source), [])
