"""Events: how the core says what it does, without knowing who listens.

The core emits, the edges log and count: structlog and prometheus_client are known to
`orchestrator.observability` only. A listener must never be able to stop a migration, so its exceptions
end here; they are counted in `Bus.failures`, because silence would hide a broken metric for ever.
Listeners are called at once, in the emitting thread, and should be quick.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a dotted `kind` (`batch.committed`) and its plain values."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]


class Bus:
    """Hands each event to every listener. Safe to use from several threads."""

    def __init__(self) -> None:
        """Start with no listener: a bus nobody listens to is the normal case in tests."""
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self.failures = 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the returned function takes it away again."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return unsubscribe

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Tell every listener that `kind` happened."""
        event = Event(kind, fields)
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # noqa: BLE001 - any failure of an observer is its own affair, see above
                with self._lock:
                    self.failures += 1
