"""Queue: keys whose target row must be derived again, and seeing to it that none is left.

A mirror that could not do its work without risk to the application left the key in `changeover.queue`; the
function `changeover.drain` settles such keys. While rows are copied a drainer goes by every second, so that the list
stays short; at the end it goes round until the list is empty. "Empty" is bounded in two ways. Writers that
never stop may add keys for ever: once every key that stood there when the copy ended is drained, and a short
grace has passed, what is newer is ordinary traffic, and is reported as pending. And a key that fails each time
ends as an error that names it.

A drain waits briefly for its locks and comes again, like a batch; if it is hindered it takes fewer keys at a time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from psycopg import sql

from backfill.compose import compose, load, one
from backfill.errors import DrainError, hindered
from backfill.faults import Fault, backoff, classify
from backfill.gate import Gates
from backfill.session import Session
from backfill.settings import BackfillSettings
from backfill.transaction import fenced, preambles
from orchestrator.kernel.errors import sqlstate_of, translate
from orchestrator.kernel.failpoints import declare, failpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import asyncpg

    from backfill.refs import Fence, SourceRef
    from backfill.transaction import Preambles
    from orchestrator.kernel.errors import ChangeoverError
    from orchestrator.kernel.events import Bus

_DRAINING: Final = declare("backfill.drain.draining", "queued keys are drained, not committed")
_DRAINED: Final = declare("backfill.drain.drained", "drained keys are committed")
_SHORT_TURN_SECONDS: Final = 0.2
_LONG_TURN_SECONDS: Final = 5.0
_QUICK_SECONDS: Final = 0.1
_SLOW_SECONDS: Final = 0.3
_FIRST_KEYS: Final = 32
_CUT_OFF_SECONDS: Final = 660.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one round over the sources found and did."""

    drained: int = 0
    waiting: int = 0
    oldest: int | None = None
    newest: int | None = None
    failing: tuple[SourceRef, ...] = ()


class Drainer:
    """Settles the queue of sources, over a connection of its own."""

    def __init__(
        self,
        session: Session,
        preambles: Preambles,
        fence: Fence | None,
        settings: BackfillSettings,
        bus: Bus,
        gates: Gates,
        direction: Literal["reverse"] | None = None,
        *,
        notes: bool = True,
    ) -> None:
        """Without `notes`, a looked-up row that has changed waits, unless the way back reads it.

        Before the indexes are built, who depends on it is found by reading all rows, for each source.
        """
        self._session = session
        self._preambles = preambles
        self._fence = fence
        self._settings = settings
        self._bus = bus
        self._gates = gates
        self._direction = direction
        self._keys: dict[int, int] = {}
        self._failures: dict[int, int] = {}
        self._last_error: Exception | None = None
        self._every_note = notes
        self._notes: bool | None = notes
        self.drained = 0

    async def run(self, sources: Callable[[], Sequence[SourceRef]]) -> None:
        """Go round every second until cancelled. Keys that fail wait for the end: copying can go on without them.

        So do all notes of lookups.
        """
        self._notes = None
        while True:
            await asyncio.sleep(self._settings.drain_interval)
            await self.turn(sources(), seconds=_SHORT_TURN_SECONDS)

    async def until_empty(self, sources: Sequence[SourceRef], stop: asyncio.Event) -> int:
        """Go round until nothing waits; return how many keys wait that came after the call."""
        clock = asyncio.get_running_loop().time
        self._notes = self._every_note
        await self._anew(sources)
        deadline = clock() + self._settings.drain_patience
        grace = 0.0
        fewest: int | None = None
        failing: float | None = None
        cutoff: int | None = None
        idle = 0
        while True:
            turn = await self.turn(sources, seconds=_LONG_TURN_SECONDS)
            if not turn.waiting or stop.is_set():
                return turn.waiting
            cutoff = (turn.newest or 0) if cutoff is None else cutoff
            if fewest is None or turn.waiting < fewest:
                # Settling a key may leave queue for rows that hang on it: as long as it gets less, it goes on.
                fewest, grace = turn.waiting, clock() + self._settings.drain_grace
            elif turn.oldest is not None and turn.oldest > cutoff and clock() >= grace:
                return turn.waiting
            failing = (clock() if failing is None else failing) if turn.failing else None
            if failing is not None and clock() - failing >= (self._settings.drain_grace if turn.drained else 0):
                raise await self._failed(turn.failing[0])
            if turn.drained:
                idle, deadline = 0, clock() + self._settings.drain_patience
                continue
            if clock() > deadline:
                raise self._gave_way(idle)
            idle += 1
            await _rest(stop, backoff(idle, longest=self._settings.drain_interval))

    async def turn(self, sources: Sequence[SourceRef], *, seconds: float) -> Turn:
        """Go round once, with so much time for each source: its batches wait meanwhile."""
        by_id = {source.id: source for source in sources}
        before = await self._waiting(by_id)
        drained = 0
        for row in before:
            if row["due"]:
                drained += await self._drain(by_id[row["source_id"]], seconds)
        after = await self._waiting(by_id) if before else []
        limit = self._settings.queue_attempts
        failing = [by_id[row["source_id"]] for row in after if row["worst"] >= limit]
        failing += [by_id[each] for each, times in self._failures.items() if each in by_id and times >= limit]
        return Turn(
            drained=drained,
            waiting=sum(row["waiting"] for row in after),
            oldest=min((row["oldest"] for row in after), default=None),
            newest=max((row["newest"] for row in after), default=None),
            failing=tuple(failing),
        )

    async def _anew(self, sources: Sequence[SourceRef]) -> None:
        """Give keys that failed under an earlier command all their attempts."""
        try:
            conn = await self._session.connection()
            async with fenced(conn, self._preambles.batch, self._fence):
                await conn.execute(load("queue_anew.sql"), [source.id for source in sources])
        except Exception as exc:
            fault = classify(exc)
            if fault is Fault.FATAL:
                raise translate(exc) from exc
            if fault is Fault.LOST:
                self._session.drop()

    async def _waiting(self, by_id: dict[int, SourceRef]) -> list[asyncpg.Record]:
        for attempt in range(1, self._settings.attempts + 1):
            try:
                return await (await self._session.connection()).fetch(
                    load("queue_waiting.sql"), list(by_id), self._direction, self._notes
                )
            except Exception as exc:
                if classify(exc) is not Fault.LOST or attempt == self._settings.attempts:
                    raise translate(exc) from exc
                self._session.drop()
        return []

    async def _drain(self, source: SourceRef, seconds: float) -> int:
        """Drain keys of one source, until the time is up or none can be drained."""
        drained = 0
        statement = compose("drain.sql", source=sql.Literal(source.id))
        keys = self._keys.get(source.id, min(_FIRST_KEYS, self._settings.drain_keys))
        async with self._gates.of(source.id).exclusive():
            until = asyncio.get_running_loop().time() + seconds
            while True:
                try:
                    begun = asyncio.get_running_loop().time()
                    async with asyncio.timeout(_CUT_OFF_SECONDS):
                        conn = await self._session.connection()
                        begin = self._preambles.patient if keys == 1 else self._preambles.batch
                        async with fenced(conn, begin, self._fence):
                            row = await one(conn, statement, keys, self._notes)
                            failpoint(_DRAINING)
                        failpoint(_DRAINED)
                except Exception as exc:  # noqa: BLE001 - judged there
                    keys = self._answer(source, keys, exc)
                    break
                self._failures.pop(source.id, None)
                drained += row["drained"]
                now = asyncio.get_running_loop().time()
                keys, over = self._resized(keys, now - begun), now >= until
                if over or not row["remaining"] or not row["drained"]:
                    break
        self._keys[source.id] = keys
        self.drained += drained
        if drained:
            self._bus.emit("backfill.drain", source=source.name, drained=drained)
        return drained

    def _resized(self, keys: int, seconds: float) -> int:
        """How many keys to take the next time, after a call that took so long: a drain keeps writers waiting too."""
        if seconds < _QUICK_SECONDS:
            return min(self._settings.drain_keys, keys * 2)
        # What a call costs by itself is not made less by fewer keys; a lock that was not given takes them down to one.
        return max(min(keys, _FIRST_KEYS), keys // 2) if seconds > _SLOW_SECONDS else keys

    def _answer(self, source: SourceRef, keys: int, exc: Exception) -> int:
        """Return how many keys to take the next time, or raise."""
        fault = classify(exc)
        self._last_error = exc
        self._bus.emit(
            "backfill.drain.retry", source=source.name, fault=fault.value, sqlstate=sqlstate_of(exc), keys=keys
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
            return hindered("The drain", times, None, "nothing was drained")
        return hindered("The drain", times, sqlstate_of(error), str(error))

    async def _failed(self, source: SourceRef) -> DrainError:
        rows = await (await self._session.connection()).fetch(load("queue_failing.sql"), source.id, self._direction)
        named = _named([(row["key"] or "all keys", row["attempts"], row["last_error"]) for row in rows])
        causes = [row["last_error"] for row in rows if row["last_error"]]
        if self._last_error is not None and self._failures.get(source.id):
            named.insert(0, str(translate(self._last_error).what))
            causes.append(f"{sqlstate_of(self._last_error)} {self._last_error}")
        return DrainError(source.name, "; ".join(named), causes)


async def drain_until_empty(
    dsn: str,
    sources: Sequence[SourceRef],
    *,
    bus: Bus,
    stop: asyncio.Event,
    fence: Fence | None = None,
    settings: BackfillSettings | None = None,
    direction: Literal["reverse"] | None = None,
) -> int:
    """Drain all queue of the sources; return how many wait that came while we were at it.

    With a direction, keys of the other one are drained as well, but nobody waits for them.
    """
    settings = settings or BackfillSettings()
    session = Session(dsn, "drain", bus, reconnect_seconds=settings.reconnect, fence=fence)
    try:
        texts = await preambles(
            await session.connection(),
            lock_timeout_ms=settings.lock_timeout_ms,
            synchronous_commit=settings.synchronous_commit,
        )
        return await Drainer(session, texts, fence, settings, bus, Gates(), direction).until_empty(sources, stop)
    finally:
        await session.close()


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _named(rows: Sequence[tuple[str, int, str | None]]) -> list[str]:
    """The keys that cannot be drained, each reason once."""
    by_reason: dict[str, list[tuple[str, int]]] = {}
    for key, attempts, why in rows:
        by_reason.setdefault(why or "no reason is known", []).append((key, attempts))
    return [
        f"{', '.join(key for key, _ in keys)} ({max(n for _, n in keys)} attempts: {why})"
        for why, keys in by_reason.items()
    ]
