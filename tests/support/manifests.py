"""What lies in deploy/k8s, document by document, and the checkers of the system."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import yaml

from tests.architecture.source import ROOT
from tests.support.tools import program

DEPLOY = ROOT / "deploy"


def tool(name: str, *arguments: str) -> None:
    """Run a checker of the system."""
    done = subprocess.run([program(name), *arguments], cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((DEPLOY / "k8s").rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield f"{path.relative_to(DEPLOY)}:{document['kind']}", document


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod template, and where it stands."""
    for name, document in documents():
        match document["kind"]:
            case "Job" | "Deployment":
                yield name, document["spec"]["template"]
            case "CronJob":
                yield name, document["spec"]["jobTemplate"]["spec"]["template"]


def job_specs() -> Iterator[dict[str, Any]]:
    for _, document in documents():
        if document["kind"] == "Job":
            yield document["spec"]
        elif document["kind"] == "CronJob":
            yield document["spec"]["jobTemplate"]["spec"]
