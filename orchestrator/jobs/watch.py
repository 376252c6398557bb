"""What watches a process: its traces, its log, and the metrics that `exporter` exports."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import orchestrator
from orchestrator.observability import traces
from orchestrator.observability.logs import LogListener, make_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orchestrator.kernel.events import Bus
    from orchestrator.settings import Settings

    Ids = Callable[[], Mapping[str, str]]


@contextmanager
def traced(settings: Settings, bus: Bus) -> Iterator[Ids]:
    """Trace the block, where the settings or the standard variables ask for it; gives a log line its ids."""
    wanted = settings.traces
    with traces.traced(
        os.environ, bus, endpoint=wanted.endpoint, batches=wanted.batches, version=orchestrator.__version__
    ) as ids:
        yield ids


@contextmanager
def watched(settings: Settings, bus: Bus, ids: Ids = dict, /, *, log: bool = True, **bound: Any) -> Iterator[None]:
    """Watch the block: log lines with `bound` on each, and metrics where a port or a Pushgateway is set."""
    with ExitStack() as stack:
        if log:
            logger = make_logger(settings.log.format, settings.log.level)
            stack.callback(bus.subscribe(LogListener(logger, ids, **bound)))
        if settings.metrics.port is not None or settings.metrics.push_url is not None:
            from orchestrator.jobs import exporter  # noqa: PLC0415 - see there

            stack.enter_context(exporter.counted(settings, bus, bound))
        yield
