"""The registry of a process. Our own, so that two runs in one process do not collide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry as Registry
from prometheus_client import generate_latest
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

__all__ = ["Registry", "joined", "new_registry", "render"]


def new_registry(*collectors: Collector) -> Registry:
    """One with these collectors; they are asked when somebody reads, not now."""
    registry = Registry()
    for each in collectors:
        registry.register(each)
    return registry


def joined(*registries: Registry) -> Registry:
    """All of them as one, to be read in their order."""
    return new_registry(_Joined(registries))


def render(registry: Registry) -> str:
    """Everything in it, as Prometheus reads it."""
    return generate_latest(registry).decode()


class _Joined(Collector):
    """What several registries have."""

    def __init__(self, registries: tuple[Registry, ...]) -> None:
        self._registries = registries

    def collect(self) -> Iterator[Metric]:
        for each in self._registries:
            yield from each.collect()

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not read."""
        return iter(())
