"""What lies in deploy/ is checked by real checkers where they are, and by what they would look at anyway.

`kubernetes-validate` comes with the development packages. promtool and systemd-analyze come with the system: where
they are missing, the same files are still read, and every metric, command and exit code in them is held against the
program. Not run here: a container engine, a cluster, Grafana itself.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # it brings no types
import pytest
import yaml

from orchestrator.observability.dashboard import PANELS, dashboard
from orchestrator.observability.metrics import RULES
from orchestrator.observability.state import FAMILIES, PREFIX
from tests.architecture.source import ROOT

# A check that was not possible shows among the warnings; it neither fails nor passes in silence.
pytestmark = pytest.mark.filterwarnings("default::pytest.PytestWarning")

DEPLOY = ROOT / "deploy"
ALERTS = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())
RULE_NAMES = [rule["alert"] for group in ALERTS["groups"] for rule in group["rules"]]
FOREIGN = {"PodMonitor", "Kustomization"}
KNOWN = {PREFIX + name + ("_total" if family.counter else "") for name, family in FAMILIES.items()} | {
    "changeover_ledger_readable",
    "changeover_build_info",
    "changeover_throttled",
    "changeover_throttle_seconds_total",
}
for _rule in RULES:
    KNOWN |= {_rule.name, f"{_rule.name}_total", f"{_rule.name}_bucket"}


def tool(name: str, *arguments: str) -> None:
    """Run a checker of the system; say so where it is not there."""
    path = shutil.which(name)
    if path is None:
        warnings.warn(pytest.PytestWarning(f"{name} is not installed: its check was not possible here"), stacklevel=2)
        return
    done = subprocess.run([path, *arguments], cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((DEPLOY / "k8s").rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield f"{path.relative_to(DEPLOY)}:{document['kind']}", document


def job_specs() -> Iterator[dict[str, Any]]:
    for _, document in documents():
        if document["kind"] == "Job":
            yield document["spec"]
        elif document["kind"] == "CronJob":
            yield document["spec"]["jobTemplate"]["spec"]


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


def test_exit_codes_decide_as_the_program_means_them() -> None:
    specs = list(job_specs())
    assert len(specs) >= 5
    for spec in specs:
        rules = {
            tuple(r["onExitCodes"]["values"]): r["action"]
            for r in spec["podFailurePolicy"]["rules"]
            if "onExitCodes" in r
        }
        assert rules == {(2, 3, 4, 5): "FailJob", (130,): "Ignore"}
        pod = spec["template"]["spec"]
        assert pod["restartPolicy"] == "Never"
        assert pod["terminationGracePeriodSeconds"] > 30
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False


def test_the_image_runs_without_root_and_can_be_asked() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    steps = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith(("#", " "))]
    words = {step[0] for step in steps}
    assert words <= {
        "FROM",
        "WORKDIR",
        "ENV",
        "COPY",
        "RUN",
        "USER",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    final = steps[max(n for n, step in enumerate(steps) if step[0] == "FROM") :]
    assert ["USER", "10001:10001"] in final
    assert any(step[0] == "HEALTHCHECK" and "/healthz" in step[1] for step in final)
    for step in steps:
        if step[0] == "FROM":
            assert re.fullmatch(r"[a-z]+:[\w.-]+( AS \w+)?", step[1]), "a plain image with a tag"
        if step[0] in {"ENTRYPOINT", "CMD"}:
            assert json.loads(step[1])
        if step[0] == "COPY" and "--from" not in step[1]:
            assert all((ROOT / each).exists() for each in step[1].split()[:-1])


def test_compose_mounts_what_is_there() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert {"database", "exporter", "demo", "prometheus", "grafana"} <= services.keys()
    for service in services.values():
        assert re.fullmatch(r"[a-z/]+:v?[\d.]+", service["image"])
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (DEPLOY / source).exists()


def test_the_alerts_fire_when_they_should() -> None:
    tool("promtool", "check", "rules", "prometheus/alerts.yml")
    tool("promtool", "check", "config", "prometheus/prometheus.yml")
    tool("promtool", "test", "rules", "prometheus/alerts_test.yml")
    tested = {
        each["alertname"]
        for test in yaml.safe_load((DEPLOY / "prometheus/alerts_test.yml").read_text())["tests"]
        for each in test["alert_rule_test"]
        if each.get("exp_alerts")
    }
    assert tested == set(RULE_NAMES)


def test_every_alert_has_a_runbook_with_a_command_and_a_way_back() -> None:
    books = {path.stem: path.read_text() for path in (DEPLOY / "runbooks").glob("*.md")}
    assert books.keys() == set(RULE_NAMES)
    for name, text in books.items():
        assert all(part in text for part in ("## What it means", "## What to look at", "## What to do")), name
        assert "`changeover " in text, name
        assert "rollback" in text or "flag set" in text, name


def test_alerts_and_dashboard_use_metrics_that_exist() -> None:
    queries = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]] + [
        query for _, query, _ in PANELS
    ]
    used = {name for query in queries for name in re.findall(r"changeover_\w+", query)}
    assert used - KNOWN == set()


def test_the_dashboard_is_the_one_that_the_code_makes() -> None:
    assert json.loads((DEPLOY / "grafana/changeover.json").read_text()) == dashboard()


def test_the_unit_knows_the_exit_codes() -> None:
    tool("systemd-analyze", "verify", "systemd/changeover@.service", "systemd/changeover-settle.service")
    text = (DEPLOY / "systemd/changeover@.service").read_text()
    assert "RestartPreventExitStatus=2 3 4 5" in text
    assert "SuccessExitStatus=130" in text
