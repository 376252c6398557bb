"""Merge: several tables into one by a natural key. See `mapping.merge` for how it works."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping import catalog, compiling, discovery, merge_functions, needs
from orchestrator.mapping.compile import Compiled
from orchestrator.mapping.expressions import LOOKUPS, SOURCES, Expression, Scope, Sight
from orchestrator.mapping.kinds.base import Kind
from orchestrator.mapping.merge import MergeMapping, MergePart
from orchestrator.mapping.model import Strict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.compile import SourceRow
    from orchestrator.mapping.discovery import Found, MappingWarning, Within
    from orchestrator.mapping.expressions import Path
    from orchestrator.mapping.memory import Memory


class MergeSource(Strict):
    """One table that takes part in a merge."""

    table: str = Field(description="The old table, with its schema.")
    key: str = Field(description="Expression over s that gives the natural key.")
    valid: str = Field(default="true", description="Condition over s; a row that fails it has no usable key.")
    invalid: str = Field(default="invalid_key", description="The reject reason of such a row.")
    order: list[str] = Field(description="ORDER BY terms over s: which row of one key wins.")
    types: dict[str, str] = Field(default_factory=dict, description="Source column: the type it is read as.")
    same: list[str] = Field(
        default_factory=list,
        description="Columns that keep their name and type: each stands for its entry in `types` and `reverse`, and in the "
        "merge's `columns`.",
    )
    reverse: dict[str, str] = Field(default_factory=dict, description="Source column: expression over t and lookups.")
    when: str = Field(default="true", description="Condition over a new t: whether it gets a row in this source.")


class Merge(Kind):
    """Several tables into one by a natural key, with precedence."""

    kind: ClassVar[str] = "merge"
    shares_rows: ClassVar[bool] = True
    sight: ClassVar[Sight] = MappingProxyType(
        {
            Scope.FORWARD: frozenset({"k", SOURCES, LOOKUPS}),
            Scope.RULE: frozenset({"k", "t", SOURCES, LOOKUPS}),
            Scope.BACK: frozenset({"t", LOOKUPS}),
            Scope.SOURCE: frozenset({"s"}),
            Scope.TARGET: frozenset({"t"}),
            Scope.JOIN: frozenset({"t", LOOKUPS}),
        }
    )

    target: str = Field(alias="merge", description="The new table, with its schema.")
    key: str = Field(description="The target column that holds the natural key; it needs a unique index.")
    sources: dict[str, MergeSource] = Field(
        description="Name of a source, by which expressions call its row: what it is."
    )
    on_source_delete: dict[str, str] = Field(
        default_factory=dict, description="Columns of a row whose sources are gone; without it the row is deleted."
    )

    @model_validator(mode="before")
    @classmethod
    def _written_out(cls, given: Any) -> Any:
        """`same` of the sources as the expressions that it stands for; an expression of the plan's own goes before."""
        if not isinstance(given, dict) or not isinstance(sources := given.get("sources"), dict):
            return given
        own, made, written = given.get("columns") or {}, dict[str, str](), dict[Any, Any]()
        for name, source in sources.items():
            written[name] = source
            if not isinstance(source, dict) or not isinstance(same := source.get("same"), list):
                continue
            back = {column: f"t.{quote(str(column))}" for column in same}
            written[name] = {**source, "reverse": {**back, **(source.get("reverse") or {})}}
            for column in (each for each in same if each not in own):
                if column in made:
                    message = f"{column} is the same in two sources: say in `columns` which of them counts"
                    raise ValueError(message)
                made[column] = f"{name}.{quote(str(column))}"
        return (
            {**given, "sources": written, "columns": {**made, **own}} if made or own else given | {"sources": written}
        )

    def _typed(self, target: Table) -> Merge:
        """With the types of the target for the columns that are the same in a source."""
        sources = {
            name: source.model_copy(update={"types": {**compiling.types_in(target, source.same), **source.types}})
            for name, source in self.sources.items()
        }
        return self.model_copy(update={"sources": sources})

    @model_validator(mode="after")
    def _needs_originals(self) -> Merge:
        if self.originals is None or self.originals_key is not None:
            message = "a merge needs `originals: <jsonb column>`: it also tells which sources a row has"
            raise ValueError(message)
        return self

    @property
    def source_tables(self) -> list[tuple[str, Path]]:
        """The table of each source."""
        return [(source.table, ("sources", name, "table")) for name, source in self.sources.items()]

    def find(
        self,
        conn: psycopg.Connection[Any],
        read: Callable[[str], str],  # noqa: ARG002 - a merge names its tables
        within: Callable[[], Within],  # noqa: ARG002 - the same
    ) -> tuple[list[Found], list[MappingWarning]]:
        """Those of its tables that are there."""
        found, warnings = [], []
        for name, source in self.sources.items():
            oid = catalog.named(conn, source.table)
            if oid is None:
                words = f"source {name} of the merge does not exist"
                warnings.append(discovery.MappingWarning("no_table", source.table, words))
                continue
            if discovery.never(catalog.read_table(conn, oid).schema):
                words = "it is in a schema that holds no old tables"
                warnings.append(discovery.MappingWarning("not_allowed", source.table, words))
                continue
            found.append(discovery.Found(discovery.plain(conn, oid), [name]))
        return found, warnings

    @property
    def aliases(self) -> tuple[str, ...]:
        """The names of its sources."""
        return tuple(self.sources)

    @property
    def key_name(self) -> str:
        """The target column that holds the natural key."""
        return self.key

    @property
    def read_columns(self) -> set[str]:
        """What `types` and `reverse` of its sources name."""
        return {name for source in self.sources.values() for name in (*source.types, *source.reverse)}

    def declared(self, found: Found) -> dict[str, str]:
        """What `types` and `reverse` of this source name."""
        source = self.sources[found.discriminators[0]]
        return {**dict.fromkeys(source.reverse, ""), **source.types}

    def type_of(self, alias: str, column: str) -> str:
        """As `types` of that source says."""
        source = self.sources.get(alias)
        return "text" if source is None else source.types.get(column, "text")

    def known_columns(self, head: str, source: str | None) -> set[str] | None:
        """Those of `types` of the source; in an expression of a source its row is ``s``."""
        if head != "s":
            return {*self.sources[head].types, *self.sources[head].same}
        return None if source is None else {*self.sources[source].types, *self.sources[source].same}

    @property
    def conflict(self) -> list[str]:
        """The natural key."""
        return [self.key]

    @property
    def named_columns(self) -> list[tuple[str, Path]]:
        """The natural key."""
        return [(self.key, ("key",))]

    @property
    def on_delete(self) -> dict[str, str]:
        """The plan's `on_source_delete`."""
        return self.on_source_delete

    @property
    def deletes_merged(self) -> bool:
        """Unless the plan says how such a row looks."""
        return not self.on_source_delete

    def _own_expressions(self) -> Iterator[Expression]:
        for name, source in self.sources.items():
            yield Expression(source.key, ("sources", name, "key"), Scope.SOURCE, source=name)
            yield Expression(source.valid, ("sources", name, "valid"), Scope.SOURCE, source=name)
            yield Expression(source.when, ("sources", name, "when"), Scope.TARGET)
            for number, text in enumerate(source.order):
                yield Expression(text, ("sources", name, "order", number), Scope.SOURCE, source=name)
            for column, text in source.reverse.items():
                yield Expression(text, ("sources", name, "reverse", column), Scope.BACK)
        for name, text in self.on_source_delete.items():
            yield Expression(text, ("on_source_delete", name), Scope.TARGET)

    def compile(
        self, conn: psycopg.Connection[Any], mapping_id: int, stage: str, sources: Sequence[SourceRow], memory: Memory
    ) -> Compiled:
        """Functions of the whole and of each source, their triggers and views."""
        target, lookups = catalog.require(conn, self.target), compiling.lookup_tables(conn, self)
        needs.require(self, target, lookups)
        typed = self._typed(target)
        tables = zip(sources, compiling.source_tables(conn, sources), strict=True)
        named = {s.discriminators[0]: (s.id, table) for s, table in tables}
        parts = [
            MergePart(id=named[name][0], name=name, spec=source, table=named[name][1])
            for name, source in typed.sources.items()
            if name in named
        ]
        made = MergeMapping(
            id=mapping_id,
            stage=stage,
            spec=typed,
            target=target,
            parts=parts,
            lookup_tables=lookups,
            describe=compiling.describer(conn),
        )
        return memory.recall(("mapping", mapping_id), made, partial(self._whole, made))

    def _whole(self, made: MergeMapping) -> Compiled:
        return Compiled(
            mapping_id=made.id,
            name=self.label,
            target=made.target,
            sources=tuple(p.table for p in made.parts),
            indexes=tuple(merge_functions.indexes(made)),
            functions=tuple(merge_functions.functions(made)),
            target_triggers=tuple(merge_functions.new_side_triggers(made)),
            source_triggers=tuple(merge_functions.triggers(made)),
            views=tuple(merge_functions.views(made)),
            archives=self.archives,
        )
