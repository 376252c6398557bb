"""The online comparison: every source row against its target row, every target row against its source, under writes.

Workers take page ranges of sources (`mN_compare`) and targets (`xM_orphans`), judge each in one snapshot, and
write it down (`examine`). What is suspicious is looked at again after a drain, with pauses, a bounded number of
times. What differs then is in `changeover.difference`, by key and column; what still waits in the queue is
*pending*, neither equal nor different, and a result with something pending is not clean.

A suspicious row that is gone from its range when looked at again was deleted, healed by a write, or has only
moved to a page that was compared before. The last is settled by one look for those keys over the whole table in
one snapshot: dear, but it happens only where something was wrong.

With `repair`, differing keys are repaired and their ranges compared again, some times at most.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from backfill import pacing
from backfill.compose import compiled_pages, fixed_pages, load, of_mapping, one
from backfill.drain import Drainer
from backfill.errors import TargetGoneError
from backfill.gate import Gates
from backfill.passes import Passes
from backfill.progress import Meter, announce, report
from backfill.ranges import Scope, survey
from backfill.repair import Repairer, Unrepaired
from backfill.retry import persistent
from backfill.runtime_settings import RuntimeSettings
from backfill.session import Session
from backfill.settings import CompareSettings
from backfill.transaction import preambles
from orchestrator.kernel.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import asyncpg

    from backfill.pacing import PacingSettings
    from backfill.refs import Fence, MappingRef, SourceRef
    from orchestrator.kernel.events import Bus

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CompareResult:
    """What was compared and found. The differing rows themselves stand in `changeover.difference`."""

    rows_compared: int
    target_rows: int
    differences: int
    by_kind: dict[str, int]
    pending: int
    """Rows that differ and wait for their queue, or that could not be looked at twice."""
    repaired: int
    unrepaired: tuple[Unrepaired, ...]
    ranges: int
    seconds: float
    complete: bool
    """False when it was stopped before the end."""

    @property
    def clean(self) -> bool:
        """Whether everything was compared and everything is equal."""
        return self.complete and not self.differences and not self.pending


async def compare(  # noqa: PLR0913 - keyword-only settings, and what is to be compared
    dsn: str,
    verification_id: int,
    sources: Sequence[SourceRef],
    mappings: Sequence[MappingRef],
    *,
    workers: int,
    repair: bool,
    bus: Bus,
    stop: asyncio.Event,
    fence: Fence | None = None,
    settings: CompareSettings | None = None,
    runtime: RuntimeSettings | None = None,
) -> CompareResult:
    """Compare these sources with these targets, or go on where an earlier call with this id stopped."""
    comparison = _Comparison(
        *(dsn, verification_id, max(1, workers), bus, stop, fence),
        *(settings or CompareSettings(), runtime or RuntimeSettings()),
    )
    try:
        return await comparison.run(sources, mappings, repair=repair)
    finally:
        await comparison.close()


class _Comparison:
    """One call of `compare`."""

    def __init__(
        self,
        dsn: str,
        verification_id: int,
        workers: int,
        bus: Bus,
        stop: asyncio.Event,
        fence: Fence | None,
        settings: CompareSettings,
        runtime: RuntimeSettings,
    ) -> None:
        self._id = verification_id
        self._bus = bus
        self._stop = stop
        self._fence = fence
        self._settings = settings
        self._runtime = runtime
        self._clock = SystemClock()
        self._control, self._draining, *self._sessions = (
            Session(dsn, role, bus, reconnect_seconds=settings.reconnect, fence=fence)
            for role in ("verify", "drain", *("rows",) * workers)
        )

    async def close(self) -> None:
        """End the connections."""
        for session in (self._control, self._draining, *self._sessions):
            await session.close()

    async def run(self, sources: Sequence[SourceRef], mappings: Sequence[MappingRef], *, repair: bool) -> CompareResult:
        """Compare, look again, repair, compare again."""
        started, settings = self._clock.monotonic(), self._settings
        texts = await self._ask(partial(preambles, lock_timeout_ms=settings.lock_timeout_ms, synchronous_commit=False))
        scopes = await self._ask(partial(_scopes, sources, mappings, settings.pacing))
        passes = Passes(
            *(self._id, scopes, self._sessions, texts, self._fence, settings, self._clock, self._bus), self._runtime
        )
        drainer = Drainer(self._draining, texts, self._fence, settings.drain, self._bus, Gates())
        repairer = Repairer(self._control, texts, self._fence, settings, self._bus, self._stop)
        reporting = asyncio.create_task(report(self._bus, self._clock, lambda: passes.position, "verify.progress"))
        counts: list[int] = []
        try:
            for number in range(settings.repair_rounds + 1):
                for scope in scopes:
                    await self._ask(partial(survey, self._id, scope))
                await passes.walk(self._stop)
                await passes.look_again(drainer, sources, self._stop)
                by_kind = await self._ask(self._by_kind)
                counts.append(sum(by_kind.values()))
                if not (repair and by_kind) or self._stop.is_set() or number == settings.repair_rounds:
                    break
                await repairer.repair(self._id, scopes)
                await self._ask(self._forget)
        finally:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)
        announce(self._bus, "verify.progress", Meter().mark(self._clock.monotonic(), passes.position))
        totals = await self._ask(partial(_totals, self._id, [scope.key for scope in scopes]))
        return CompareResult(
            rows_compared=totals["source_rows"] + passes.unrecorded_rows,
            target_rows=totals["target_rows"],
            differences=counts[-1],
            by_kind=by_kind,
            pending=passes.pending,
            repaired=max(0, counts[0] - counts[-1]),
            unrepaired=tuple(repairer.unrepaired),
            ranges=totals["ranges"],
            seconds=self._clock.monotonic() - started,
            complete=not self._stop.is_set(),
        )

    async def _ask(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        return await persistent(self._control, work, subject="The comparison", attempts=self._settings.attempts)

    async def _by_kind(self, conn: asyncpg.Connection) -> dict[str, int]:
        rows = await conn.fetch(load("differences_by_kind.sql"), self._id)
        return {row["kind"]: row["differences"] for row in rows}

    async def _forget(self, conn: asyncpg.Connection) -> None:
        await conn.execute(load("differences_clear.sql"), self._id)


async def _scopes(
    sources: Sequence[SourceRef], mappings: Sequence[MappingRef], settings: PacingSettings, conn: asyncpg.Connection
) -> list[Scope]:
    """Both sides: each source, and each mapping's target with the sources that fill it."""
    pace = pacing.first(settings)
    everyone = tuple(each.id for each in sources)
    rows = await conn.fetch(load("mapping_sources.sql"), list(everyone))
    mapping_of = {row["id"]: row["mapping_id"] for row in rows}
    scopes = []
    for each in sources:
        related = tuple(
            row["id"] for row in rows if row["mapping_id"] == mapping_of.get(each.id) or row["oid"] == each.oid
        )
        call = fixed_pages(each, "compare")
        scopes.append(Scope("m", each.id, each.name, each.oid, call, (each,), related, everyone, pace))
    for mapping in mappings:
        target = await conn.fetchrow(load("table_oid.sql"), mapping.target_schema, mapping.target_table)
        if target is None:
            raise TargetGoneError(mapping.target)
        if not target["paged"]:
            continue
        own = tuple(each for each in sources if mapping_of.get(each.id) == mapping.id)
        tables = {each.oid for each in own}
        related = tuple(row["id"] for row in rows if row["mapping_id"] == mapping.id or row["oid"] in tables)
        call = compiled_pages(of_mapping(mapping, "orphans"))
        scopes.append(Scope("x", mapping.id, mapping.target, target["oid"], call, own, related, everyone, pace))
    return scopes


async def _totals(verification_id: int, keys: list[str], conn: asyncpg.Connection) -> asyncpg.Record:
    return await one(conn, load("compare_totals.sql"), verification_id, keys)
