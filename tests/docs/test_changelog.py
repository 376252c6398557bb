"""The changelog has the usual form, and a dated section for the version at hand."""

from __future__ import annotations

import re

from orchestrator import __version__
from tests.architecture.source import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text()
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_every_version_has_a_date_and_the_one_at_hand_is_there() -> None:
    first, *versions = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert first == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions)
    assert versions[0].startswith(f"[{__version__}]")


def test_changes_have_a_kind() -> None:
    assert set(re.findall(r"^### (.+)$", TEXT, re.MULTILINE)) <= KINDS
