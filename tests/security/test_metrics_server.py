"""Who asks a job for its metrics gets at nothing else of it: not its threads, and not its log."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from orchestrator.observability import server
from tests.support.running import eventually

MOST = 8


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(server, "_REQUEST_S", 0.5)
    monkeypatch.setattr(server, "_MOST_REQUESTS", MOST)
    made = server.Server("127.0.0.1", 0, CollectorRegistry(), server.Health(ready=True))
    made.start()
    yield made.port
    made.close()


def _asks(port: int, said: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(said)
    return client


def _status(port: int) -> int:
    asker = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    asker.request("GET", "/healthz")
    return asker.getresponse().status


def test_a_client_that_breaks_off_leaves_no_line(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    for said in (b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: x\r\n", b"\x00\xff\r\n\r\n"):
        client = _asks(port, said)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, and no farewell
        client.close()
    assert _status(port) == 200
    eventually(lambda: not [t for t in threading.enumerate() if "process_request_thread" in t.name])
    assert capfd.readouterr() == ("", "")


def test_those_who_say_nothing_take_a_bounded_number_of_threads(port: int) -> None:
    before = threading.active_count()
    silent = [_asks(port, b"G") for _ in range(3 * MOST)]
    assert threading.active_count() - before <= 2 * MOST  # each with its clock
    # Also who sends a letter now and then is cut in the end; others are answered again.
    assert silent[0].recv(1) == b""
    eventually(lambda: _answered(port))
    for client in silent:
        client.close()


def _answered(port: int) -> bool:
    try:
        return _status(port) == 200
    except OSError:
        return False
