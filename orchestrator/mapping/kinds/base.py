"""What every kind of mapping answers, so that nobody has to ask which kind it is.

`Kind` is the mapping as the plan has it (a strict model) and the strategy of its kind at once. The floors above ask it
for the tables it reads, its expressions, its compiled objects, and what the way back and contract do to it. An answer
that most kinds share stands here; a kind overrides what is different.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.kernel.sqltokens import parts_of, table_name
from orchestrator.mapping import compiling, discovery
from orchestrator.mapping.ending import Ending
from orchestrator.mapping.expressions import Expression, Scope, Sight
from orchestrator.mapping.model import ColumnRule, Key, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Self

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.compile import Compiled, SourceRow
    from orchestrator.mapping.discovery import Found, MappingWarning, Within
    from orchestrator.mapping.expressions import Path
    from orchestrator.mapping.memory import Memory


class Kind(Ending):
    """One mapping of a plan."""

    kind: ClassVar[str]
    """The key that a mapping of this kind begins with in `plan.yaml`."""
    sight: ClassVar[Sight]
    """Which names the expressions of each scope see."""
    grows: ClassVar[bool] = False
    """Whether a new table may become one of its sources while it runs."""
    archives: ClassVar[bool] = True
    """Whether contract puts its sources away and a view under their names."""
    empties_target: ClassVar[bool] = True
    """Whether the target is the plan's own, and is emptied when its mirrors go (`take_back` is for the others)."""
    sources_live_on: ClassVar[bool] = False
    """Whether its sources stay in use for good: contract and retire leave them where they are."""
    one_way: ClassVar[bool] = False
    """Whether nothing is ever written back: then the flag needs no reverse mirror to go live."""
    shares_rows: ClassVar[bool] = False
    """Whether a row of the target may be of several sources at once."""
    makes_rows: ClassVar[bool] = True
    """Whether it makes rows of the target, which then needs every column that must be filled."""
    follows: ClassVar[bool] = False
    """Whether its lookups may say `follow`."""
    keeps_unique: ClassVar[bool] = False
    """Whether it claims each key of a target row itself, so that the target need not be unique by the key alone."""
    needs_originals: ClassVar[bool] = False
    """Whether a value without another place would be lost without `originals`."""

    target: str
    columns: Mapping[str, ColumnRule | str] = Field(
        description="New column: an expression over what may be named there, or a rule."
    )

    @model_validator(mode="after")
    def _can_follow(self) -> Self:
        if not self.follows and (named := [name for name, lookup in self.lookups.items() if lookup.follow]):
            message = f"lookup {', '.join(named)}: `follow` is for mappings in place"
            raise ValueError(message)
        return self

    @property
    def label(self) -> str:
        """The mapping's name."""
        return self.name or table_name(self.target)[1]

    @property
    def moves_reads(self) -> bool:
        """Whether readers go over from old columns or tables to new ones: then they need a flag."""
        return True

    # -- the tables that it reads --------------------------------------------------------------------

    @property
    def discovery(self) -> str | None:
        """The SQL file whose query finds the sources; None where the plan lists them."""
        return None

    @property
    @abstractmethod
    def source_tables(self) -> list[tuple[str, Path]]:
        """The sources that the plan names, each with the place where it does."""

    @property
    def tables(self) -> list[tuple[str, Path]]:
        """Every table that the plan names in this mapping, the target first."""
        lookups: list[tuple[str, Path]] = [
            (lookup.table, ("lookups", name, "table")) for name, lookup in self.lookups.items()
        ]
        return [(self.target, (self.kind,)), *self.source_tables, *lookups]

    @abstractmethod
    def find(
        self, conn: psycopg.Connection[Any], read: Callable[[str], str], within: Callable[[], Within]
    ) -> tuple[list[Found], list[MappingWarning]]:
        """The sources as the database has them now; ``read`` gives the text of one of the plan's files."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """The names of its sources in expressions; none where each source is ``s``."""
        return ()

    @property
    def name_schema(self) -> str | None:
        """The schema in which the new application finds the target by the old table's name, which it takes at retire."""
        return None

    @property
    def parent_table(self) -> str | None:
        """The table whose rows must be there before those of this mapping."""
        return None

    # -- keys and columns of a source ----------------------------------------------------------------

    @property
    @abstractmethod
    def key_name(self) -> str:
        """What the key is called."""

    @property
    def source_key(self) -> str | None:
        """The key column that every source must have; None where the key is an expression."""
        return None

    @property
    def common_key(self) -> Key | None:
        """The keys of both sides, where a row of one source has the same one on both."""
        return None

    @property
    def read_columns(self) -> set[str]:
        """The columns of sources that the plan reads by name."""
        return set() if self.source_key is None else {self.source_key}

    def declared(self, found: Found) -> dict[str, str]:
        """The columns of a source that the plan knows, with the type it reads them as ('' for whatever they are)."""
        return {name: "" for name in self.read_columns if name in found.table.by_name}

    def goes_to(self, column: str) -> str:  # noqa: ARG002 - other kinds ask which column it is
        """What becomes of a column of a source that the plan does not name, in words."""
        return "stays as it is" if self.originals is None else f"kept in {self.originals}"

    def type_of(self, alias: str, column: str) -> str:  # noqa: ARG002 - other kinds ask which column it is
        """The type that an expression sees a column of one of the engine's aliases in."""
        return "text"

    def known_columns(self, head: str, source: str | None) -> set[str] | None:  # noqa: ARG002 - a merge asks for it
        """The columns of a source's alias that the plan declares; None where any may be there."""
        return set()

    def undeclared(self, column: str) -> str:
        """Why an expression cannot name a column of the old row that is none of those, in words."""
        return f"{column} is not declared in `types`"

    # -- the target ----------------------------------------------------------------------------------

    @property
    def discriminator_column(self) -> str | None:
        """The target column that tells the source of a row."""
        return None

    @property
    def exists_condition(self) -> str:
        """The condition over t under which a new row exists for the old schema."""
        return "true"

    @property
    @abstractmethod
    def conflict(self) -> list[str]:
        """The columns of the target that need a unique key together; none where the mapping needs no such key."""

    @property
    def named_columns(self) -> list[tuple[str, Path]]:
        """Target columns that it fills besides `columns`, `originals` and `exempt_column`."""
        return []

    @property
    def filled(self) -> dict[str, Path]:
        """All target columns that it fills, and what in the plan says so."""
        filled: dict[str, Path] = {name: ("columns", name) for name in self.columns}
        if self.originals_column is not None:
            filled.setdefault(self.originals_column, ("originals",))
        if self.exempt_column is not None:
            filled.setdefault(self.exempt_column, ("exempt_column",))
        return filled | dict(self.named_columns)

    @property
    def documents(self) -> list[str]:
        """Target columns that have to be JSONB because other columns are packed into them."""
        return []

    @property
    def on_delete(self) -> dict[str, str]:
        """Target columns that are set when the last source row is deleted."""
        return {}

    @property
    def deletes_merged(self) -> bool:
        """Whether a target row that several sources share goes with the last of them."""
        return False

    @property
    def puts_back(self) -> bool:
        """Whether the way back puts values of the application back that were overwritten."""
        return False

    @property
    def added(self) -> dict[str, str]:
        """The columns that the stage's expand adds to the target, with their types."""
        return {}

    def told_of(self, columns: dict[str, str], checks: dict[str, str | None], not_null: set[str]) -> None:
        """Hear of the columns, CHECKs and NOT NULLs that the plan adds to the target beside what this mapping adds."""

    @property
    def expand(self) -> list[tuple[str, str]]:
        """The statements that add them, each with its place."""
        return [(f"{self.label}.{name}", self.adding(name)) for name in self.added]

    def adding(self, name: str) -> str:
        """The statement that adds one of them."""
        return self.adding_as(name, self.added[name])

    def adding_as(self, name: str, definition: str) -> str:
        """The statement that adds a column to the target."""
        table = sql_name(parts_of(self.target) or (self.target,))
        return f"ALTER TABLE {table} ADD COLUMN {quote(name)} {definition}"

    def over(self, table: Table) -> str:
        """The target as an item of FROM, also before expand has added its columns."""
        return compiling.with_columns(table, self.added)

    # -- expressions ---------------------------------------------------------------------------------

    def expressions(self) -> Iterator[Expression]:
        """Every expression, with the path of keys that leads to it."""
        for name, value in self.columns.items():
            column = rule(value)
            yield Expression(column.expression, ("columns", name), Scope.FORWARD, once=column.insert_only)
        for name, lookup in self.lookups.items():
            yield Expression(lookup.match, ("lookups", name, "match"), Scope.FORWARD)
            if lookup.touches:
                yield Expression(lookup.touches, ("lookups", name, "touches"), Scope.FORWARD)
            if lookup.join:
                yield Expression(lookup.join, ("lookups", name, "join"), Scope.JOIN)
            if lookup.create is not None:
                yield Expression(lookup.create.when, ("lookups", name, "create", "when"), Scope.FORWARD)
                for column_name, text in lookup.create.columns.items():
                    path = ("lookups", name, "create", "columns", column_name)
                    yield Expression(text, path, Scope.FORWARD, once=True)
        for name, text in self.rejects.items():
            yield Expression(text, ("rejects", name), Scope.RULE)
        for name, text in self.exempt.items():
            yield Expression(text, ("exempt", name), Scope.RULE)
        yield from self._own_expressions()

    def _own_expressions(self) -> Iterator[Expression]:
        """Those that only this kind has."""
        return iter(())

    # -- in the database -----------------------------------------------------------------------------

    @abstractmethod
    def compile(
        self, conn: psycopg.Connection[Any], mapping_id: int, stage: str, sources: Sequence[SourceRow], memory: Memory
    ) -> Compiled:
        """The objects of the mapping, compiled against the live catalog where the memory has none for the same input."""

    def problems(self, conn: psycopg.Connection[Any], compiled: Compiled) -> Iterator[str]:  # noqa: ARG002 - as above
        """What `plan check` says against it once it is compiled, in a transaction that is rolled back."""
        return iter(())

    def hinders_way_back(self, conn: psycopg.Connection[Any], mapping_id: int) -> list[str]:  # noqa: ARG002 - as above
        """What rows of others would lose if the rows of this mapping went out of the target, in words."""
        return []

    def made_rows(self, conn: psycopg.Connection[Any], mapping_id: int) -> int:  # noqa: ARG002 - as above
        """How many rows of a target that is not emptied are its own."""
        return 0

    def take_back(self, conn: psycopg.Connection[Any], mapping_id: int) -> tuple[int, int]:  # noqa: ARG002 - as above
        """Take some of its rows out of a target that is not emptied: how many, and how many are kept in the archive.

        It is called until it finds none, each time in a transaction of its own; the mirrors of the sources are off.
        """
        return 0, 0


class Discovering(Kind):
    """A kind whose sources are found by a query, or listed."""

    grows: ClassVar[bool] = True

    discover: str | None = Field(default=None, description="SQL file: one row per (table_name, discriminator, rank).")
    sources: list[str] | None = Field(
        default=None, description="The old tables, with their schemas; or give `discover`."
    )
    key: Key = Field(description="What tells the rows of a table apart, on both sides.")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.discover is None) == (self.sources is None):
            message = "give either `discover` (an SQL file) or `sources` (a list of tables)"
            raise ValueError(message)
        return self

    @property
    def discovery(self) -> str | None:
        """The SQL file whose query finds the sources."""
        return self.discover

    @property
    def source_tables(self) -> list[tuple[str, Path]]:
        """The list of the plan."""
        return [(table, ("sources", number)) for number, table in enumerate(self.sources or [])]

    def find(
        self, conn: psycopg.Connection[Any], read: Callable[[str], str], within: Callable[[], Within]
    ) -> tuple[list[Found], list[MappingWarning]]:
        """The query's tables, or those of the list."""
        if self.discover is not None:
            return discovery.discover(conn, read(self.discover), within())
        return discovery.listed(conn, self.sources or []), []

    @property
    def key_name(self) -> str:
        """The key column of each source."""
        return self.key.column

    @property
    def source_key(self) -> str | None:
        """The key column of each source."""
        return self.key.column
