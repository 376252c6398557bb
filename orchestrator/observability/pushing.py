"""Handing metrics to a Pushgateway, for jobs that are over before anybody scrapes them.

The group is named by plan, stage and phase, so each phase replaces its own last push and no other. A gateway that
does not answer costs a line in the log, never the job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import push_to_gateway

if TYPE_CHECKING:
    from orchestrator.kernel.events import Bus
    from orchestrator.observability.registry import Registry

_TIMEOUT_S: Final = 5.0


def push(url: str, registry: Registry, bus: Bus, **group: str) -> None:
    """Push once."""
    try:
        push_to_gateway(url, job="changeover", registry=registry, grouping_key=group, timeout=_TIMEOUT_S)
    except OSError as exc:
        bus.emit("metrics.push_failed", error=str(exc))
