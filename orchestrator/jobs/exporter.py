"""What exports metrics: those that a job counts, and the ledger's state, to a port or a Pushgateway.

`watch` imports it where one of them is set: most jobs have neither, and begin sooner without it.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import orchestrator
from orchestrator.jobs.reading import Reader
from orchestrator.observability.metrics import MetricsListener
from orchestrator.observability.pushing import push
from orchestrator.observability.registry import Registry, joined, new_registry, render
from orchestrator.observability.server import Health, Server
from orchestrator.observability.state import LedgerState
from orchestrator.observability.throttling import Throttling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.kernel.events import Bus
    from orchestrator.settings import Settings


@contextmanager
def counted(settings: Settings, bus: Bus, bound: dict[str, Any]) -> Iterator[None]:
    """Count the block's events and export them: to the port, to the Pushgateway, or to both."""
    with ExitStack() as stack:
        plan, stage = str(bound.get("plan", "")), str(bound.get("stage", ""))
        throttling = Throttling(plan=plan, stage=stage)
        registry = new_registry(throttling)
        stack.callback(bus.subscribe(MetricsListener(registry, plan=plan, stage=stage)))
        stack.callback(bus.subscribe(throttling))
        state = _state(settings, stack)
        ledger = new_registry(state)
        if settings.metrics.push_url is not None:
            stack.callback(push, settings.metrics.push_url, registry, ledger, bus, of="/".join(bound.values()))
            # A scrape a moment ago saw the phase running; what is pushed stays.
            stack.callback(state.forget)
        if settings.metrics.port is not None:
            health = Health()
            stack.callback(bus.subscribe(health.hear))
            _serve(settings, bus, joined(registry, ledger), health, stack)
        yield


@contextmanager
def exported(settings: Settings, bus: Bus) -> Iterator[int]:
    """Serve the ledger's state for the time of the block, without a job; the port."""
    with ExitStack() as stack:
        yield _serve(settings, bus, new_registry(_state(settings, stack)), Health(ready=True), stack)


@contextmanager
def registered(settings: Settings) -> Iterator[Registry]:
    """The ledger's state as a registry, for whoever serves it."""
    with ExitStack() as stack:
        yield new_registry(_state(settings, stack))


def once(settings: Settings) -> str:
    """The ledger's state as text."""
    with ExitStack() as stack:
        return render(new_registry(_state(settings, stack)))


def _state(settings: Settings, stack: ExitStack) -> LedgerState:
    reader = Reader(settings.require_dsn())
    stack.callback(reader.close)
    return LedgerState(reader, orchestrator.__version__)


def _serve(settings: Settings, bus: Bus, registry: Registry, health: Health, stack: ExitStack) -> int:
    server = Server(settings.metrics.host, settings.metrics.port or 0, registry, health)
    server.start()
    stack.callback(server.close)
    bus.emit("metrics.listening", host=settings.metrics.host, port=server.port)
    return server.port
