"""The import contracts hold, and each of them would be noticed if it did not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

LINTER = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(folder)},
    )


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


MODULES = (
    *("orchestrator", "phases", "flags", "backfill", "orchestrator.settings"),
    *(
        "orchestrator.cli",
        "orchestrator.web",
        "orchestrator.demo",
        "orchestrator.jobs",
        "orchestrator.deploy",
        "orchestrator.engine",
        "orchestrator.plan",
    ),
    *("orchestrator.ledger", "orchestrator.mapping", "orchestrator.kernel", "orchestrator.observability"),
    *("phases.expand", "phases.dual_write", "phases.backfill", "phases.verify", "phases.contract"),
)


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The packages with nothing in them, under the real contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module in MODULES:
        (tmp_path / module.replace(".", "/")).mkdir(parents=True)
        (tmp_path / module.replace(".", "/") / "__init__.py").touch()
    return tmp_path


def test_the_skeleton_is_in_order(skeleton: Path) -> None:
    assert lint(skeleton).returncode == 0


@pytest.mark.parametrize(
    ("module", "imported", "contract"),
    [
        ("orchestrator.kernel", "orchestrator.mapping", "One direction"),
        ("orchestrator.mapping", "phases", "One direction"),
        ("backfill", "flags", "One direction"),
        ("orchestrator.plan", "orchestrator.ledger", "One direction"),
        ("phases.expand", "orchestrator.ledger", "One direction"),
        ("orchestrator.engine", "orchestrator.jobs", "One direction"),
        ("orchestrator.jobs", "orchestrator.demo", "One direction"),
        ("orchestrator.demo", "orchestrator.web", "One direction"),
        ("orchestrator.web", "orchestrator.cli", "One direction"),
        ("phases.expand", "phases.contract", "Phases do not know each other"),
        ("backfill", "orchestrator.observability", "Observability listens"),
        ("flags", "structlog", "Observability listens"),
        ("orchestrator.kernel", "prometheus_client", "Observability listens"),
        ("orchestrator.observability", "orchestrator.ledger", "Observability itself"),
        ("orchestrator.kernel", "orchestrator.settings", "Settings and the terminal"),
        ("phases.verify", "typer", "Settings and the terminal"),
    ],
)
def test_a_broken_contract_is_reported(skeleton: Path, module: str, imported: str, contract: str) -> None:
    (skeleton / module.replace(".", "/") / "__init__.py").write_text(f"import {imported}\n")
    done = lint(skeleton)
    assert done.returncode != 0
    broken = [row for row in done.stdout.splitlines() if row.endswith("BROKEN")]
    assert len(broken) == 1
    assert broken[0].startswith(contract)
