"""Developers who know of no migration: in the middle of the copy they add a column, and create a scorecard.

They are a listener on the bus that waits for the audits to be half copied, and a thread, because their DDL waits for
locks like anybody's. `finish` makes sure that it has happened and hands on what went wrong.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from orchestrator.demo.legacy import add_column, add_scorecard

if TYPE_CHECKING:
    from orchestrator.demo.narrator import Narrator
    from orchestrator.kernel.events import Event


class Meddler:
    """Changes the legacy schema behind the migration's back, once."""

    def __init__(self, dsn: str, stage: str, voice: Narrator) -> None:
        """`stage` is the one whose copy is disturbed."""
        self._dsn = dsn
        self._stage = stage
        self._voice = voice
        self._copying = False
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    def listen(self, event: Event) -> None:
        """Notice that the copy of the stage is under way."""
        if event.kind == "phase.started":
            self._copying = (event.fields["stage"], event.fields["phase"]) == (self._stage, "backfill")
        elif event.kind == "backfill.progress" and self._copying and event.fields["rows_copied"] > 0:
            self._begin()

    def finish(self) -> None:
        """Wait until it is done; a copy that was too quick is disturbed afterwards."""
        self._begin()
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._meddle, name="meddler", daemon=True)
            self._thread.start()

    def _meddle(self) -> None:
        try:
            written = add_column(self._dsn)
            self._voice.say(
                f"meanwhile a developer adds a column to chat_audit, with a default, and sets {written} values"
            )
            audits = add_scorecard(self._dsn)
            self._voice.say(f"meanwhile somebody creates a scorecard with a table of its own and {audits} audits")
        except Exception as exc:  # noqa: BLE001 - handed on by `finish`
            self._error = exc
