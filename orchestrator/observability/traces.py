"""Whether there are traces, and where they go. Off unless somebody asks.

The standard variables ask: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or
OTEL_TRACES_EXPORTER=otlp; or CHANGEOVER_TRACES__ENDPOINT does. OTEL_SDK_DISABLED=true and OTEL_TRACES_EXPORTER=none
say no, whatever else is set. All the rest (headers, timeout, sampler, resource) the SDK reads from its own
variables. TRACEPARENT makes the run a part of a trace that somebody else has begun: so the phases of one migration,
each a process, stand in one trace.

The packages are large and not always installed, so nothing of them is imported before that is decided. What is wrong
with them, or with the collector, is told as `traces.refused` and `traces.export_failed` and costs the job nothing:
spans wait in a bounded queue, a thread sends them, and the end of a process waits for that thread a few seconds at
most.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orchestrator.kernel.events import Bus, Event

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN: Final = "http/protobuf"


class Decision(NamedTuple):
    """Whether traces are wanted, and why they cannot be had where they cannot."""

    on: bool
    refused: str = ""


def wanted(environ: Mapping[str, str], endpoint: str | None = None) -> Decision:
    """What the environment, and the endpoint of our own settings, say."""
    told = {name: value.strip() for name, value in environ.items() if name.startswith("OTEL_") and value.strip()}
    exporters = [each.strip() for each in told.get("OTEL_TRACES_EXPORTER", "").lower().split(",") if each.strip()]
    if told.get("OTEL_SDK_DISABLED", "").lower() == "true" or exporters == ["none"]:
        return Decision(on=False)
    if not (exporters or endpoint or any(name in told for name in _ENDPOINTS)):
        return Decision(on=False)
    if exporters and "otlp" not in exporters:
        return Decision(on=False, refused=f"OTEL_TRACES_EXPORTER={','.join(exporters)}: only otlp is spoken here")
    protocol = next((told[name] for name in _PROTOCOLS if name in told), _SPOKEN)
    if protocol != _SPOKEN:
        return Decision(on=False, refused=f"OTLP over {protocol}: only {_SPOKEN} is spoken here")
    return Decision(on=True)


@contextmanager
def traced(
    environ: Mapping[str, str], bus: Bus, *, endpoint: str | None, batches: float, version: str
) -> Iterator[Callable[[], Mapping[str, str]]]:
    """Trace the block where that is wanted; gives what tells a log line its `trace_id` and `span_id`.

    To be entered before anything subscribes that wants those ids.
    """
    decision = wanted(environ, endpoint)
    if not decision.on:
        with _telling(bus, decision.refused):
            yield dict
        return
    try:
        # The packages are large, and an extra: see above.
        from orchestrator.observability.otlp import Sender  # noqa: PLC0415
        from orchestrator.observability.spans import SpanListener, parent_of  # noqa: PLC0415

        sender = Sender(endpoint, version, bus)
    except Exception as exc:  # noqa: BLE001 - missing packages, a malformed variable: no reason not to migrate
        with _telling(bus, f"{type(exc).__name__}: {exc}"):
            yield dict
        return
    spans = SpanListener(sender.tracer, batches=batches, parent=parent_of(environ))
    unsubscribe = bus.subscribe(spans)
    error: str | None = None
    try:
        yield spans.ids
    except BaseException as exc:
        error = type(exc).__name__
        raise
    finally:
        unsubscribe()
        spans.close(error)
        sender.close()


@contextmanager
def _telling(bus: Bus, why: str) -> Iterator[None]:
    """Say why there are no traces as soon as anything is said: who listens may not have subscribed yet."""
    if not why:
        yield
        return

    def tell(_event: Event) -> None:
        unsubscribe()
        bus.emit("traces.refused", why=why)

    unsubscribe = bus.subscribe(tell)
    try:
        yield
    finally:
        unsubscribe()
