"""The pause: probes measure every second, the pure rule decides, workers wait at the door.

Workers never measure: they look at the last decision before a batch, which costs nothing. A pause begins and
ends with an event that names its reasons; one that lasts longer than agreed ends the run with an error that can
be retried.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backfill import pacing
from backfill.errors import PausedTooLongError
from backfill.probes import Probes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backfill.pacing import Reason
    from backfill.runtime_settings import RuntimeSettings
    from backfill.session import Session
    from orchestrator.kernel.clock import Clock
    from orchestrator.kernel.events import Bus


class Throttle:
    """The door before each batch."""

    def __init__(self, runtime: RuntimeSettings, bus: Bus, clock: Clock) -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._probes = Probes(self._settings.limits, self._settings.custom_probes)
        self._bus = bus
        self._clock = clock
        self._open = asyncio.Event()
        self._reasons: tuple[Reason, ...] = ()
        self._since = 0.0
        self._paused = 0.0

    @property
    def paused_seconds(self) -> float:
        """How long the copy was paused in all."""
        return self._paused + (self._clock.monotonic() - self._since if self._reasons else 0.0)

    async def passed(self, stop: asyncio.Event) -> None:
        """Wait until there is no reason to pause, or until the run ends."""
        await self._runtime.passed(stop)
        while not self._open.is_set() and not stop.is_set():
            waits = [asyncio.ensure_future(self._open.wait()), asyncio.ensure_future(stop.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            await self._runtime.passed(stop)

    async def run(
        self, session: Session, ours: Callable[[], Sequence[int]], tables: Callable[[], Sequence[int]]
    ) -> None:
        """Measure and decide until cancelled. The door is shut until the first decision."""
        while True:
            self._follow()
            readings = []
            if self._probes.limits:
                readings = await self._probes.measure(await session.connection(), ours(), tables())
            self._tell(readings)
            self.decide(readings)
            await asyncio.sleep(self._settings.probe_interval)

    def _follow(self) -> None:
        """Measure by the settings as they are now."""
        if self._settings is not (now := self._runtime.settings):
            if (now.limits, now.custom_probes) != (self._settings.limits, self._settings.custom_probes):
                self._probes = Probes(now.limits, now.custom_probes)
            self._settings = now

    def _tell(self, readings: Sequence[pacing.Reading]) -> None:
        for reading in readings:
            self._bus.emit(
                "backfill.probe",
                probe=reading.probe,
                value=reading.value,
                limit=self._probes.limits[reading.probe].pause_above,
                unreadable=reading.value is None,
            )

    def decide(self, readings: Sequence[pacing.Reading]) -> None:
        """Open or shut the door."""
        before, now = self._reasons, self._clock.monotonic()
        self._reasons = reasons = pacing.throttle(before, readings, self._probes.limits)
        if reasons and not before:
            self._since = now
        if _kinds(reasons) != _kinds(before):
            self._announce(reasons, now)
        if reasons:
            self._open.clear()
            if now - self._since > self._settings.longest_pause:
                raise PausedTooLongError(now - self._since, self._words(reasons))
        else:
            self._open.set()

    def _announce(self, reasons: tuple[Reason, ...], now: float) -> None:
        if reasons:
            names = [reason.probe for reason in reasons]
            self._bus.emit("backfill.paused", reason=self._words(reasons), probes=names)
        else:
            self._paused += now - self._since
            self._bus.emit("backfill.unpaused", seconds=round(now - self._since, 3))

    @staticmethod
    def _words(reasons: Sequence[Reason]) -> str:
        return "; ".join(str(reason) for reason in reasons)


def _kinds(reasons: Sequence[Reason]) -> set[tuple[str, bool]]:
    """What is told again when it changes: which probes, and whether they can be read; not every new value."""
    return {(reason.probe, reason.value is None) for reason in reasons}
