"""Rechecks: keys whose target row must be derived again, and seeing to it that none is left.

A mirror that could not do its work without risk to the application left the key in `changeover.recheck`; the
compiled `mN_sweep` settles such keys. While rows are copied a sweeper goes by every second, so that the list
stays short; at the end it goes round until the list is empty. "Empty" is bounded in two ways. Writers that
never stop may add keys for ever: once every key that stood there when the copy ended is settled, and a short
grace has passed, what is newer is ordinary traffic, and is reported as pending. And a key that fails each time
ends as an error that names it.

A sweep waits briefly for its locks and comes again, like a batch; if it is hindered it takes fewer keys at a time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from backfill.compose import compose, load, of_source, one
from backfill.errors import SweepError, hindered
from backfill.faults import Fault, backoff, classify
from backfill.gate import Gates
from backfill.session import Session
from backfill.settings import BackfillSettings
from backfill.transaction import fenced, frames
from orchestrator.kernel.errors import sqlstate_of, translate
from orchestrator.kernel.failpoints import declare, failpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import asyncpg

    from backfill.refs import Fence, SourceRef
    from backfill.transaction import Frames
    from orchestrator.kernel.errors import ChangeoverError
    from orchestrator.kernel.events import Bus

_SWEEPING: Final = declare("backfill.sweep.sweeping", "rechecks are settled, not committed")
_SWEPT: Final = declare("backfill.sweep.swept", "settled rechecks are committed")
_SHORT_TURN_SECONDS: Final = 0.2
_LONG_TURN_SECONDS: Final = 5.0
_QUICK_SECONDS: Final = 0.1
_SLOW_SECONDS: Final = 0.3
_FIRST_KEYS: Final = 32
_CUT_OFF_SECONDS: Final = 660.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one round over the sources found and did."""

    settled: int = 0
    waiting: int = 0
    oldest: int | None = None
    newest: int | None = None
    failing: tuple[SourceRef, ...] = ()


class Sweeper:
    """Settles the rechecks of sources, over a connection of its own."""

    def __init__(
        self,
        session: Session,
        frames: Frames,
        fence: Fence | None,
        settings: BackfillSettings,
        bus: Bus,
        gates: Gates,
    ) -> None:
        self._session = session
        self._frames = frames
        self._fence = fence
        self._settings = settings
        self._bus = bus
        self._gates = gates
        self._keys: dict[int, int] = {}
        self._failures: dict[int, int] = {}
        self._last_error: Exception | None = None
        self.settled = 0

    async def run(self, sources: Callable[[], Sequence[SourceRef]]) -> None:
        """Go round every second until cancelled. Keys that fail wait for the end: copying can go on without them."""
        while True:
            await asyncio.sleep(self._settings.sweep_interval)
            await self.turn(sources(), seconds=_SHORT_TURN_SECONDS)

    async def until_empty(self, sources: Sequence[SourceRef], halt: asyncio.Event) -> int:
        """Go round until nothing waits; return how many keys wait that came after the call."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._settings.sweep_patience
        grace = 0.0
        fewest: int | None = None
        failing: float | None = None
        cutoff: int | None = None
        idle = 0
        while True:
            turn = await self.turn(sources, seconds=_LONG_TURN_SECONDS)
            if not turn.waiting or halt.is_set():
                return turn.waiting
            cutoff = (turn.newest or 0) if cutoff is None else cutoff
            if fewest is None or turn.waiting < fewest:
                # Settling a key may leave rechecks for rows that hang on it: as long as it gets less, it goes on.
                fewest, grace = turn.waiting, clock() + self._settings.sweep_grace
            elif turn.oldest is not None and turn.oldest > cutoff and clock() >= grace:
                return turn.waiting
            failing = (clock() if failing is None else failing) if turn.failing else None
            if failing is not None and clock() - failing >= (self._settings.sweep_grace if turn.settled else 0):
                raise await self._failed(turn.failing[0])
            if turn.settled:
                idle, deadline = 0, clock() + self._settings.sweep_patience
                continue
            if clock() > deadline:
                raise self._gave_way(idle)
            idle += 1
            await _rest(halt, backoff(idle, longest=self._settings.sweep_interval))

    async def turn(self, sources: Sequence[SourceRef], *, seconds: float) -> Turn:
        """Go round once, with so much time for each source: its batches wait meanwhile."""
        by_id = {source.id: source for source in sources}
        before = await self._waiting(by_id)
        settled = 0
        for row in before:
            if row["due"]:
                settled += await self._sweep(by_id[row["source_id"]], seconds)
        after = await self._waiting(by_id) if before else []
        limit = self._settings.recheck_attempts
        failing = [by_id[row["source_id"]] for row in after if row["worst"] >= limit]
        failing += [by_id[each] for each, times in self._failures.items() if each in by_id and times >= limit]
        return Turn(
            settled=settled,
            waiting=sum(row["waiting"] for row in after),
            oldest=min((row["oldest"] for row in after), default=None),
            newest=max((row["newest"] for row in after), default=None),
            failing=tuple(failing),
        )

    async def _waiting(self, by_id: dict[int, SourceRef]) -> list[asyncpg.Record]:
        for attempt in range(1, self._settings.attempts + 1):
            try:
                return await (await self._session.connection()).fetch(load("rechecks_waiting.sql"), list(by_id))
            except Exception as exc:
                if classify(exc) is not Fault.LOST or attempt == self._settings.attempts:
                    raise translate(exc) from exc
                self._session.drop()
        return []

    async def _sweep(self, source: SourceRef, seconds: float) -> int:
        """Settle keys of one source, until the time is up or none can be settled."""
        settled = 0
        statement = compose("sweep.sql", function=of_source(source, "sweep"))
        keys = self._keys.get(source.id, min(_FIRST_KEYS, self._settings.sweep_keys))
        async with self._gates.of(source.id).exclusive():
            until = asyncio.get_running_loop().time() + seconds
            while True:
                try:
                    begun = asyncio.get_running_loop().time()
                    async with asyncio.timeout(_CUT_OFF_SECONDS):
                        conn = await self._session.connection()
                        begin = self._frames.patient if keys == 1 else self._frames.batch
                        async with fenced(conn, begin, self._fence):
                            row = await one(conn, statement, keys)
                            failpoint(_SWEEPING)
                        failpoint(_SWEPT)
                except Exception as exc:  # noqa: BLE001 - judged there
                    keys = self._answer(source, keys, exc)
                    break
                self._failures.pop(source.id, None)
                settled += row["settled"]
                now = asyncio.get_running_loop().time()
                keys, over = self._resized(keys, now - begun), now >= until
                if over or not row["remaining"] or not row["settled"]:
                    break
        self._keys[source.id] = keys
        self.settled += settled
        if settled:
            self._bus.emit("backfill.sweep", source=source.name, settled=settled)
        return settled

    def _resized(self, keys: int, seconds: float) -> int:
        """How many keys to take the next time, after a call that took so long: a sweep keeps writers waiting too."""
        if seconds < _QUICK_SECONDS:
            return min(self._settings.sweep_keys, keys * 2)
        # What a call costs by itself is not made less by fewer keys; a lock that was not given takes them down to one.
        return max(min(keys, _FIRST_KEYS), keys // 2) if seconds > _SLOW_SECONDS else keys

    def _answer(self, source: SourceRef, keys: int, exc: Exception) -> int:
        """Return how many keys to take the next time, or raise."""
        fault = classify(exc)
        self._last_error = exc
        self._bus.emit(
            "backfill.sweep.retry", source=source.name, fault=fault.value, sqlstate=sqlstate_of(exc), keys=keys
        )
        if fault is Fault.FATAL:
            raise translate(exc) from exc
        if fault is Fault.LOST:
            self._session.drop()
            return keys
        if fault is Fault.DATA and keys == 1:
            self._failures[source.id] = self._failures.get(source.id, 0) + 1
        return 1 if fault is Fault.DATA else max(1, keys // 2)

    def _gave_way(self, times: int) -> ChangeoverError:
        error = self._last_error
        if error is None:
            return hindered("The sweep", times, None, "nothing was settled")
        return hindered("The sweep", times, sqlstate_of(error), str(error))

    async def _failed(self, source: SourceRef) -> SweepError:
        rows = await (await self._session.connection()).fetch(load("rechecks_failing.sql"), source.id)
        named = [f"{row['key'] or 'all keys'} ({row['attempts']} attempts: {row['last_error']})" for row in rows]
        if self._last_error is not None and self._failures.get(source.id):
            named.insert(0, str(translate(self._last_error).what))
        return SweepError(source.name, "; ".join(named))


async def sweep_until_empty(
    dsn: str,
    sources: Sequence[SourceRef],
    *,
    bus: Bus,
    stop: asyncio.Event,
    fence: Fence | None = None,
    settings: BackfillSettings | None = None,
) -> int:
    """Settle all rechecks of the sources; return how many wait that came while we were at it."""
    settings = settings or BackfillSettings()
    session = Session(dsn, "sweep", bus, reconnect_seconds=settings.reconnect, fence=fence)
    try:
        texts = await frames(
            await session.connection(),
            lock_timeout_ms=settings.lock_timeout_ms,
            synchronous_commit=settings.synchronous_commit,
        )
        return await Sweeper(session, texts, fence, settings, bus, Gates()).until_empty(sources, stop)
    finally:
        await session.close()


async def _rest(halt: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await halt.wait()
    except TimeoutError:
        return
