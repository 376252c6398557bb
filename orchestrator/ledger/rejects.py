"""Rejects: source rows that cannot become target rows, kept whole, with the reason.

Batches and mirrors write them (compiled SQL); replay and a later good update of the source row remove them (compiled
SQL as well, `sync`). Here they are read, counted, and waived: a person answers by name for a row that stays behind.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel import documents, sqlfiles
from orchestrator.ledger import moves
from orchestrator.ledger.errors import MoveRefusedError, UnknownRejectError
from orchestrator.ledger.statements import (
    NOW,
    among,
    at_most,
    equal,
    fixed,
    given,
    group,
    order,
    returning,
    select,
    update,
)
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orchestrator.ledger.statements import Sql


_SHOWN: Final = 10
_OF_PLAN: Final = """source_id IN (
    SELECT s.id FROM changeover.source AS s JOIN changeover.mapping AS m ON m.id = s.mapping_id WHERE m.plan = %s
)"""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row of `changeover.reject`."""

    id: int
    source_id: int
    source: str
    stage: str
    key: str | None
    reason: str
    detail: str | None
    row: Any
    state: str
    waived_by: str | None
    waived_reason: str | None
    waived_at: datetime | None
    created_at: datetime

    def as_json(self) -> dict[str, Any]:
        """The shape that `rejects list --json` prints."""
        return {
            "id": self.id,
            "source": self.source,
            "key": self.key,
            "reason": self.reason,
            "stage": self.stage,
            "state": self.state,
            "row": self.row,
            "created_at": self.created_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of a source were rejected, and why."""

    source: str
    stage: str
    reason: str
    state: str
    rows: int


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many rows of a source were rejected for a reason: open, and answered for."""

    source: str
    reason: str
    stage: str
    open: int
    waived: int


@dataclass(frozen=True, slots=True)
class Which:
    """A choice of rejects; what is None does not restrict it."""

    plan: str | None = None
    stage: str | None = None
    source: str | None = None
    key: str | None = None
    reason: str | None = None
    state: str | None = None
    ids: Sequence[int] | None = None

    def conditions(self) -> list[Sql]:
        """As conditions on `changeover.reject`."""
        where = list(given(stage=self.stage, source=self.source, key=self.key, reason=self.reason, state=self.state))
        if self.state is not None:
            where.append(fixed("id > 0"))  # the index of sources and states holds it
        if self.ids is not None:
            where.append(among("id", self.ids))
        if self.plan is not None:
            where.append(fixed(_OF_PLAN, self.plan))
        return where


def every(ledger: Ledger, which: Which, *, limit: int | None = None, after: int = 0) -> list[Reject]:
    """The rejects of a choice in the order they came; `after` is the last id seen, to page on."""
    chosen = _chosen(*which.conditions(), fixed("id > %s", after)) + order("id") + at_most(limit)
    return [_read(each) for each in ledger.all(chosen, Reject)]


def get(ledger: Ledger, reject_id: int) -> Reject | None:
    """One reject by its id."""
    found = ledger.one(_chosen(*equal(id=reject_id)), Reject)
    return None if found is None else _read(found)


def _chosen(*where: Sql) -> Sql:
    """SELECT of rejects with the row as text: read as JSON, its numbers would lose digits."""
    return select(Reject, "reject", *where, instead={"row": fixed('"row"::text')})


def _read(found: Reject) -> Reject:
    return replace(found, row=documents.read_exactly(found.row))


def counts(ledger: Ledger, which: Which) -> list[Count]:
    """How many there are, by source, stage, reason and state."""
    counted = select(Count, "reject", *which.conditions(), instead={"rows": fixed("count(*)")})
    return ledger.all(counted + group("source", "stage", "reason", "state"), Count)


def summary(ledger: Ledger, which: Which) -> list[ReasonCount]:
    """How many there are by source and reason, the most first."""
    found: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for each in counts(ledger, which):
        found[each.source, each.reason, each.stage][each.state] += each.rows
    made = [ReasonCount(*names, by["open"], by["waived"]) for names, by in found.items()]
    return sorted(made, key=lambda each: (-each.open - each.waived, each.source, each.reason, each.stage))


def refuse_unknown(ledger: Ledger, which: Which) -> None:
    """Raise UnknownRejectError where a reject or a source is named that is not there: it is a slip of the pen."""
    there = {each.id for each in every(ledger, Which(ids=which.ids))} if which.ids is not None else set()
    if gone := sorted(set(which.ids or ()) - there):
        raise UnknownRejectError(
            f"There is no reject {', '.join(map(str, gone))}: there never was, or its row can be migrated by now.",
            kept="Nothing was changed.",
            todo="`changeover rejects list` shows those there are.",
        )
    names = sorted({row[0] for row in ledger.conn.execute("SELECT name FROM changeover.source").fetchall()})
    if which.source is not None and which.source not in names:
        raise UnknownRejectError(
            f"There is no source {which.source!r}.",
            kept="Nothing was changed.",
            todo=f"Name one with its schema: {', '.join(names[:_SHOWN]) or 'there is none yet'}.",
        )


def waive(ledger: Ledger, which: Which, *, by: str, reason: str, plan: str | None = None) -> list[int]:
    """Waive every open reject of a choice; the ids that were waived, none if no open one matches.

    A reject that is written anew because its row is written stays waived, for the same reason and in the same run.
    Raises UnknownRejectError where a reject or a source is named that is not there.
    """
    if not by.strip() or not reason.strip():
        raise MoveRefusedError(
            "A reject is waived by a name and for a reason.",
            kept="Nothing was changed.",
            todo='Give both: `--reason "…"`, and CHANGEOVER_ACTOR for the name.',
        )
    moves.allow("reject", moves.REJECT, "open", "waived")
    said = {"state": "waived", "waived_by": by, "waived_reason": reason, "waived_at": NOW}
    with ledger.transaction():
        refuse_unknown(ledger, which)
        waived = update("reject", said, *which.conditions(), *equal(state="open"))
        rows = ledger.all(waived + returning(_Waived), _Waived)
        ids = sorted(row.id for row in rows)
        ledger.conn.execute(sqlfiles.load(__package__, "waiver_add_rows.sql"), {"ids": ids})
        for stage in sorted({row.stage for row in rows}):
            of_stage = sorted(row.id for row in rows if row.stage == stage)
            ledger.event("reject.waived", About(plan or which.plan, stage), ids=of_stage, by=by, reason=reason)
    return ids


@dataclass(frozen=True, slots=True)
class _Waived:
    id: int
    source: str
    stage: str
    reason: str
