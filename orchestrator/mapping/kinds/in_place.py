"""In place: new columns of a table from its old ones, both ways. See `mapping.in_place` for how it works."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import Field, PrivateAttr, model_validator

from orchestrator.kernel.sqltokens import mentions
from orchestrator.mapping import compiling, discovery, in_place_contract, in_place_functions, in_place_mirror, needs
from orchestrator.mapping.expressions import LOOKUPS, Expression, Scope, Sight
from orchestrator.mapping.in_place import InPlaceTable
from orchestrator.mapping.in_place_groups import checks as table_checks
from orchestrator.mapping.kinds.base import Kind
from orchestrator.mapping.model import ColumnRule, Strict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Self

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.compile import Compiled, SourceRow
    from orchestrator.mapping.discovery import Found, MappingWarning, Within
    from orchestrator.mapping.expressions import Path
    from orchestrator.mapping.memory import Memory


_NAMES: Final = "text[] NOT NULL DEFAULT '{}'::text[]"


class NewColumn(ColumnRule):
    """How one new column is computed, and what it is to become."""

    type: str | None = Field(
        default=None, description="Its SQL type: the stage adds the column. Left out: the table has it already."
    )
    required: bool = Field(default=False, description="NOT NULL from contract on.")
    becomes: str | None = Field(
        default=None,
        description="Its name in the view of the new version (`views`), and in the table once `retire` has dropped the old "
        "columns: that of one of them, or a free one.",
    )
    reads: str | None = Field(
        default=None,
        description="Of a column without a way back: an expression over s; the column is computed again where this "
        "changes. Left out, where any column changes that it is computed from. For columns that stay NULL in many rows.",
    )


class Versions(Strict):
    """Schemas with a view of the table for each version, for the search paths of both."""

    old: str | None = Field(default=None, description="Schema of the view with the old columns alone.")
    new: str = Field(description="Schema of the view with the new columns, under the names that they get.")


class InPlace(Kind):
    """New columns of one table from its old ones, both ways."""

    kind: ClassVar[str] = "in_place"
    archives: ClassVar[bool] = False
    empties_target: ClassVar[bool] = False
    sources_live_on: ClassVar[bool] = True
    follows: ClassVar[bool] = True
    makes_rows: ClassVar[bool] = False
    sight: ClassVar[Sight] = MappingProxyType(
        {
            Scope.FORWARD: frozenset({"s", LOOKUPS}),
            Scope.RULE: frozenset({"s", "t", LOOKUPS}),
            Scope.SOURCE: frozenset({"s"}),
            Scope.BACK: frozenset({"t", LOOKUPS}),
            Scope.JOIN: frozenset({"t", LOOKUPS}),
        }
    )

    target: str = Field(alias="in_place", description="The table.")
    key: list[str] = Field(
        default_factory=list, description="Columns that tell a row from all others; left out: the primary key."
    )
    columns: dict[str, NewColumn | str] = Field(description="New column: expression over s and lookups, or a rule.")
    where: str | None = Field(
        default=None,
        description="Condition over s: only such rows are filled, also those written later; their originals come "
        "back on rollback. Not with `reverse`.",
    )
    reverse: dict[str, str] = Field(default_factory=dict, description="Old column: expression over t and lookups.")
    drop: list[str] | None = Field(
        default=None,
        description="Old columns that go at retire: archived with the key of each row, and dropped in one transaction with "
        "the mirror; all of `reverse`, and others. `[]`: only the mirror goes. Left out: columns and mirror stay.",
    )
    views: Versions | None = Field(
        default=None,
        description="Views of the table in two schemas, so that both versions may use one column name for two types; "
        "with `drop`.",
    )
    _beside: dict[str, str] = PrivateAttr(default_factory=dict)
    _checks: dict[str, str | None] = PrivateAttr(default_factory=dict)
    _not_null: set[str] = PrivateAttr(default_factory=set)

    @model_validator(mode="after")
    def _two_sides(self) -> Self:
        if both := sorted(self.columns.keys() & self.reverse.keys()):
            message = f"{', '.join(both)} cannot be a new column and an old one"
            raise ValueError(message)
        if self.where is not None and (self.reverse or "select" in self.where.lower()):
            message = "`where` is for columns without `reverse`, and reads the row alone (no subquery)"
            raise ValueError(message)
        rules = self.rules
        told = [*self.reverse.values(), *(lookup.join for lookup in self.lookups.values())]
        if named := [
            n
            for n, r in rules.items()
            if r.reads and (self.where or self.rejects or any(mentions(x, "t", n) for x in told))
        ]:
            message = f"{', '.join(named)}: `reads` is for columns without a way back, `where` or `rejects`"
            raise ValueError(message)
        self._check_end()
        once = {rule.insert_only for rule in rules.values()}
        wrong = [n for n, r in rules.items() if r.insert_only and self.where is None and r.reads is None]
        if wrong or (self.where is not None and len(once) > 1):
            message = (
                "`insert_only` of a table changed in place is for columns that say what they `reads`, and for fills "
                "(`where`), of which for all columns"
            )
            raise ValueError(message)
        if self.exempt and (
            self.where is not None or any(mentions(c, n) for c in self.exempt.values() for n in self.lookups)
        ):
            message = (
                "`exempt` is about rows of both versions: not with `where`, and it reads the row alone (no lookup)"
            )
            raise ValueError(message)
        return self

    def _check_end(self) -> None:
        gone = set(self.drop or ())
        renamed = self.renamed
        if self.drop is None and (renamed or self.views is not None):
            message = "`becomes` and `views` are for old columns that go: say which, in `drop`"
            raise ValueError(message)
        if self.drop is not None and (stay := sorted(self.reverse.keys() - gone)):
            message = f"`drop`: nobody computes {', '.join(stay)} any more when the mirror goes; name all of `reverse`"
            raise ValueError(message)
        if wrong := sorted(gone & {*self.columns, *self.key}):
            message = f"`drop`: {', '.join(wrong)} cannot go, it is a new column or of the key"
            raise ValueError(message)
        kept = [name for name in self.columns if name not in renamed]
        if twice := sorted({n for n in renamed.values() if [*renamed.values(), *kept].count(n) > 1}):
            message = f"`becomes`: two columns would be called {', '.join(twice)}"
            raise ValueError(message)

    @property
    def old_columns(self) -> list[str] | None:
        """As the plan has them."""
        return self.drop

    @property
    def renamed(self) -> dict[str, str]:
        """As the plan has it."""
        return {name: rule.becomes for name, rule in self.rules.items() if rule.becomes is not None}

    @property
    def version_schemas(self) -> dict[str, str]:
        """As the plan has them."""
        return {} if self.views is None else self.views.model_dump(exclude_none=True)

    @property
    def rules(self) -> dict[str, NewColumn]:
        """Every new column with its rule."""
        return {
            name: NewColumn.model_validate({"from": each}) if isinstance(each, str) else each
            for name, each in self.columns.items()
        }

    @property
    def moves_reads(self) -> bool:
        """Only where an old column is told by a new one."""
        return bool(self.reverse)

    @property
    def puts_back(self) -> bool:
        """What was filled becomes what it was."""
        return self.where is not None

    @property
    def added(self) -> dict[str, str]:
        """The columns with a `type`, and the one for the names of rules."""
        typed = {name: rule.type for name, rule in self.rules.items() if rule.type is not None}
        return typed if self.exempt_column is None else {**typed, self.exempt_column: _NAMES}

    def told_of(self, columns: dict[str, str], checks: dict[str, str | None], not_null: set[str]) -> None:
        """Keep them: expressions may name columns before expand has added them, and the mirror knows rules to come."""
        self._beside = {name: kind for name, kind in columns.items() if name not in self.added}
        self._checks, self._not_null = checks, not_null & self.reverse.keys()

    def over(self, table: Table) -> str:
        """The table as an item of FROM, with every column that the plan adds."""
        return compiling.with_columns(table, {**self._beside, **self.added})

    # -- the table -----------------------------------------------------------------------------------

    @property
    def source_tables(self) -> list[tuple[str, Path]]:
        """The table itself."""
        return [(self.target, (self.kind,))]

    def find(
        self,
        conn: psycopg.Connection[Any],
        read: Callable[[str], str],  # noqa: ARG002 - the plan names the table
        within: Callable[[], Within],  # noqa: ARG002 - as above
    ) -> tuple[list[Found], list[MappingWarning]]:
        """The table itself."""
        return discovery.listed(conn, [self.target]), []

    @property
    def key_name(self) -> str:
        """The plan's key."""
        return ", ".join(self.key) or "its primary key"

    @property
    def source_key(self) -> str | None:
        """The plan's key, where it is one column."""
        return self.key[0] if len(self.key) == 1 else None

    @property
    def read_columns(self) -> set[str]:
        """The key, and what is told back."""
        return {*self.key, *self.reverse}

    def declared(self, found: Found) -> dict[str, str]:
        """Every column: those that the plan does not name stay as they are."""
        return {c.name: "" for c in found.table.columns}

    def known_columns(self, head: str, source: str | None) -> set[str] | None:  # noqa: ARG002 - there is one table
        """Whatever the table has."""
        return None

    @property
    def conflict(self) -> list[str]:
        """The plan's key; a primary key is one."""
        return self.key

    @property
    def named_columns(self) -> list[tuple[str, Path]]:
        """The key, and what is told back."""
        key: list[tuple[str, Path]] = [(name, ("key",)) for name in self.key]
        return key + [(name, ("reverse", name)) for name in self.reverse]

    @property
    def required_columns(self) -> list[str]:
        """Those that are `required`."""
        return [name for name, rule in self.rules.items() if rule.required]

    def _own_expressions(self) -> Iterator[Expression]:
        for name, text in self.reverse.items():
            yield Expression(text, ("reverse", name), Scope.BACK)
        for name, rule in self.rules.items():
            if rule.reads is not None:
                yield Expression(rule.reads, ("columns", name, "reads"), Scope.SOURCE)
        if self.where is not None:
            yield Expression(self.where, ("where",), Scope.SOURCE)

    # -- in the database -----------------------------------------------------------------------------

    def compile(
        self, conn: psycopg.Connection[Any], mapping_id: int, stage: str, sources: Sequence[SourceRow], memory: Memory
    ) -> Compiled:
        """Functions and triggers of the table, and what contract makes of its columns."""
        (table,) = compiling.source_tables(conn, sources)
        seen = self.over(table)
        added = [(name, kind) for name, kind in {**self._beside, **self.added}.items() if name not in table.by_name]
        if added:  # before expand, as `plan check` asks
            table = compiling.with_added(conn, table, added)
        table = in_place_contract.as_before(conn, table)
        columns = (replace(c, not_null=c.not_null or c.name in self._not_null) for c in table.columns)
        table = replace(table, columns=tuple(columns))
        lookups = compiling.lookup_tables(conn, self)
        needs.require(self, table, lookups)
        found, restless = table_checks(conn, table, self._checks)
        made = InPlaceTable(
            id=sources[0].id,
            mapping_id=mapping_id,
            stage=stage,
            spec=self,
            table=table,
            lookup_tables=lookups,
            describe=compiling.describer(conn),
            checks=found,
            seen=seen,
            restless=restless,
        )
        piece: compiling.Piece = memory.recall(("source", made.id), made, partial(_piece, made))
        compiled = compiling.of_pieces(
            mapping_id, self, table, [table], [piece], ([], []), in_place_contract.objects(made)
        )
        return replace(compiled, before_functions=tuple(self.adding_as(*each) for each in added))


def _piece(table: InPlaceTable) -> compiling.Piece:
    functions, triggers = in_place_functions.functions(table), in_place_mirror.triggers(table)
    return compiling.Piece(table, [], functions, triggers, [])
