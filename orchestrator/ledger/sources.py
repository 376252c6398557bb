"""Sources: the tables that mappings read, and how far each has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, func, select
from sqlalchemy.dialects.postgresql import insert

from orchestrator.ledger import moves, tables
from orchestrator.ledger.store import About, Ledger, columns, select_as

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
    return ledger.all(
        select(*columns(tables.source, Source))
        .join(tables.mapping, tables.mapping.c.id == tables.source.c.mapping_id)
        .where(tables.mapping.c.plan == plan, *([] if stage is None else [tables.mapping.c.stage == stage]))
        .order_by(tables.source.c.mapping_id, tables.source.c.ordinal, tables.source.c.id),
        Source,
    )


def move(ledger: Ledger, source: Source, to: str, about: About) -> None:
    """Move a source to another state."""
    ledger.change(tables.source, {"id": source.id}, to, moves.SOURCE, about, detail={"source": source.name})


def progress(ledger: Ledger, source_ids: Iterable[int]) -> dict[int, Progress]:
    """Pages and rows done, by source."""
    chunk = tables.chunk
    summands = {
        "pages": chunk.c.end_page - chunk.c.first_page,
        "pages_done": chunk.c.next_page - chunk.c.first_page,
        **{name: chunk.c[name] for name in ("rows_seen", "rows_copied", "rows_rejected")},
    }
    summed = (
        select(
            chunk.c.source_id,
            *[func.sum(what).cast(BigInteger).label(name) for name, what in summands.items()],
            func.max(chunk.c.updated_at).label("updated_at"),
        )
        .where(chunk.c.source_id.in_(list(source_ids)))
        .group_by(chunk.c.source_id)
    )
    return {row.source_id: row for row in ledger.all(summed, Progress)}


def find(ledger: Ledger, warning: MappingWarning) -> bool:
    """Record a warning; False if it is known already (its detail is renewed)."""
    table = tables.warning
    with ledger.transaction():
        values = {name: getattr(warning, name) for name in ("plan", "stage", "mapping", "code", "subject", "detail")}
        if ledger.run(insert(table).values(**values).on_conflict_do_nothing()):
            ledger.event("warning", About(warning.plan, warning.stage), **values)
            return True
        renewed = insert(table).values(**values)
        ledger.run(
            renewed.on_conflict_do_update(
                index_elements=["plan", "stage", "mapping", "code", "subject"], set_={"detail": warning.detail}
            )
        )
    return False


def warnings(ledger: Ledger, plan: str, stage: str | None = None) -> list[MappingWarning]:
    """What was found, in the order it was found."""
    table = tables.warning
    where = [table.c.plan == plan, *([] if stage is None else [table.c.stage == stage])]
    return ledger.all(select_as(table, MappingWarning, *where).order_by(table.c.id), MappingWarning)
