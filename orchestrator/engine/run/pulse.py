"""A sign of life of work that takes long: an event every two seconds, and none of what is done sooner."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from orchestrator.kernel.events import Bus

EVERY_S: Final = 2.0


class Pulse:
    """Tells the bus what is being done, and how much of it is."""

    def __init__(self, bus: Bus | None = None, clock: Any = time.monotonic) -> None:
        """Begin to count the seconds; without a bus nobody is told."""
        self._bus, self._clock = bus, clock
        self._told = clock()

    def tell(self, doing: str, done: int = 0, of: int = 0) -> None:
        """Say it if the last word was two seconds ago."""
        if self._bus is not None and self._clock() - self._told >= EVERY_S:
            self._told = self._clock()
            self._bus.emit("check.progress", doing=doing, amount=f": {done} of {of}" if of else "")
