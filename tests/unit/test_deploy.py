"""What lies in deploy/ is checked by real checkers where they are, and by what they would look at anyway.

`kubernetes-validate`, `check-jsonschema` (which brings the schema of compose files) and `dockerfile-parse` come with the
development packages, promtool, kubectl and systemd-analyze with the system (`make tools`). Not run here: a container
engine, a cluster, Grafana itself.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # it brings no types
import pytest
import yaml
from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped] # it brings no types

from orchestrator.kernel.errors import ChangeoverError
from orchestrator.observability.dashboard import PANELS, dashboard
from orchestrator.observability.metrics import RULES
from orchestrator.observability.state import FAMILIES, PREFIX
from orchestrator.plan.loader import load
from phases.registry import PHASES
from tests.architecture.source import ROOT
from tests.support.parsing import parse
from tests.support.tools import program

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
AGAIN = {1, 7}
"""Try again; no lock to be had. All other codes of the program mean that another attempt would end the same way."""
STOPPED = {130}
for _rule in RULES:
    KNOWN |= {_rule.name, f"{_rule.name}_total", f"{_rule.name}_bucket"}


def tool(name: str, *arguments: str) -> None:
    """Run a checker of the system."""
    done = subprocess.run([program(name), *arguments], cwd=DEPLOY, capture_output=True, text=True, check=False)
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


def exit_codes(kind: type[ChangeoverError] = ChangeoverError) -> set[int]:
    """Every code that an error of the program ends with."""
    return {kind.exit_code} | {code for each in kind.__subclasses__() for code in exit_codes(each)}


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of ours in deploy/, and where it stands."""
    for name, document in documents():
        pod = document["spec"]["template"]["spec"] if document["kind"] in {"Job", "Deployment"} else None
        if document["kind"] == "CronJob":
            pod = document["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for container in (pod or {}).get("containers", ()):
            yield name, [str(word) for word in container["args"]]
    for name, service in yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].items():
        if service["image"].startswith("changeover:"):
            yield f"compose.yaml:{name}", service["command"]
    for path in (DEPLOY / "systemd").iterdir():
        for line in re.findall(r"^ExecStart=/usr/bin/env changeover (.*)$", path.read_text(), re.MULTILINE):
            yield path.name, line.replace("${PHASE}", "expand").split()


@pytest.mark.parametrize(("where", "argv"), [pytest.param(w, a, id=f"{w} {' '.join(a)}") for w, a in commands()])
def test_every_command_is_one_of_the_program(where: str, argv: list[str]) -> None:
    parse(argv), where


def test_exit_codes_decide_as_the_program_means_them() -> None:
    same = exit_codes() - AGAIN - STOPPED
    assert same == {2, 3, 4, 5}
    specs = list(job_specs())
    assert len(specs) >= 5
    for spec in specs:
        rules = {
            tuple(r["onExitCodes"]["values"]): r["action"]
            for r in spec["podFailurePolicy"]["rules"]
            if "onExitCodes" in r
        }
        assert rules == {tuple(sorted(same)): "FailJob", tuple(STOPPED): "Ignore"}
        pod = spec["template"]["spec"]
        assert pod["restartPolicy"] == "Never"
        assert pod["terminationGracePeriodSeconds"] > 30
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False


def test_the_image_runs_without_root_and_can_be_asked() -> None:
    parser = DockerfileParser(str(DEPLOY / "Dockerfile"))
    steps = [[s["instruction"], s["value"]] for s in parser.structure if s["instruction"] != "COMMENT"]
    assert parser.is_multistage
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


def test_what_selects_pods_finds_ours() -> None:
    found = dict(documents())
    labels = {**found["k8s/base/exporter.yaml:Deployment"]["spec"]["template"]["metadata"]["labels"]}
    policy, monitor = found["k8s/base/network.yaml:NetworkPolicy"], found["k8s/base/podmonitor.yaml:PodMonitor"]
    pods = [spec["template"] for spec in job_specs()] + [found["k8s/base/exporter.yaml:Deployment"]["spec"]["template"]]
    for selector in (policy["spec"]["podSelector"], monitor["spec"]["selector"]):
        assert selector["matchLabels"].items() <= labels.items()
        assert all(selector["matchLabels"].items() <= pod["metadata"]["labels"].items() for pod in pods)
    ports = {port["name"]: port["containerPort"] for pod in pods for port in pod["spec"]["containers"][0]["ports"]}
    (scraped,) = monitor["spec"]["podMetricsEndpoints"]
    assert ports[scraped["port"]] in {each["port"] for each in policy["spec"]["ingress"][0]["ports"]}


def test_kustomize_puts_it_together() -> None:
    done = subprocess.run(
        [program("kubectl"), "kustomize", DEPLOY / "k8s/overlays/example"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = list(yaml.safe_load_all(done.stdout))
    kinds = [document["kind"] for document in made]
    assert kinds.count("CronJob") == 4
    asked = {tuple(d["spec"]["template"]["spec"]["containers"][0]["args"][:6]) for d in made if d["kind"] == "Job"}
    stages = [stage.stage for stage in load("cqms").model.stages]
    wanted = {("run", phase, "--plan", "cqms", "--stage", stage) for stage in stages for phase in PHASES}
    assert asked == wanted, "a job per phase and stage"
    waiting = [d["metadata"]["name"] for d in made if d["kind"] == "Job" and not d["spec"]["suspend"]]
    assert waiting == [f"{stages[0]}-{next(iter(PHASES))}"], "the first begins, the others wait for a person"
    for document in made:
        assert document["kind"] == "Namespace" or document["metadata"]["namespace"] == "changeover"
        if document["kind"] not in FOREIGN:
            kubernetes_validate.validate(document, "1.33", strict=True)
    assert "image: changeover:" in done.stdout


def test_compose_would_take_it() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(checker, cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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


def test_prometheus_understands_every_panel(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": query} for number, (_, query, _) in enumerate(PANELS)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    tool("promtool", "check", "rules", str(tmp_path / "panels.yml"))


def test_alerts_and_dashboard_use_metrics_that_exist() -> None:
    queries = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]] + [
        query for _, query, _ in PANELS
    ]
    used = {name for query in queries for name in re.findall(r"changeover_\w+", query)}
    assert used - KNOWN == set()


def test_the_dashboard_is_the_one_that_the_code_makes() -> None:
    assert json.loads((DEPLOY / "grafana/changeover.json").read_text()) == dashboard()


def test_the_unit_knows_the_exit_codes() -> None:
    tool("systemd-analyze", "verify", "systemd/changeover@.service", "systemd/changeover-drain.service")
    text = (DEPLOY / "systemd/changeover@.service").read_text()
    assert "RestartPreventExitStatus=2 3 4 5" in text
    assert "SuccessExitStatus=130" in text
