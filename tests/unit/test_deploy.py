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

import pytest
import yaml
from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped] # it brings no types

from orchestrator.kernel.errors import ChangeoverError
from orchestrator.observability.dashboard import PANELS, dashboard
from orchestrator.observability.metrics import RULES
from orchestrator.observability.state import FAMILIES, PREFIX
from tests.architecture.source import ROOT
from tests.support.manifests import DEPLOY, documents, job_specs, tool
from tests.support.parsing import parse

ALERTS = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())
RULE_NAMES = [rule["alert"] for group in ALERTS["groups"] for rule in group["rules"]]
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
        assert spec["activeDeadlineSeconds"] > 0, "a Job that hangs ends"
        assert spec["ttlSecondsAfterFinished"] > 0, "a Job that has ended goes"


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
    rules = [{"record": f"panel:{number}", "expr": panel.query} for number, panel in enumerate(PANELS)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    tool("promtool", "check", "rules", str(tmp_path / "panels.yml"))


def test_alerts_and_dashboard_use_metrics_that_exist() -> None:
    queries = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]] + [
        panel.query for panel in PANELS
    ]
    used = {name for query in queries for name in re.findall(r"changeover_\w+", query)}
    assert used - KNOWN == set()


def test_the_dashboard_is_the_one_that_the_code_makes() -> None:
    assert json.loads((DEPLOY / "grafana/changeover.json").read_text()) == dashboard()


def test_what_several_export_alike_counts_once() -> None:
    """Two processes that export the ledger double neither an alert nor a panel."""
    queries = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]
    for query in queries + [panel.query for panel in PANELS]:
        for name in FAMILIES:
            for found in re.finditer(rf"\b{PREFIX}{name}\b", query):
                before = query[: found.start()].rstrip()
                assert re.search(r"(max(?: by \([\w, ]+\))? ?\(|absent\()$", before), f"{name} in {query}"


def test_every_panel_has_a_unit_and_the_phases_are_marked() -> None:
    made = dashboard()
    for panel in made["panels"]:
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    assert {"stat", "timeseries"} == {panel["type"] for panel in made["panels"]}
    assert {"plan", "stage"} <= {variable["name"] for variable in made["templating"]["list"]}
    assert made["annotations"]["list"][0]["expr"]
    assert made["links"]
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in made["panels"]]
    assert len(set(places)) == len(places), "none lies over another"


UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MOST_EXPOSED = "30"
"""Tenths: `systemd-analyze security` says 3.0 at most."""


@pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
def test_a_unit_may_do_no_more_than_it_needs(unit: Path) -> None:
    tool("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(unit))


def test_a_unit_that_may_do_more_would_be_noticed(tmp_path: Path) -> None:
    unit = tmp_path / "changeover-loose.service"
    lines = (DEPLOY / "systemd/changeover-drain.service").read_text().splitlines()
    unit.write_text(
        "\n".join(line for line in lines if not re.match(r"(Protect|Restrict|Private|SystemCall|Capab)", line))
    )
    with pytest.raises(AssertionError):
        tool("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(unit))


def test_the_unit_knows_the_exit_codes() -> None:
    tool(
        "systemd-analyze",
        "verify",
        "systemd/changeover@.service",
        *(f"systemd/changeover-{name}.service" for name in ("drain", "refresh@")),
    )
    text = (DEPLOY / "systemd/changeover@.service").read_text()
    assert "RestartPreventExitStatus=2 3 4 5" in text
    assert "SuccessExitStatus=130" in text
