"""The manifests of the example and the alerts as the Prometheus operator reads them, made from their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from orchestrator import __version__
from orchestrator.deploy import kubernetes
from tests.architecture.source import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE: Final = f"registry.example.com/changeover:{__version__}"
HEAD: Final = "# Made by `make reference`.\n"


def example() -> dict[str, Callable[[], str]]:
    """Every file of `changeover deploy k8s examples/tickets`, by its path here."""
    target, loaded = kubernetes.target_for(str(ROOT / "examples/tickets"), IMAGE)
    made = kubernetes.files(target, loaded)
    pages = {name: kubernetes.text(documents) for name, documents in made.items()}
    pages["kustomization.yaml"] = kubernetes.kustomization(target, made)
    return {f"deploy/k8s/example/{name}": lambda text=text: HEAD + text for name, text in pages.items()}  # type: ignore[misc]


def rules() -> str:
    """The alerts as a PrometheusRule."""
    groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    made = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "changeover", "labels": {"app.kubernetes.io/name": "changeover"}},
        "spec": {"groups": groups},
    }
    return HEAD + yaml.safe_dump(made, sort_keys=False, width=120, allow_unicode=True)
