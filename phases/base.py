"""What every phase is given, and what a phase is.

`Work` is a stage ready to be carried out, as plain values: the statements of its files and, once the
target tables stand, its compiled mappings. A phase is a generator of actions and steps; it is advanced
one by one, so that what it builds late (compiled mappings) can depend on what was executed before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from phases.actions import Action, Step

if TYPE_CHECKING:
    from orchestrator.mapping.compile import Compiled
    from phases.alter_spec import Alter

Statements = Sequence[tuple[str, str]]
Work_ = Action | Step


@dataclass(frozen=True)
class Work:
    """One stage of a plan. ``compiled`` compiles on demand, against the catalog as it is then."""

    stage: str
    expand: Statements = ()
    columns: Statements = ()
    """Columns that the mappings add to tables of the application."""
    seed: Statements = ()
    indexes: Statements = ()
    keys: Statements = ()
    contract_keys: Statements = ()
    alter: Sequence[Alter] = ()
    views: Sequence[str] = ()
    """Materialized views that are filled when the rows are there."""
    renames: Callable[[], Iterator[Action]] = field(default=lambda: iter(()))
    """Tables and columns that get other names, compiled on demand."""
    targets: Sequence[str] = ()
    archive: bool = False
    compiled: Callable[[], Sequence[Compiled]] = field(default=lambda: ())
    numbers: Callable[[Compiled], Iterator[Action]] = field(default=lambda _: iter(()))
    """What has to be done with the numbering of a new table's keys."""
    partitions: Callable[[], Iterator[Action]] = field(default=lambda: iter(()))
    """The first partitions of new tables."""
    names: Callable[[Compiled], Iterator[Action]] = field(default=lambda _: iter(()))
    """Views by which each version finds a table under the name that it knows."""
    opened: Callable[[Compiled], Iterator[Action]] = field(default=lambda _: iter(()))
    """Those of the new version, which may be written once the mirror tells what is."""


class Phase(Protocol):
    """A phase: its name, what it is for, and what is to be done."""

    name: str
    purpose: str

    def actions(self, work: Work) -> Iterator[Work_]:
        """Everything this phase does for a stage, in order."""
        ...
