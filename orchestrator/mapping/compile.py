"""From a mapping's model and its sources to the database objects of each phase.

`Compiled` has them in the order in which they are made: indexes that the mirror needs on the sources,
functions, triggers on the target, triggers on the sources, views. The kind of the mapping compiles it
(`mapping.kinds`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import distinct
from orchestrator.mapping.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import psycopg

    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.kinds.base import Kind
    from orchestrator.mapping.objects import DbObject


@dataclass(frozen=True)
class SourceRow:
    """A source as the ledger has it."""

    id: int
    oid: int
    ordinal: int
    discriminators: tuple[str, ...]
    label: str = ""
    view: str = ""
    home: str = ""
    """The schema in which it was first found."""
    place: str = ""
    """The schema that the compiled text names; empty for the one that the table is in now."""


@dataclass(frozen=True)
class Compiled:
    """Everything that a mapping needs in the database."""

    mapping_id: int
    name: str
    target: Table
    sources: tuple[Table, ...]
    indexes: tuple[DbObject, ...]
    functions: tuple[DbObject, ...]
    target_triggers: tuple[DbObject, ...]
    source_triggers: tuple[DbObject, ...]
    views: tuple[DbObject, ...]
    """The compatibility views, one for each source; none where the mapping has no view."""
    archives: bool
    """Whether contract puts the sources away."""
    contract: tuple[DbObject, ...] = ()
    """What contract makes of the columns of a table that keeps its place."""
    before_functions: tuple[str, ...] = ()
    """What a trial has to execute before the functions can be made: expand has not been carried out."""

    @property
    def in_place(self) -> bool:
        """Whether the target is its own source."""
        return any(source.oid == self.target.oid for source in self.sources)

    def objects(self) -> list[DbObject]:
        """All of them, in the order of making."""
        return [*self.indexes, *self.functions, *self.target_triggers, *self.source_triggers, *self.views]


def compile_mapping(
    conn: psycopg.Connection[Any],
    spec: Kind,
    mapping_id: int,
    stage: str,
    sources: Sequence[SourceRow],
    memory: Memory | None = None,
) -> Compiled:
    """Compile against the live catalog, and only what is not in the memory; nothing is written."""
    if not sources:
        raise RefusedError(
            f"None of the tables that mapping {spec.label} reads is in this database.",
            kept="Nothing of this phase was changed.",
            todo="Is it the right database? `changeover plan check` shows what the plan looks for.",
        )
    compiled = spec.compile(conn, mapping_id, stage, sources, memory or Memory())
    distinct(o.id for o in compiled.objects())
    return compiled
