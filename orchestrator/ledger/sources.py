"""Sources: the tables that mappings read, and how far each has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.kernel import sqlfiles
from orchestrator.ledger import moves
from orchestrator.ledger.statements import equal, fixed, given, insert, or_nothing, or_update, order, select
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Source:
    """A row of `changeover.source`."""

    id: int
    mapping_id: int
    name: str
    schema_name: str
    table_name: str
    view_name: str
    oid: int
    discriminators: list[str]
    key_type: str | None
    fingerprint: str | None
    relfilenode: int | None
    ordinal: int
    state: str
    mode: str
    rows_estimated: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What the chunks of a source have done, added up."""

    source_id: int
    pages: int
    pages_done: int
    rows_seen: int
    rows_copied: int
    rows_rejected: int
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class MappingWarning:
    """Something a person should know about: a listed table that does not exist, a column nobody expected."""

    plan: str
    stage: str
    mapping: str
    code: str
    subject: str
    detail: str


def every(ledger: Ledger, plan: str, stage: str | None = None) -> list[Source]:
    """The sources of a plan, or of one stage of it, in the order of precedence."""
    of = fixed("mapping_id IN (SELECT id FROM changeover.mapping WHERE plan = %s)", plan)
    if stage is not None:
        of = fixed("mapping_id IN (SELECT id FROM changeover.mapping WHERE plan = %s AND stage = %s)", plan, stage)
    return ledger.all(select(Source, "source", of) + order("mapping_id", "ordinal", "id"), Source)


def move(ledger: Ledger, source: Source, to: str, about: About) -> None:
    """Move a source to another state."""
    ledger.change("source", {"id": source.id}, to, moves.SOURCE, about, detail={"source": source.name})


def progress(ledger: Ledger, source_ids: Iterable[int]) -> dict[int, Progress]:
    """Pages and rows done, by source."""
    summed = fixed(sqlfiles.load(__package__, "chunk_progress.sql"), list(source_ids))
    return {row.source_id: row for row in ledger.all(summed, Progress)}


def find(ledger: Ledger, warning: MappingWarning) -> bool:
    """Record a warning; False if it is known already (its detail is renewed)."""
    key = {name: getattr(warning, name) for name in ("plan", "stage", "mapping", "code", "subject")}
    new = insert("warning", {**key, "detail": warning.detail})
    with ledger.transaction():
        if ledger.run(new + or_nothing()):
            ledger.event("warning", About(warning.plan, warning.stage), **key, detail=warning.detail)
            return True
        ledger.run(new + or_update(list(key), {"detail": warning.detail}))
    return False


def warnings(ledger: Ledger, plan: str, stage: str | None = None) -> list[MappingWarning]:
    """What was found, in the order it was found."""
    chosen = select(MappingWarning, "warning", *equal(plan=plan), *given(stage=stage))
    return ledger.all(chosen + order("id"), MappingWarning)
