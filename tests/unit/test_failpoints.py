"""Failpoints act where, when and how the variable says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from orchestrator.kernel import failpoints
from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.failpoints import Armed, FailpointError, failpoint

PROGRAM = """
from orchestrator.kernel.failpoints import failpoint
try:
    for i in range(5):
        print(i, flush=True)
        failpoint("here")
finally:
    print("cleaned up", flush=True)
"""


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    failpoints.reset()


def test_unarmed_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(failpoints.VARIABLE, raising=False)
    failpoint("anything")


def test_raises_at_the_nth_passage_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failpoints.VARIABLE, "here:2=raise")
    failpoint("here")
    failpoint("elsewhere")
    with pytest.raises(FailpointError):
        failpoint("here")
    failpoint("here")


def test_kills_like_sigkill() -> None:
    env = os.environ | {failpoints.VARIABLE: "here:3"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("text", "armed"),
    [
        ("a.b", Armed("a.b", 1, "kill")),
        ("a:3", Armed("a", 3, "kill")),
        ("a=raise", Armed("a", 1, "raise")),
        ("a:2=kill", Armed("a", 2, "kill")),
    ],
)
def test_the_variable_is_read(text: str, armed: Armed) -> None:
    assert failpoints.parse(text) == armed


@pytest.mark.parametrize("text", ["", ":1", "a:0", "a:x", "a=explode"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        failpoints.parse(text)


def test_a_name_has_one_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "NAMES", {})
    assert failpoints.declare("x", "one") == "x"
    failpoints.declare("x", "one")
    with pytest.raises(ValueError, match="twice"):
        failpoints.declare("x", "another")
