"""What a client knows about the flags, and how it answers without asking anybody.

Knowledge comes as snapshots (a SELECT) and as announcements (a NOTIFY), and they can overtake each other: an
announcement that arrives while a snapshot is being read may be newer than it. There the version decides. What was heard
before the snapshot was begun is in it, so the snapshot replaces it, even by a lower version: after a failover that
lost a transaction all clients must agree with the database again.

Answers are looked up in a dict that is replaced and never changed, so that any thread may ask at any time. What is not
known, or not understood, is the default: the old side.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from flags.stages import Stage, effective, reads_new


@dataclass(frozen=True, slots=True)
class Known:
    """One flag as it was last heard of."""

    version: int
    stage: Stage
    rollout: int
    deleted: bool = False
    heard: int = field(default=0, compare=False)


Listener = Callable[[str], None]


class FlagCache:
    """The last known flags."""

    def __init__(self) -> None:
        """Know nothing yet: every answer is the default."""
        self._known: dict[str, Known] = {}
        self._heard = 0
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self.failures = 0
        """Announcements not understood, and listeners that raised."""

    def reads_new(self, flag: str, key: str | None = None, *, default: bool = False) -> bool:
        """Does this targeting key read the new tables?"""
        stage = self.stage(flag, key)
        return default if stage is None else reads_new(stage)

    def stage(self, flag: str, key: str | None = None) -> Stage | None:
        """The stage that counts for this key; None for a flag that is not known."""
        known = self._known.get(flag)
        if known is None or known.deleted:
            return None
        return effective(known.stage, known.rollout, flag, key)

    def version(self, flag: str) -> int:
        """The version that was last heard of, 0 for none."""
        known = self._known.get(flag)
        return 0 if known is None else known.version

    def subscribe(self, listener: Listener) -> None:
        """Call `listener(flag)` after each change; it should be quick, and what it raises ends here."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def begin(self) -> int:
        """Call this before a snapshot is read and hand the result to `replace`."""
        return self._heard

    def replace(self, rows: Iterable[tuple[str, int, str, int]], begun: int) -> None:
        """Take a snapshot in: rows of (flag, version, stage, rollout)."""
        with self._lock:
            merged = {flag: known for flag, known in self._known.items() if known.heard > begun}
            for flag, version, stage, rollout in rows:
                have = self._known.get(flag)
                if have is None or have.heard <= begun or have.version < version:
                    merged[flag] = Known(version, Stage(stage), rollout)
            changed = [flag for flag in merged.keys() | self._known.keys() if merged.get(flag) != self._known.get(flag)]
            self._known = merged
        self._tell(changed)

    def announce(self, payload: str) -> None:
        """Take an announcement in; one that is not understood is counted, the next snapshot will tell."""
        try:
            said = json.loads(payload)
            flag = str(said["flag"])
            new = Known(int(said["version"]), Stage(said["stage"]), int(said["rollout"]), bool(said["deleted"]))
        except (ValueError, KeyError, TypeError):
            self.failures += 1
            return
        with self._lock:
            have = self._known.get(flag)
            if have is not None and have.version >= new.version:
                return
            self._heard += 1
            self._known = {**self._known, flag: replace(new, heard=self._heard)}
        self._tell([flag])

    def _tell(self, changed: list[str]) -> None:
        for flag in changed:
            for listener in self._listeners:
                try:
                    listener(flag)
                except Exception:  # noqa: BLE001 - a listener's failure is its own affair, and no reader's
                    self.failures += 1
