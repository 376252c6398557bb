"""An action: one idempotent statement of a phase, with all that is needed to run, repeat and undo it.

`phases.statements` makes actions of the statements in a plan's files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping.objects import ObjectKind
from orchestrator.mapping.sqltext import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.kernel.sqlcursor import Name
    from orchestrator.mapping.objects import DbObject
    from phases.statements import IndexHead, KeyHead

DROP_INDEX = "DROP INDEX CONCURRENTLY IF EXISTS "

MADE_BY_US = "Made by Changeover"
"""The comment on schemas of our own: such a one is dropped when it is empty, any other never."""


class Role(StrEnum):
    """What the way back must know of an action of dual-write: the order in which mirrors go is by role."""

    NONE = ""
    FUNCTIONS = "functions"
    SOURCE_MIRROR = "source mirror"
    TARGET_MIRROR = "target mirror"
    IN_PLACE_MIRROR = "in-place mirror"


@dataclass(frozen=True, slots=True)
class NewColumns:
    """Columns of one table."""

    table: Name
    names: tuple[str, ...]


@dataclass(frozen=True)
class Action:
    """One statement.

    ``probe`` answers whether it is done already (an empty probe: only the ledger knows). ``patient``
    statements may wait for their lock long, because nobody queues behind them. ``record`` is what the
    ledger keeps instead of the statement where that is compiled from the live catalog.
    """

    id: str
    statement: str
    inverse: str = ""
    probe: str = ""
    lock: str = ""
    transactional: bool = True
    patient: bool = False
    doc: str = ""
    record: str = ""
    ours: bool = False
    index: str = ""
    """The full name of the index it makes."""
    taken_up: bool = False
    """Whether a constraint takes this index up, so that the way back drops it: one that was there could not stay."""
    validates: bool = False
    """Whether it checks rows that a mirror may still have to mend."""
    adds: str = ""
    """The id of the action that has added what it checks."""
    new_columns: NewColumns | None = None
    """The columns that it adds to a table of the plan, and nothing else."""
    inverse_query: str = ""
    """A query that gives the inverse, asked just before the statement: what it changes is put back as it was."""
    makes: str = ""
    """Kind and name of the object it makes."""
    on: str = ""
    """The relation that it is about."""
    unless_there: bool = False
    """Whether an object of that name that is there already is left as it is, and is nobody's to take back."""
    own: tuple[str, ...] = ()
    """Objects that the plan itself must have made, or the inverse would not be one."""
    goes_with: bool = False
    """Whether it needs no inverse, because it goes with an object that the same stage has made."""
    told: str = ""
    """What `plan check` says of it."""

    seeds: bool = False
    """Whether it puts rows of the plan's own into tables."""

    tried_apart: bool = False
    """Whether `plan check` tries it on a copy, because the table is in use."""

    head: KeyHead | IndexHead | None = None
    """A key or an index that rows may stand in the way of."""

    role: Role = Role.NONE

    @property
    def has_way_back(self) -> bool:
        """Whether it can be taken back."""
        return bool(self.inverse or self.inverse_query or self.goes_with)


@dataclass(frozen=True)
class Step:
    """Work that is more than a statement: copy, compare, archive. The engine has one runner for each."""

    id: str
    kind: str
    doc: str = ""
    subject: int = 0


def own_schema(name: str, *, usable: bool = False) -> str:
    """The statement that makes a schema of ours, unless there is one of that name."""
    quoted = quote(name)
    usage = f" GRANT USAGE ON SCHEMA {quoted} TO PUBLIC;" if usable else ""
    return (
        f"DO $changeover$ BEGIN IF to_regnamespace({literal(quoted)}) IS NULL THEN CREATE SCHEMA {quoted};"
        f"{usage} COMMENT ON SCHEMA {quoted} IS {literal(MADE_BY_US)}; END IF; END $changeover$"
    )


def made(obj: DbObject, role: Role = Role.NONE) -> Action:
    """The action that makes a compiled object."""
    concurrent = obj.kind is ObjectKind.INDEX
    return Action(
        id=obj.id,
        statement=obj.create,
        inverse=obj.drop,
        probe="" if obj.kind in {ObjectKind.FUNCTION, ObjectKind.VIEW} else _intact(obj),
        lock=obj.lock,
        transactional=not concurrent,
        patient=concurrent,
        doc=obj.doc,
        record=f"-- {obj.id}: compiled from the plan and the catalog",
        ours=True,
        index=obj.name,
        role=role,
    )


def grouped(group: str, objects: list[DbObject], doc: str, role: Role = Role.NONE) -> Action:
    """One action that makes several compiled objects in one transaction."""
    return Action(
        id=group,
        statement=";\n\n".join(o.create for o in objects),
        inverse=";\n".join(o.drop for o in reversed(objects)),
        probe=_all(objects),
        lock="none",
        doc=doc,
        record=f"-- {group}: {len(objects)} objects compiled from the plan and the catalog",
        ours=True,
        role=role,
    )


def mirrors(triggers: Sequence[DbObject], *, in_place: bool) -> list[Action]:
    """The actions that put triggers on: those of one mirror on one table in one transaction.

    One after the other would leave a moment in which an insert is mirrored and the delete of that row is not.
    """
    together: dict[str, list[DbObject]] = {}
    for each in triggers:
        together.setdefault(each.group, []).append(each)
    return [
        Action(
            id=f"triggers {group}",
            statement=";\n".join(t.create for t in made),
            inverse=";\n".join(t.drop for t in reversed(made)),
            probe=_all(made),
            lock=made[0].lock,
            doc=", ".join(t.doc for t in made),
            record=f"-- triggers {group}: {len(made)} compiled from the plan and the catalog",
            ours=True,
            role=Role.IN_PLACE_MIRROR if in_place else Role.SOURCE_MIRROR,
        )
        for group, made in together.items()
    ]


def _all(objects: Sequence[DbObject]) -> str:
    """The probe of several objects: each is there, no function has another body, no trigger is disabled."""
    return " AND ".join(["SELECT true", *(f"({_intact(each)})" for each in objects)])


def _intact(obj: DbObject) -> str:
    return obj.intact or obj.exists
