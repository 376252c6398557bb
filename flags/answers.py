"""What every client in the process answers with: its memory, whoever keeps that up to date."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .cache import NOTHING, FlagCache

if TYPE_CHECKING:
    from .rules import Context
    from .stages import Stage


class Answers:
    """The last known flags, and how old they are. Asking waits for nothing and raises nothing."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.cache = FlagCache()
        self.last_error: Exception | None = None
        """What ailed the database last."""
        self._last_contact: float | None = None

    def reads_new(
        self, flag: str, key: str | None = None, context: Context = NOTHING, *, default: bool = False
    ) -> bool:
        """Does this caller (a targeting key, and what rules may ask for) read the new tables?"""
        return self.cache.reads_new(flag, key, context, default=default)

    def stage(self, flag: str, key: str | None = None, context: Context = NOTHING) -> Stage | None:
        """The stage that counts for this caller; None for a flag that is not known."""
        return self.cache.stage(flag, key, context)

    @property
    def age(self) -> float | None:
        """Seconds since the database last answered; None if it never has."""
        return None if self._last_contact is None else time.monotonic() - self._last_contact
