"""Walking all ranges once, and looking again at those that were suspicious.

Each of the workers is a loop over a connection of its own; a scope that was rewritten under the walk (another
file) is surveyed and walked again from its first page. Looking again follows a drain and a growing pause,
because what explains a difference is mostly a queued key on its way; the number of looks is bounded, and after the
last one what is certain is written down and what is not is left as pending.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from backfill import pacing
from backfill.compose import compose, load, one
from backfill.errors import DrainError, HeapRewrittenError
from backfill.examine import Range, examine
from backfill.faults import backoff
from backfill.progress import Position
from backfill.ranges import choose, survey
from backfill.retry import persistent
from backfill.transaction import fenced
from orchestrator.kernel.errors import LockTimeoutError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    import asyncpg

    from backfill.drain import Drainer
    from backfill.ranges import Scope
    from backfill.refs import Fence, SourceRef
    from backfill.runtime_settings import RuntimeSettings
    from backfill.session import Session
    from backfill.settings import CompareSettings
    from backfill.transaction import Preambles
    from orchestrator.kernel.clock import Clock
    from orchestrator.kernel.events import Bus

_DRAIN_SECONDS: Final = 5.0


class Passes:
    """The workers of a comparison and what they have found so far."""

    def __init__(  # noqa: PLR0913, PLR0917 - what the comparison has, handed on
        self,
        verification_id: int,
        scopes: Sequence[Scope],
        sessions: Sequence[Session],
        texts: Preambles,
        fence: Fence | None,
        settings: CompareSettings,
        clock: Clock,
        bus: Bus,
        runtime: RuntimeSettings,
    ) -> None:
        self._id = verification_id
        self._scopes = scopes
        self._sessions = sessions
        self._texts = texts
        self._fence = fence
        self._settings = settings
        self._clock = clock
        self._bus = bus
        self._runtime = runtime
        self._suspicious: list[Range] = []
        self._moved: dict[Scope, set[str]] = {}
        self._pages = 0
        self._rows = 0
        self.pending = 0
        self.unrecorded_rows = 0

    @property
    def position(self) -> Position:
        """How far the walk is, for the progress report."""
        total = sum(scope.pages for scope in self._scopes)
        left = sum(scope.left for scope in self._scopes)
        return Position(total - left, total, self._rows, 0, 0)

    async def walk(self, stop: asyncio.Event) -> None:
        """Take ranges until there are none."""
        self._suspicious = []
        await self._together(partial(self._walk, stop))

    async def _walk(self, stop: asyncio.Event, session: Session) -> None:
        while not stop.is_set():
            await self._runtime.passed(stop)
            if stop.is_set() or (scope := choose(self._scopes)) is None:
                return
            lo, hi = scope.take()
            each = Range(scope, lo, hi, scope.filenode)
            scope.busy += 1
            started = self._clock.monotonic()
            try:
                await self._examine(session, each)
            except HeapRewrittenError:
                await self._again(session, each)
                continue
            finally:
                scope.busy -= 1
            seconds = self._clock.monotonic() - started
            scope.pace = pacing.after_batch(scope.pace, self._settings.pacing, pages=hi - lo, seconds=seconds)
            self._rows += each.rows if each.scope.letter == "m" else 0
            self._bus.emit(
                "verify.range",
                scope=scope.name,
                pages=hi - lo,
                rows=each.rows,
                suspicious=len(each.suspects),
                seconds=round(seconds, 4),
            )
            if not each.settled:
                self._suspicious.append(each)

    async def look_again(self, drainer: Drainer, sources: Sequence[SourceRef], stop: asyncio.Event) -> None:
        """Settle what is suspicious, as far as it can be."""
        for number in range(1, self._settings.rounds + 1):
            if not self._suspicious or stop.is_set():
                break
            await self._drain(drainer, sources)
            last = number == self._settings.rounds
            queue = self._suspicious.copy()
            await self._together(partial(self._relook, queue, stop, last=last))
            self._suspicious = [each for each in self._suspicious if not each.settled]
            if self._suspicious and not last:
                await asyncio.sleep(backoff(number, longest=1.0))
        self.pending = sum(each.pending for each in self._suspicious)
        self.unrecorded_rows = sum(each.rows for each in self._suspicious if each.scope.letter == "m")
        await self._look_everywhere(stop)

    async def _relook(self, queue: list[Range], stop: asyncio.Event, session: Session, *, last: bool) -> None:
        while queue:
            each = queue.pop()
            try:
                await self._examine(session, each, last=last)
            except HeapRewrittenError:
                await self._again(session, each)
                await self._walk(stop, session)
                continue
            if gone := each.firm - each.suspects:
                self._moved.setdefault(each.scope, set()).update(gone)

    async def _look_everywhere(self, stop: asyncio.Event) -> None:
        """Find rows that differed and are no longer in their range. They stay listed: a repair may move them."""
        for scope, keys in self._moved.items():
            if stop.is_set():
                return
            self.pending += await persistent(
                self._sessions[0],
                partial(self._find, scope, sorted(keys)),
                subject=f"Comparing {scope.name}",
                attempts=self._settings.attempts,
            )

    async def _find(self, scope: Scope, keys: list[str], conn: asyncpg.Connection) -> int:
        """Write down those of the keys that still differ; return how many are pending."""
        statement = compose("compare_moved.sql", pages=scope.call)
        async with fenced(conn, self._texts.snapshot, self._fence):
            # Read within the snapshot's transaction: no row that it sees can stand behind this page.
            heap = await one(conn, load("heap.sql"), scope.oid)
            row = await one(conn, statement, 0, heap["pages"], list(scope.related), self._id, scope.name, keys)
        return int(row["pending"])

    async def _drain(self, drainer: Drainer, sources: Sequence[SourceRef]) -> None:
        """Settle what can be; what cannot stays pending and shows in the result."""
        try:
            await drainer.turn(sources, seconds=_DRAIN_SECONDS)
        except (DrainError, LockTimeoutError, RetryableError) as exc:
            self._bus.emit("verify.drain_failed", error=exc.what)

    async def _examine(self, session: Session, each: Range, *, last: bool = False) -> None:
        await persistent(
            session,
            lambda conn: examine(conn, self._texts.snapshot, self._fence, self._id, each, last=last),
            subject=f"Comparing {each.scope.name}",
            attempts=self._settings.attempts,
        )

    async def _again(self, session: Session, each: Range) -> None:
        """The pages are others now: what was seen of them means nothing. Once, whoever notices first."""
        scope = each.scope
        if scope.filenode != each.filenode:
            return
        self._bus.emit("verify.rewritten", scope=scope.name)
        # At once, before any await: other workers must not take more of the old ranges.
        scope.filenode, scope.gaps = 0, []
        await persistent(
            session,
            partial(survey, self._id, scope),
            subject=f"Comparing {scope.name}",
            attempts=self._settings.attempts,
        )
        for stale in self._suspicious:
            stale.settled = stale.settled or (stale.scope is scope and stale.filenode != scope.filenode)

    async def _together(self, work: Callable[[Session], Coroutine[None, None, None]]) -> None:
        """Let every session work, and end them all when one fails."""
        tasks = [asyncio.create_task(work(session)) for session in self._sessions]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
