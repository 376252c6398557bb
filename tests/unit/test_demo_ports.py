"""A port is given to one process of ours only, and never twice."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from orchestrator.demo import ports

ASKED = """
from orchestrator.demo import ports
ports._RANGE = range({first}, {first} + 1)
ports._ATTEMPTS = 1
print(ports.free_port())
"""


def other(first: int) -> subprocess.CompletedProcess[str]:
    """Another process that may choose this port only."""
    command = [sys.executable, "-c", ASKED.format(first=first)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_one_process_was_given_no_other_is(monkeypatch: pytest.MonkeyPatch) -> None:
    port = ports.free_port()
    monkeypatch.setattr(ports, "_RANGE", range(port, port + 1))
    monkeypatch.setattr(ports, "_ATTEMPTS", 1)
    with pytest.raises(OSError, match="none is free"):
        ports.free_port()
    assert "none is free" in other(port).stderr


def test_a_port_that_somebody_listens_on_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(ports, "_RANGE", range(taken, taken + 1))
        monkeypatch.setattr(ports, "_ATTEMPTS", 1)
        with pytest.raises(OSError, match="none is free"):
            ports.free_port()
