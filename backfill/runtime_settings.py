"""Runtime settings: what an operator changes while rows are moving.

One object, shared by whoever listens to the operator (a thread of the job) and by the workers (an event loop in
another thread). It holds the settings as they are now and whether the work is held; both are replaced whole, never
changed in place, so a reader needs no lock. Workers look before each batch, so a change acts after the batch in
hand: a batch lasts some 200 ms. Waiting is by looking again, because the two sides live in different threads and a
wait of a tenth of a second costs nothing beside a pause.

A hold stops batches and comparisons only. Mirrors and the drain go on, so both sides stay equal.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from backfill.settings import BackfillSettings

if TYPE_CHECKING:
    import threading

LOOK_SECONDS: Final = 0.1


class RuntimeSettings:
    """What counts now in one run."""

    def __init__(self, settings: BackfillSettings | None = None) -> None:
        """Start with these settings, not held."""
        self.settings = settings or BackfillSettings()
        self.held: str | None = None
        """Why the work is held; None while it is not."""

    async def passed(self, stop: asyncio.Event) -> None:
        """Return when nothing holds the work, or when it shall end."""
        while self.held is not None and not stop.is_set():  # noqa: ASYNC110 - it changes in another thread
            await asyncio.sleep(LOOK_SECONDS)

    def wait(self, stop: threading.Event) -> None:
        """The same for code that is not asynchronous: between two statements of a phase."""
        while self.held is not None and not stop.is_set():
            time.sleep(LOOK_SECONDS)
