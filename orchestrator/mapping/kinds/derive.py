"""Derive: rows of one table computed from the rows of another, one way. See `mapping.derive` for how it works."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from orchestrator.kernel import sqlfiles
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import mentions
from orchestrator.mapping import catalog, compiling, derive_back, derive_functions, needs
from orchestrator.mapping.derive import DeriveSource
from orchestrator.mapping.expressions import LOOKUPS, Expression, Scope, Sight
from orchestrator.mapping.kinds.base import Discovering
from orchestrator.mapping.model import Key, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Self

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.compile import Compiled, SourceRow
    from orchestrator.mapping.discovery import Found
    from orchestrator.mapping.expressions import Path
    from orchestrator.mapping.memory import Memory


class Derive(Discovering):
    """Rows computed from those of another table, which goes on living; never written back."""

    kind: ClassVar[str] = "derive"
    archives: ClassVar[bool] = False
    keeps_unique: ClassVar[bool] = True
    sources_live_on: ClassVar[bool] = True
    empties_target: ClassVar[bool] = False
    one_way: ClassVar[bool] = True
    sight: ClassVar[Sight] = MappingProxyType(
        {
            Scope.FORWARD: frozenset({"s", "d", "v", LOOKUPS}),
            Scope.RULE: frozenset({"s", "d", "v", "t", LOOKUPS}),
            Scope.SOURCE: frozenset({"s", "d"}),
        }
    )

    target: str = Field(alias="derive", description="The new table, with its schema.")
    key: Key = Field(description="The source's unique key column, and the target's key, which its own default gives.")
    mode: Literal["once", "follow"] = Field(
        default="follow",
        description="`once`: computed when the row is made, never again. `follow`: kept current with the source.",
    )
    when: str = Field(default="true", description="Condition under which a source row, or an item, has a derived row.")
    each: str | None = Field(
        default=None,
        description="Expression over s that gives the items of a source row, one by one: each has a derived row. It is "
        "seen as v: v.text, and v.number where it is one.",
    )
    target_key: list[str] = Field(
        default_factory=list,
        description="Columns of a unique key of the target that the mapping fills: a derived row is known by them, and "
        "nothing is drawn.",
    )
    types: dict[str, str] = Field(default_factory=dict, description="Source column: the type it is read as.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.originals is not None:
            message = "a derive is never written back and keeps no `originals`"
            raise ValueError(message)
        if any(lookup.create is not None or lookup.join for lookup in self.lookups.values()):
            message = "a lookup of a derive only reads: it has neither `create` nor `join`"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _keys_are_derived(self) -> Self:
        wrong = [n for n in self.target_key if n not in self.columns or rule(self.columns[n]).insert_only]
        if wrong:
            message = f"`target_key`: {', '.join(wrong)} must be one of `columns`, and not `insert_only`"
        elif self.each is not None and not self.target_key:
            message = "`each` makes several rows of one: say by `target_key` which columns tell them apart"
        elif self.target_key and self.once:
            message = "with `target_key` the rows follow their source row: `mode` cannot be `once`"
        elif self.each is None and any(mentions(each.text, "v") for each in self.expressions()):
            message = "v is the item at hand: say by `each` what the items of a row are"
        else:
            return self
        raise ValueError(message)

    @property
    def once(self) -> bool:
        """Whether a row is computed when it is made and never again."""
        return self.mode == "once"

    @property
    def read_columns(self) -> set[str]:
        """The key, and what `types` names."""
        return {self.key.column, *self.types}

    def declared(self, found: Found) -> dict[str, str]:  # noqa: ARG002 - the same for every source
        """What `types` names."""
        return dict(self.types)

    def goes_to(self, column: str) -> str:  # noqa: ARG002 - the same for every column
        """Nowhere: the source keeps it."""
        return "in the old table only"

    def type_of(self, alias: str, column: str) -> str:
        """As `types` says; ``v.number`` is one."""
        if (alias, column) == ("v", "number"):
            return "numeric"
        return self.types.get(column, "text") if alias == "s" else "text"

    def known_columns(self, head: str, source: str | None) -> set[str] | None:  # noqa: ARG002 - the same for every source
        """Those of `types`."""
        return set(self.types)

    @property
    def conflict(self) -> list[str]:
        """The target's key."""
        return self.target_key or [self.key.target]

    @property
    def named_columns(self) -> list[tuple[str, Path]]:
        """The target's key, where it is drawn."""
        return [] if self.target_key else [(self.key.target, ("key",))]

    def key_text(self, alias: str) -> str:
        """The key of a target row as text, as it is in `changeover.key_map`."""
        if self.target_key:
            return f"jsonb_build_array({', '.join(f'{alias}.{quote(name)}::text' for name in self.target_key)})::text"
        return f"{alias}.{quote(self.key.target)}::text"

    def _own_expressions(self) -> Iterator[Expression]:
        yield Expression(self.when, ("when",), Scope.FORWARD)
        if self.each is not None:
            yield Expression(self.each, ("each",), Scope.SOURCE)

    def compile(
        self, conn: psycopg.Connection[Any], mapping_id: int, stage: str, sources: Sequence[SourceRow], memory: Memory
    ) -> Compiled:
        """Functions and triggers for each source, and what the target has once."""
        target, lookups = catalog.require(conn, self.target), compiling.lookup_tables(conn, self)
        needs.require(self, target, lookups)
        made = [
            DeriveSource(
                id=s.id,
                mapping_id=mapping_id,
                stage=stage,
                discriminators=s.discriminators,
                spec=self,
                table=table,
                target=target,
                drawn="" if self.target_key else self._next_key(conn, target),
                lookup_tables=lookups,
                describe=compiling.describer(conn),
            )
            for s, table in zip(sources, compiling.source_tables(conn, sources), strict=True)
        ]
        pieces = [memory.recall(("source", s.id), s, partial(_piece, s)) for s in made]
        known = [p.source for p in pieces]
        whole = memory.recall(("mapping", mapping_id), known, partial(derive_functions.whole, known))
        return compiling.of_pieces(mapping_id, self, target, [s.table for s in made], pieces, whole)

    def _next_key(self, conn: psycopg.Connection[Any], target: Table) -> str:
        values = {"oid": target.oid, "table": target.sql, "column": self.key.target}
        with conn.transaction(force_rollback=True):
            conn.execute("SET LOCAL search_path = ''")
            row = conn.execute(sqlfiles.load("orchestrator.mapping", "derive_next_key.sql"), values).fetchone()
        if row is None or row[0] is None:
            raise RefusedError(
                f"{target.label}.{self.key.target}, the key of mapping {self.label}, has no default.",
                kept="Nothing was changed.",
                todo="A derived row draws its key as the application does: make the column an identity, or give it a "
                "default (a sequence, gen_random_uuid()).",
            )
        return str(row[0])

    def hinders_way_back(self, conn: psycopg.Connection[Any], mapping_id: int) -> list[str]:
        """Rows of others that refer to derived rows."""
        return list(derive_back.referring(conn, self, mapping_id))

    def made_rows(self, conn: psycopg.Connection[Any], mapping_id: int) -> int:
        """The derived rows that are there."""
        return derive_back.made_rows(conn, self, mapping_id)

    def take_back(self, conn: psycopg.Connection[Any], mapping_id: int) -> tuple[int, int]:
        """The derived rows out of the target."""
        return derive_back.take_back(conn, mapping_id)


def _piece(source: DeriveSource) -> compiling.Piece:
    return compiling.Piece(source, [], derive_functions.functions(source), derive_functions.triggers(source), [])
