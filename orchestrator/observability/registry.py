"""The registry of a process. Our own, so that two runs in one process do not collide."""

from __future__ import annotations

from prometheus_client import CollectorRegistry as Registry
from prometheus_client import generate_latest

__all__ = ["Registry", "new_registry", "render"]


def new_registry() -> Registry:
    """An empty one."""
    return Registry()


def render(registry: Registry) -> str:
    """Everything in it, as Prometheus reads it."""
    return generate_latest(registry).decode()
