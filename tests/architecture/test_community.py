"""What GitHub and pre-commit read has the form that they read, and does what the Makefile has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.architecture.source import ROOT

SCHEMAS = {
    ".github/workflows/*.yml": "vendor.github-workflows",
    ".github/ISSUE_TEMPLATE/[!c]*.yml": "vendor.github-issue-forms",
    ".github/ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
    ".github/dependabot.yml": "vendor.dependabot",
}
SUPPORTED = ["14", "15", "16", "17", "18"]
FOUND = [(path, schema) for pattern, schema in SCHEMAS.items() for path in sorted(ROOT.glob(pattern))]


def check(path: Path, schema: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("path", "schema"), FOUND, ids=[path.name for path, _ in FOUND])
def test_it_has_the_form_that_github_reads(path: Path, schema: str) -> None:
    done = check(path, schema)
    assert done.returncode == 0, done.stdout


def test_another_form_would_be_noticed(tmp_path: Path) -> None:
    wrong = tmp_path / "ci.yml"
    wrong.write_text((ROOT / ".github/workflows/ci.yml").read_text().replace("runs-on:", "runs_on:"))
    assert check(wrong, "vendor.github-workflows").returncode != 0


def test_the_workflows_run_what_the_makefile_has_on_every_postgresql() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    steps = []
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        jobs = yaml.safe_load(path.read_text())["jobs"]
        assert all(job["timeout-minutes"] for job in jobs.values())
        steps += [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    called = {name for step in steps for name in re.findall(r"^make ([a-z]+)", step, re.MULTILINE)}
    assert called == {"check", "docs", "test", "soak"}
    assert called <= targets
    matrix = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["postgresql"] == SUPPORTED
    assert f"{SUPPORTED[0]} to {SUPPORTED[-1]} are supported" in (ROOT / "README.md").read_text()


def test_the_hooks_call_what_is_installed() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    for hook in hooks:
        program, *rest = hook["entry"].split()
        assert program.startswith(".venv/bin/")
        assert Path(sys.executable).with_name(Path(program).name).exists()
        assert all((ROOT / each).exists() for each in rest if each.startswith("tests/"))
