"""A bell: NOTIFY says that it is time to look, and nothing else.

Any role that may connect may send a notification on any channel, with any text, and may listen. So a notification
carries no data, and who hears one reads the database. How often it may make us read is bounded here: a bell behind
which nothing had changed doubles the pause before the next look, one behind which something had changed ends it.
"""

from __future__ import annotations

from typing import Final

SHORTEST_S: Final = 0.02
LONGEST_S: Final = 1.0


class Bell:
    """Counts false alarms as a pause, in seconds."""

    def __init__(self) -> None:
        """No false alarm yet."""
        self.pause = 0.0
        """How long to wait, after a bell, before looking."""

    def looked(self, *, rung: bool, changed: bool) -> None:
        """Take in a look: was it a bell that led to it, and was anything different?"""
        if changed or not rung:
            self.pause = 0.0
        else:
            self.pause = min(max(2 * self.pause, SHORTEST_S), LONGEST_S)
