"""Sending spans to a collector: OTLP over HTTP, by the SDK's own batching thread.

Imported only where traces are on. The SDK tells its troubles to Python's logging, where they would stand among JSON
lines as plain text: they become events. Its own shutdown may take half a minute when the collector hangs; ours waits
for a few seconds and leaves the rest to be lost with the process.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from orchestrator.kernel.events import Bus

_LAST_S: Final = 5.0
_EVERY_S: Final = 30.0


class Sender:
    """The exporter of a process, with its thread."""

    def __init__(self, endpoint: str | None, version: str, bus: Bus) -> None:
        """Where `endpoint` is not given, the SDK reads it from its own variables."""
        ours = {"service.name": "changeover", "service.version": version}
        # What the environment says of the service wins.
        resource = Resource.create(ours).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
        self.tracer: Tracer = self._provider.get_tracer("changeover", version)
        self._troubles = _Troubles(bus)
        self._logger = logging.getLogger("opentelemetry")
        self._propagated, self._logger.propagate = self._logger.propagate, False
        self._logger.addHandler(self._troubles)

    def close(self) -> None:
        """Send what waits, for a few seconds at most."""
        last = threading.Thread(target=self._provider.shutdown, name="changeover-traces-end", daemon=True)
        last.start()
        last.join(_LAST_S)
        self._logger.removeHandler(self._troubles)
        self._logger.propagate = self._propagated


class _Troubles(logging.Handler):
    """What the SDK logs, as an event every so often."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(logging.WARNING)
        self._bus = bus
        self._next = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next = now + _EVERY_S
            self._bus.emit("traces.export_failed", error=record.getMessage())
