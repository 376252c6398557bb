"""Handing metrics to a Pushgateway, for jobs that are over before anybody scrapes them.

Two groups. What the process has counted goes under `instance="plan/stage/phase"`, so that a phase replaces its own last
push and no other. What the ledger says is true of all of them and goes under `instance="ledger"`, where each push
replaces the last: a failure that was mended by another phase would stand in its own group for ever. The group must not
be named by `plan`, `stage` and `phase` themselves: a Pushgateway puts those labels over the metrics' own, and refuses
the push because then several have the same name.

A gateway that does not answer, or an address that is none, costs a line in the log, never the job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import push_to_gateway

if TYPE_CHECKING:
    from orchestrator.kernel.events import Bus
    from orchestrator.observability.registry import Registry

_TIMEOUT_S: Final = 5.0


def push(url: str, counted: Registry, ledger: Registry, bus: Bus, *, of: str) -> None:
    """Push once; `of` names the process's work."""
    try:
        for instance, registry in ((of, counted), ("ledger", ledger)):
            group = {"instance": instance}
            push_to_gateway(url, job="changeover", registry=registry, grouping_key=group, timeout=_TIMEOUT_S)
    except Exception as exc:  # noqa: BLE001 - an address that cannot be parsed raises whatever it likes
        bus.emit("metrics.push_failed", error=str(exc))
