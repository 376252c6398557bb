"""What a client knows about the flags, and how it answers without asking anybody.

All knowledge comes from snapshots (a SELECT), each of which replaces the one before, even by a lower version: after a
failover that lost a transaction all clients must agree with the database again. A NOTIFY only says that it is time for
the next one; anybody who may connect can send one, so nothing is taken from its text.

Answers are looked up in a dict that is replaced and never changed, so that any thread may ask at any time. What is not
known, or not understood, is the default: the old side.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from .evaluation import Answer, Known, Reason, explain, stage_of
from .override import override
from .rules import Context, RuleError, parse
from .stages import FAIL_SAFE, Side, Stage, reads_new

Listener = Callable[[str], None]
NOTHING: Final[Context] = MappingProxyType({})
_UNASKED: Final = object()
_MOST_NAMES: Final = 1000
"""Whoever may ask the server may invent names."""


class FlagCache:
    """The last known flags."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Know nothing yet: every answer is the default. `environment` may override flags, see `flags.override`."""
        self._known: dict[str, Known] = {}
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._environment = os.environ if environment is None else environment
        self._overrides: dict[str, Stage | None] = {}
        self.failures = 0
        """What was not understood, and listeners that raised."""

    def reads_new(
        self, flag: str, key: str | None = None, context: Context = NOTHING, *, default: bool = False
    ) -> bool:
        """Does this caller read the new tables? `default` answers for a flag that is not known."""
        stage = self.stage(flag, key, context)
        return self._fail_safe(flag, default=default) if stage is None else reads_new(stage)

    def stage(self, flag: str, key: str | None = None, context: Context = NOTHING) -> Stage | None:
        """The stage that counts for this caller; None for a flag that is not known."""
        stage = self._overrides.get(flag, _UNASKED)
        if stage is _UNASKED:
            stage = self.override(flag)
        if isinstance(stage, Stage):
            return stage
        known = self._known.get(flag)
        if known is None or known.deleted:
            return None
        try:
            return stage_of(known, flag, key, context)
        except Exception:  # noqa: BLE001 - a caller that nobody can make anything of, and never the application's error
            self.failures += 1
            return stage_of(known, flag, None, NOTHING)

    def answer(self, flag: str, key: str | None = None, context: Context = NOTHING, *, default: bool = False) -> Answer:
        """The same with its reason."""
        known = self._known.get(flag)
        version = 0 if known is None else known.version
        if (forced := self.override(flag)) is not None:
            return Answer(reads_new(forced), forced.value, Reason.STATIC, version, forced, overridden=True)
        if known is None or known.deleted:
            new = self._fail_safe(flag, default=default)
            return Answer(new, Side.NEW if new else Side.OLD, Reason.DEFAULT, version)
        try:
            stage, reason, rule = explain(known, flag, key, context)
        except Exception:  # noqa: BLE001 - as above
            self.failures += 1
            stage, reason, rule = explain(known, flag, None, NOTHING)
        return Answer(reads_new(stage), stage.value, reason, version, stage, rule)

    def override(self, flag: str) -> Stage | None:
        """What the environment says about a flag; it is looked up once, for as many names as an application has."""
        if flag in self._overrides:
            return self._overrides[flag]
        said = override(flag, self._environment)
        if len(self._overrides) < _MOST_NAMES:
            self._overrides = {**self._overrides, flag: said}
        return said

    def flags(self) -> list[str]:
        """The names of the flags there are."""
        return sorted(flag for flag, known in self._known.items() if not known.deleted)

    def version(self, flag: str) -> int:
        """The version that was last read, 0 for none."""
        known = self._known.get(flag)
        return 0 if known is None else known.version

    def rollout(self, flag: str) -> float:
        """The flag's own percentage, 0 for none."""
        known = self._known.get(flag)
        return 0.0 if known is None else float(known.rollout)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener(flag)` after each change; it should be quick, and what it raises ends here."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def forked(self) -> None:
        """In the child of a fork, where nobody is left to give a lock back."""
        self._lock = threading.Lock()

    def replace(self, rows: Iterable[Sequence[Any]]) -> bool:
        """Take a snapshot in: rows of (flag, version, stage, rollout, rules, deleted), the last two as far as known.

        True if anything is different now.
        """
        read = {flag: self._read(*values) for flag, *values in rows}
        with self._lock:
            before, self._known = self._known, read
        changed = [flag for flag in read.keys() | before.keys() if read.get(flag) != before.get(flag)]
        self._tell(changed)
        return bool(changed)

    def _read(self, version: int, stage: str, rollout: int, rules: Any = (), deleted: bool = False) -> Known:  # noqa: FBT001, FBT002 - a column
        known = Stage(stage)
        try:
            parsed = parse(json.loads(rules) if isinstance(rules, str) else list(rules))
        except RuleError:
            # From a newer program: nobody is let in whom these rules may keep out.
            self.failures += 1
            return Known(version, known, 0, (), deleted)
        return Known(version, known, rollout, parsed, deleted)

    def _fail_safe(self, flag: str, *, default: bool) -> bool:
        known = self._known.get(flag)
        return default or (known is not None and FAIL_SAFE[known.stage] is Side.NEW)

    def _tell(self, changed: list[str]) -> None:
        for flag in changed:
            for listener in self._listeners:
                try:
                    listener(flag)
                except Exception:  # noqa: BLE001 - a listener's failure is its own affair, and no reader's
                    self.failures += 1
