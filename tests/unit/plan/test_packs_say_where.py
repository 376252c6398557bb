"""A pack's README says of each thing that was asked where it is; what it names is there."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import pytest

from orchestrator.plan.loader import load
from tests.architecture.source import ROOT

PACKS = ("solar", "umig", "dvc", "dvc_workflow")
ASKED = "## What was asked of it, and where it is"


def asked(pack: str) -> list[tuple[str, str]]:
    """The lines of the table."""
    text = files("orchestrator.plans").joinpath(f"{pack}/README.md").read_text(encoding="utf-8")
    lines = text.split(ASKED)[1].split("\n## ")[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return [(what, where) for what, where in rows[1:]]


@cache
def every_test() -> set[str]:
    """The names of all tests."""
    return {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def known(pack: str) -> set[str]:
    """Stages, checks, controls and lookups of the plan, by name."""
    stages = load(pack).model.stages
    return {
        name
        for stage in stages
        for name in (
            stage.stage,
            *(each.check for each in stage.checks),
            *(each.control for each in stage.controls),
            *(lookup for mapping in stage.mappings for lookup in mapping.lookups),
        )
    }


@pytest.mark.parametrize("pack", PACKS)
def test_what_a_readme_names_is_there(pack: str) -> None:
    folder, named, found = files("orchestrator.plans").joinpath(pack), known(pack), every_test()
    lines = asked(pack)
    assert len(lines) >= 7
    for what, where in lines:
        words = re.findall(r"`([^`]+)`", where)
        assert words or "left out" in where or "above" in where, what
        for word in words:
            if re.fullmatch(r"test_\w+", word):
                assert word in found, (what, word)
            elif re.fullmatch(r"[\w/]+\.(sql|yaml)", word):
                assert folder.joinpath(word).is_file(), (what, word)
            elif re.fullmatch(r"[a-z0-9_]+", word) and re.search(
                rf"\b(checks?|stages?|controls?|lookup)\b[^.;]*`{word}`", where
            ):
                assert word in named, (what, word)
