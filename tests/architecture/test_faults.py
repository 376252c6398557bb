"""Every kind of fault that was ever found has tests, and they are there."""

from __future__ import annotations

import re
from functools import cache

from tests.architecture.source import ROOT

LISTED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
KINDS = 48  # of fifty cases; two of them are seen by the test of a neighbour


@cache
def _tests(path: str) -> frozenset[str]:
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", (ROOT / "tests" / path).read_text(), re.MULTILINE))


def test_each_test_that_is_named_is_there() -> None:
    text = (ROOT / "tests" / "FAULTS.md").read_text()
    named = LISTED.findall(text)
    assert [f"{path}::{name}" for path, name in named if name not in _tests(path)] == []


def test_each_kind_has_one() -> None:
    first, _, _ = (ROOT / "tests" / "FAULTS.md").read_text().partition("Found since")
    rows = [line for line in first.splitlines() if line.startswith("| ") and not line.startswith(("| kind", "|--"))]
    assert len(rows) >= KINDS
    assert [row for row in rows if not LISTED.search(row) and "the same test" not in row] == []
