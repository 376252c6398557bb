"""The flags' figures: what an answer costs, and how soon a change is known. `python -m tests.bench.flags`.

Targets: an evaluation below 5 µs, one over HTTP below 0.4 ms of the server's CPU, a change seen by a listening client
within 50 ms at p99. Polling clients see it
within their interval, which is not measured here.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import socket
import statistics
import sys
import threading
import time
import timeit
from typing import TYPE_CHECKING, Any

from flags import store
from flags.cache import FlagCache
from flags.client import AsyncFlagClient
from flags.stages import Stage
from flags.store import By, Change
from flags.sync_client import FlagClient
from orchestrator.demo.ports import free_port
from orchestrator.demo.server import FAST, EmbeddedServer
from orchestrator.kernel.connections import connect, connect_rows
from orchestrator.ledger import schema
from tests.support.backend import Backend
from tests.support.cli import spawn
from tests.support.running import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = [{"name": "pilots", "if": {"tenant": ["acme", "apex"]}, "rollout": 100}]


def evaluation(number: int = 100_000) -> dict[str, float]:
    """Microseconds per answer, the best of five."""
    cache = FlagCache({})
    cache.replace([("ALL", 1, "live", 100), ("SOME", 1, "live", 37), ("RULED", 1, "live", 37, RULES)])
    context = {"tenant": "other"}
    asked: dict[str, Callable[[], object]] = {
        "everybody": lambda: cache.reads_new("ALL", "user-7"),
        "by percentage": lambda: cache.reads_new("SOME", "user-7"),
        "by rule": lambda: cache.reads_new("RULED", "user-7", context),
        "with its reason": lambda: cache.answer("RULED", "user-7", context),
    }
    return {name: min(timeit.repeat(ask, number=number, repeat=5)) / number * 1e6 for name, ask in asked.items()}


def propagation(dsn: str, changes: int = 300) -> dict[str, dict[str, float]]:
    """Milliseconds from the moment the change is sent to the moment a client answers by it."""
    with connect(dsn) as conn:
        schema.install(conn)
        conn.execute("INSERT INTO changeover.feature_flags (flag) VALUES ('F')")
        with FlagClient(lambda: connect(dsn, role="flags"), poll=60) as client:
            sync = _measure(conn, client.cache, changes)
        aside = _Aside(AsyncFlagClient(lambda: connect_rows(dsn, "flags"), poll=60))
        try:
            return {"sync": sync, "async": _measure(conn, aside.client.cache, changes)}
        finally:
            aside.close()


def over_http(dsn: str, requests: int = 3000) -> float:
    """Milliseconds of CPU that `flag serve` takes for an evaluation: of the process, so other load does not count."""
    port = free_port()
    process = spawn(dsn, "flag", "serve", "--port", str(port))
    try:
        body = json.dumps({"context": {"targetingKey": "user-7", "tenant": "acme"}})
        conn = http.client.HTTPConnection("127.0.0.1", port)
        eventually(lambda: _listens(port))
        backend = Backend(process.pid)
        before = 0.0
        for number in range(-500, requests):
            if number == 0:
                before = backend.cpu_us()
            conn.request("POST", "/ofrep/v1/evaluate/flags/F", body, {"Content-Type": "application/json"})
            conn.getresponse().read()
        return (backend.cpu_us() - before) / requests / 1000
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


class _Aside:
    """An async client in a thread of its own."""

    def __init__(self, client: AsyncFlagClient) -> None:
        self.client = client
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(client.start(), self._loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.client.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def _measure(conn: Any, cache: FlagCache, changes: int) -> dict[str, float]:
    known: dict[int, float] = {}

    def heard(flag: str) -> None:
        known.setdefault(cache.version(flag), time.perf_counter())

    cache.subscribe(heard)
    took = []
    for number in range(changes):
        begun = time.perf_counter()
        moved = store.set_flag(conn, "F", Change((Stage.LIVE, Stage.SHADOW)[number % 2]), By("bench"))
        until = begun + 5
        while moved.version not in known and time.perf_counter() < until:
            time.sleep(0.0005)
        took.append((known.get(moved.version, until) - begun) * 1000)
    return {"p50": statistics.median(took), "p99": statistics.quantiles(took, n=100)[98], "max": max(took)}


def main() -> None:
    """Measure and print, with an exit code that says whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    answers = evaluation()
    with EmbeddedServer(FAST) as server:
        server.create_database("flags", "template1")
        seen = propagation(server.owner_dsn("flags"))
        http_ms = over_http(server.owner_dsn("flags"))
    met = max(answers.values()) < 5 and http_ms < 0.4 and all(each["p99"] < 50 for each in seen.values())
    if given.json:
        sys.stdout.write(
            json.dumps({"evaluation_us": answers, "http_ms": http_ms, "propagation_ms": seen, "met": met}) + "\n"
        )
    else:
        for name, micros in answers.items():
            sys.stdout.write(f"evaluation, {name:<16} {micros:6.2f} µs\n")
        sys.stdout.write(f"over HTTP, CPU of the server {http_ms:6.3f} ms\n")
        for name, each in seen.items():
            figures = ", ".join(f"{what} {value:.1f}" for what, value in each.items())
            sys.stdout.write(f"propagation, {name:<15} {figures} ms\n")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
