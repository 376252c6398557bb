"""The manifests are held against the schemas of Kubernetes and put together by kubectl; no cluster is needed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # it brings no types
import pytest
import yaml

from orchestrator.deploy.kubernetes import files, phase_job, target_for, write
from orchestrator.deploy.pods import METRICS_PORT
from orchestrator.kernel.errors import UsageError
from orchestrator.plan.loader import load
from phases.registry import PHASES
from tests.architecture.source import ROOT
from tests.support.manifests import DEPLOY, documents, pods
from tests.support.tools import program

FOREIGN = {"PodMonitor", "PrometheusRule", "Kustomization"}


@pytest.mark.parametrize(("name", "document"), [pytest.param(n, d, id=n) for n, d in documents()])
def test_kubernetes_would_take_it(name: str, document: dict[str, Any]) -> None:
    if document["kind"] in FOREIGN:
        assert document["apiVersion"].count("/") == 1, name
        return
    kubernetes_validate.validate(document, "1.33", strict=True)


def test_a_kustomization_names_files_that_are_there() -> None:
    for path in (DEPLOY / "k8s").rglob("kustomization.yaml"):
        listed = yaml.safe_load(path.read_text())["resources"]
        assert all((path.parent / each).exists() for each in listed)


def test_what_selects_pods_finds_those_it_means() -> None:
    found = dict(documents())
    policy = found["k8s/example/network.yaml:NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items()
    monitor = found["k8s/monitoring/podmonitor.yaml:PodMonitor"]["spec"]
    (scraped,) = monitor["podMetricsEndpoints"]
    for name, pod in pods():
        labels, (container,) = pod["metadata"]["labels"].items(), pod["spec"]["containers"]
        assert policy <= labels, name
        listens = container["args"][0] == "run" or "--serve" in container["args"]
        assert (monitor["selector"]["matchLabels"].items() <= labels) is listens, f"{name}: scraped where it listens"
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", ())}
        assert (ports.get(scraped["port"]) == METRICS_PORT) is listens, name


def test_every_image_is_pinned_and_from_a_registry_that_is_named() -> None:
    for name, pod in pods():
        image = pod["spec"]["containers"][0]["image"]
        assert target_for("cqms", image), name
    for stranger in (
        "changeover:0.1.0",
        "changeover",
        "example.com/changeover",
        "example.com/changeover:latest",
        "a/b:1",
    ):
        with pytest.raises(UsageError, match="no pinned image"):
            target_for("cqms", stranger)


def test_nothing_is_patched_into_motion() -> None:
    """What is in git is in the cluster: a phase begins by being applied."""
    for name, document in documents():
        assert "suspend" not in document.get("spec", {}), name
    told = [path.read_text() for folder in ("deploy", "docs") for path in (ROOT / folder).rglob("*.md")]
    told += [path.read_text() for path in (DEPLOY / "k8s").rglob("*.yaml")]
    assert not [text for text in told if re.search(r"kubectl\b.* patch", text)]


def test_the_role_can_do_what_the_pages_tell_an_operator() -> None:
    role = dict(documents())["k8s/example/access.yaml:Role"]
    allowed = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    kinds = {document["kind"] for name, document in documents() if "/phases/" in name or "/clock/" in name}
    kinds |= {"ConfigMap", "Deployment"}
    wanted = {
        (f"{kind.lower()}s", verb) for kind in kinds for verb in ("get", "create", "patch")
    }  # what apply asks for
    page = (ROOT / "docs/operations/kubernetes.md").read_text()
    for verb, kind in re.findall(r"kubectl (?:-n \S+ )?(get|delete|logs|exec|watch) (?:-f )?(\w+)", page):
        need = {"logs": ("pods/log", "get"), "exec": ("pods/exec", "create")}
        wanted.add(need.get(verb, (f"{kind.rstrip('s')}s", verb)))
    assert wanted - allowed == set()
    assert len(wanted) > 10


def test_kustomize_puts_it_together(tmp_path: Path) -> None:
    for name in ("example", "monitoring"):
        assert kustomized(DEPLOY / "k8s" / name)
    target, plan = target_for("cqms", "registry.example.com/changeover:1")
    write(tmp_path, target, plan)
    listed = tmp_path / "kustomization.yaml"
    made = kustomized(tmp_path)
    assert not [d for d in made if d["kind"] == "CronJob" or d["metadata"]["name"].startswith("cqms-")]
    assert [d["spec"]["template"]["spec"]["containers"][0]["args"] for d in made if d["kind"] == "Job"] == [["init"]]
    listed.write_text(listed.read_text().replace("  # - ", "  - "))
    made = kustomized(tmp_path)
    asked = [tuple(d["spec"]["template"]["spec"]["containers"][0]["args"][:6]) for d in made if d["kind"] == "Job"]
    stages = [stage.stage for stage in plan.model.stages]
    wanted = {("run", phase, "--plan", "cqms", "--stage", stage) for stage in stages for phase in PHASES}
    assert set(asked) - {("init",)} == wanted, "a job per phase and stage"
    for document in made:
        assert document["kind"] == "Namespace" or document["metadata"]["namespace"] == "changeover"
        kubernetes_validate.validate(document, "1.33", strict=True)
    write(tmp_path, target, plan)
    assert "  - phases/audits-expand.yaml" in listed.read_text(), "what was let in stays let in"


def kustomized(folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run([program("kubectl"), "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def test_a_plan_of_ones_own_goes_along(tmp_path: Path) -> None:
    target, plan = target_for(str(ROOT / "orchestrator/plans/example"), "registry.example.com/changeover:1")
    made = {d["kind"]: d for documents in files(target, plan).values() for d in documents}
    (plan_map,) = files(target, plan)["plan.yaml"]
    assert made["ConfigMap"] == plan_map
    pod = phase_job(target, plan, "customers", "expand")["spec"]["template"]["spec"]
    (mount,) = [m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "plan"]
    assert mount["mountPath"] in pod["containers"][0]["args"]
    (volume,) = [v["configMap"] for v in pod["volumes"] if v["name"] == "plan"]
    for item in volume["items"]:
        path = tmp_path / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(plan_map["data"][item["key"]])
    assert load(str(tmp_path)).checksum == plan.checksum, "what is mounted is the plan"
    inside, _ = target_for(str(ROOT / "orchestrator/plans/example"), "registry.example.com/c:1", in_image="/plans/mine")
    assert "plan.yaml" not in files(inside, plan)
    assert (
        "/plans/mine"
        in phase_job(inside, plan, "customers", "expand")["spec"]["template"]["spec"]["containers"][0]["args"]
    )
