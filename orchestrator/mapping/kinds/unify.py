"""Unify: many tables, found by a query or listed, into one. See `mapping.unify` for how it works."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import parts_of
from orchestrator.mapping import catalog, compiling, needs, unify_functions, unify_whole
from orchestrator.mapping.expressions import LOOKUPS, Expression, Scope, Sight
from orchestrator.mapping.kinds.base import Discovering
from orchestrator.mapping.part import like
from orchestrator.mapping.unify import UnifySource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.compile import Compiled, SourceRow
    from orchestrator.mapping.discovery import Found
    from orchestrator.mapping.expressions import Path
    from orchestrator.mapping.memory import Memory
    from orchestrator.mapping.model import Key


class Unify(Discovering):
    """Many tables, found by a query or listed, into one."""

    kind: ClassVar[str] = "unify"
    needs_originals: ClassVar[bool] = True
    sight: ClassVar[Sight] = MappingProxyType(
        {
            Scope.FORWARD: frozenset({"s", "d", LOOKUPS}),
            Scope.RULE: frozenset({"s", "d", "t", LOOKUPS}),
            Scope.BACK: frozenset({"t", LOOKUPS}),
            Scope.TARGET: frozenset({"t"}),
            Scope.JOIN: frozenset({"t", LOOKUPS}),
        }
    )

    target: str = Field(alias="unify", description="The new table, with its schema.")
    discriminator: str | None = Field(default=None, description="Target column that tells the source of a row.")
    exists_when: str | None = Field(
        default=None, description="Condition over t; a row that fails it has no counterpart in the source."
    )
    types: dict[str, str] = Field(default_factory=dict, description="Source column: the type it is read as.")
    same: list[str] = Field(
        default_factory=list,
        description="Columns that keep their name and type: each stands for its entry in `types`, `columns` and `reverse`. "
        "`columns: {phone: same}` says it too.",
    )
    reverse: dict[str, str] = Field(default_factory=dict, description="Source column: expression over t and lookups.")
    keep_original: list[str] = Field(
        default_factory=list,
        description="Source columns whose value always stays in the originals (names and the like).",
    )
    pack: dict[str, str] = Field(
        default_factory=dict, description="LIKE pattern (or rest): JSONB target column for the source's other columns."
    )

    takes_name: str | None = Field(
        default=None,
        description="The new table gets the old one's name at `retire`. Until then a view in this schema has that name, for "
        "the search path of the new application.",
    )

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.takes_name is None:
            return self
        new, old = (parts_of(name) for name in (self.target, (self.sources or [""])[0]))
        if len(self.sources or []) != 1 or new[:-1] != old[:-1] or new == old:
            message = (
                "`takes_name` wants one old table under `sources`, in the schema of the new one and with another name"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="before")
    @classmethod
    def _written_out(cls, given: Any) -> Any:
        """`same` as the expressions that it stands for; an expression of the plan's own goes before."""
        if not isinstance(given, dict) or not isinstance(given.get("columns") or {}, dict):
            return given
        listed, columns = given.get("same") or [], given.get("columns") or {}
        if not isinstance(listed, list) or not isinstance(given.get("reverse") or {}, dict):
            return given
        names = list(dict.fromkeys([*listed, *(name for name, rule in columns.items() if rule == "same")]))
        own = {name: rule for name, rule in columns.items() if rule != "same"}
        return {
            **given,
            "same": names,
            "columns": {**{name: f"s.{quote(str(name))}" for name in names}, **own},
            "reverse": {**{name: f"t.{quote(str(name))}" for name in names}, **(given.get("reverse") or {})},
        }

    def _typed(self, target: Table) -> Unify:
        """With the types of the target for the columns that are the same in both."""
        types = compiling.types_in(target, self.same)
        return self.model_copy(update={"types": {**types, **self.types}}) if types else self

    @property
    def name_schema(self) -> str | None:
        """The plan's `takes_name`."""
        return self.takes_name

    @property
    def common_key(self) -> Key | None:
        """A row of a source keeps its key."""
        return self.key

    @property
    def read_columns(self) -> set[str]:
        """The key, and what `types` and `reverse` name."""
        return {self.key.column, *self.types, *self.reverse}

    def declared(self, found: Found) -> dict[str, str]:  # noqa: ARG002 - the same for every source
        """What `types` and `reverse` name."""
        return {**dict.fromkeys(self.reverse, ""), **self.types}

    def goes_to(self, column: str) -> str:
        """Into the document that takes it, else into the originals."""
        rest = self.pack.get("rest")
        packed = next((t for p, t in self.pack.items() if p != "rest" and like(p, column)), rest)
        return super().goes_to(column) if packed is None else f"packed into {packed}"

    def type_of(self, alias: str, column: str) -> str:
        """As `types` says."""
        return self.types.get(column, "text") if alias == "s" else "text"

    def known_columns(self, head: str, source: str | None) -> set[str] | None:  # noqa: ARG002 - the same for every source
        """Those of `types` and of `same`."""
        return {*self.types, *self.same}

    @property
    def discriminator_column(self) -> str | None:
        """The plan's `discriminator`."""
        return self.discriminator

    @property
    def exists_condition(self) -> str:
        """The plan's `exists_when`."""
        return self.exists_when or "true"

    @property
    def conflict(self) -> list[str]:
        """The target's key."""
        return [self.key.target]

    @property
    def named_columns(self) -> list[tuple[str, Path]]:
        """The key, the documents, the discriminator."""
        named: list[tuple[str, Path]] = [(self.key.target, ("key",))]
        named += [(name, ("pack", pattern)) for pattern, name in self.pack.items()]
        return named if self.discriminator is None else [*named, (self.discriminator, ("discriminator",))]

    @property
    def documents(self) -> list[str]:
        """Where `pack` puts columns."""
        return list(dict.fromkeys(self.pack.values()))

    def _own_expressions(self) -> Iterator[Expression]:
        for name, text in self.reverse.items():
            yield Expression(text, ("reverse", name), Scope.BACK)
        if self.exists_when is not None:
            yield Expression(self.exists_when, ("exists_when",), Scope.TARGET)

    def compile(
        self, conn: psycopg.Connection[Any], mapping_id: int, stage: str, sources: Sequence[SourceRow], memory: Memory
    ) -> Compiled:
        """Functions, triggers and a view for each source, and what the target has once."""
        self._require_told_apart(sources)
        target, lookups = catalog.require(conn, self.target), compiling.lookup_tables(conn, self)
        needs.require(self, target, lookups)
        typed = self._typed(target)
        made = [
            UnifySource(
                id=s.id,
                mapping_id=mapping_id,
                stage=stage,
                ordinal=s.ordinal,
                discriminators=s.discriminators,
                spec=typed,
                table=table,
                target=target,
                lookup_tables=lookups,
                describe=compiling.describer(conn),
            )
            for s, table in zip(sources, compiling.source_tables(conn, sources), strict=True)
        ]
        pieces = [memory.recall(("source", s.id), s, partial(_piece, s)) for s in made]
        known = [p.source for p in pieces]
        whole = memory.recall(("mapping", mapping_id), known, partial(unify_whole.objects, known))
        return compiling.of_pieces(mapping_id, self, target, [s.table for s in made], pieces, whole)

    def _require_told_apart(self, sources: Sequence[SourceRow]) -> None:
        """Each row of the new table must tell which table it came from."""
        owners: dict[str, str] = {}
        for source in sources:
            for value in source.discriminators:
                first = owners.setdefault(value if self.discriminator else "", source.label)
                if first != source.label:
                    shared = f"the discriminator {value!r}" if self.discriminator else "no column `discriminator`"
                    raise RefusedError(
                        f"Mapping {self.label} reads {first} and {source.label} with {shared}: nobody could tell of a "
                        "new row which of them it belongs to.",
                        kept="Nothing was changed.",
                        todo="Give each table a discriminator of its own, and the new table a column for it.",
                    )


def _piece(source: UnifySource) -> compiling.Piece:
    return compiling.Piece(
        source,
        indexes=unify_functions.indexes(source),
        functions=unify_functions.functions(source),
        triggers=unify_functions.triggers(source),
        views=[unify_functions.view_of(source)],
    )
