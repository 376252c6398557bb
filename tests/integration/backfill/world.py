"""A small world for `backfill/`: the real ledger, and per source hand-written functions in place of compiled ones."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from backfill.compare import CompareResult, compare
from backfill.engine import BackfillResult, backfill
from backfill.pacing import PacingSettings
from backfill.refs import Fence, MappingRef, Mode, SourceRef
from backfill.settings import BackfillSettings
from orchestrator.kernel.events import Bus, Event
from orchestrator.ledger import schema
from orchestrator.ledger.leases import ENLIST_SQL, FENCE_SQL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backfill.refs import BeforeBatch
    from tests.support.database import Database

_SQL = Path(__file__).parent / "sql"
_VERBS = ("batch", "apply", "fragments", "compared", "mirror")

# Small batches, no limits: a test that wants to see one sets it.
QUICK = BackfillSettings(
    pacing=PacingSettings(first_pages=4, ceiling_pages=8),
    limits={},
    attempts=200,
    smallest_chunk_pages=4,
    drain_interval=0.1,
    drain_patience=20,
    drain_grace=1,
)
FENCE = Fence(FENCE_SQL, ("test", 1), ENLIST_SQL)
MAPPING = MappingRef(1, "public", "fresh")


@dataclass(slots=True)
class Recorder:
    """Everything that was emitted."""

    bus: Bus = field(default_factory=Bus)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bus.subscribe(self.events.append)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event.fields for event in self.events if event.kind == kind]


def build(database: Database) -> None:
    """The ledger and the target."""
    with database.connect(autocommit=False) as conn:
        schema.install(conn)
        conn.execute((_SQL / "target.sql").read_text())


def add_source(database: Database, source_id: int, rows: int) -> SourceRef:
    """A legacy table `legacy_N` with rows 1..rows, and its functions. Ids count from 1 in the order of the calls."""
    table = f"legacy_{source_id}"
    name = f"public.{table}"
    text = sql.SQL((_SQL / "source.sql").read_text()).format(
        id=sql.Literal(source_id),
        legacy=sql.Identifier(table),
        name=sql.Literal(name),
        table=sql.Literal(table),
        **{verb: sql.Identifier(f"m{source_id}_{verb}") for verb in _VERBS},
    )
    with database.connect() as conn:
        conn.execute(text)
        fill(conn, table, 1, rows)
        oid = conn.execute("SELECT oid FROM changeover.source WHERE id = %s", (source_id,)).fetchone()
    assert oid is not None
    return SourceRef(source_id, name, oid[0])


def fill(conn: Any, table: str, first: int, last: int) -> None:
    """Rows that were there before the mirror: about ten a page."""
    name = sql.Identifier(table)
    conn.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER mirror").format(name))
    conn.execute(
        sql.SQL(
            "INSERT INTO {} SELECT i, repeat(md5(i::text), 22), i::text FROM generate_series(%s::bigint, %s::bigint) i"
        ).format(name),
        (first, last),
    )
    conn.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER mirror").format(name))


def with_mode(source: SourceRef, mode: Mode) -> SourceRef:
    return replace(source, mode=mode)


async def copy(
    database: Database,
    *sources: SourceRef,
    workers: int = 2,
    settings: BackfillSettings = QUICK,
    recorder: Recorder | None = None,
    stop: asyncio.Event | None = None,
    before_batch: BeforeBatch | None = None,
    fence: Fence | None = FENCE,
) -> BackfillResult:
    return await backfill(
        database.dsn,
        sources,
        workers=workers,
        fence=fence,
        settings=settings,
        bus=(recorder or Recorder()).bus,
        stop=stop or asyncio.Event(),
        before_batch=before_batch,
    )


def new_verification(database: Database) -> int:
    return int(
        database.value(
            "INSERT INTO changeover.verification (plan, stage, checksum) VALUES ('test', 'test', 'x') RETURNING id"
        )
    )


async def verify(
    database: Database,
    *sources: SourceRef,
    verification: int | None = None,
    workers: int = 2,
    repair: bool = False,
    recorder: Recorder | None = None,
    stop: asyncio.Event | None = None,
    **settings: Any,
) -> CompareResult:
    return await compare(
        database.dsn,
        verification or new_verification(database),
        sources,
        [MAPPING],
        workers=workers,
        repair=repair,
        bus=(recorder or Recorder()).bus,
        stop=stop or asyncio.Event(),
        **settings,
    )


def is_equal(database: Database, source: SourceRef) -> bool:
    """Whether the target has exactly what the source says, rejects aside."""
    query = sql.SQL(
        """SELECT NOT EXISTS (
               SELECT id, body, amount FROM {legacy} WHERE body IS DISTINCT FROM 'reject me' AND amount ~ '^[0-9]+$'
               EXCEPT ALL SELECT id, body, amount::text FROM public.fresh WHERE source = {id})
             AND NOT EXISTS (
               SELECT id, body, amount::text FROM public.fresh WHERE source = {id}
               EXCEPT ALL SELECT id, body, amount FROM {legacy})"""
    ).format(legacy=sql.Identifier(f"legacy_{source.id}"), id=sql.Literal(source.id))
    with database.connect() as conn:
        row = conn.execute(query).fetchone()
    return row == (True,)


@asynccontextmanager
async def running(work: Any) -> AsyncIterator[asyncio.Task[Any]]:
    """Something that goes on beside the body and is ended with it."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
