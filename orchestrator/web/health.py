"""`/healthz` and `/readyz`: is this process of any use, and is it at work?

With the flags served, a process whose flags are older than a limit is not healthy: what it answers is old. It is ready
when it knows them, and when the page, if it is served, can read the ledger.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from flags.answers import Answers

STALE_S: Final = 60.0
PATHS: Final = ("/healthz", "/readyz")


class Health:
    """What the two paths say."""

    def __init__(
        self, flags: Answers | None, *, stale_s: float = STALE_S, ledger: Callable[[], str | None] | None = None
    ) -> None:
        """`ledger` says why the ledger cannot be read, None if it can."""
        self._flags = flags
        self._stale_s = stale_s
        self._ledger = ledger

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        good, said = self._alive() if path == PATHS[0] else self._ready()
        return 200 if good else 503, json.dumps({"ok": good, **said}).encode() + b"\n"

    def _alive(self) -> tuple[bool, dict[str, Any]]:
        if self._flags is None:
            return True, {}
        age = self._flags.age
        return age is not None and age <= self._stale_s, {"age_s": age, "flags": len(self._flags.cache.flags())}

    def _ready(self) -> tuple[bool, dict[str, Any]]:
        if self._flags is not None and self._flags.age is None:
            return False, {"why": "the flags are not known yet"}
        why = None if self._ledger is None else self._ledger()
        return why is None, {} if why is None else {"why": why}
