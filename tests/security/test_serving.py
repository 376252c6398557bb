"""`flag serve` against somebody who has no token: he holds connections, sends slowly, sends nonsense, and is a line of the log."""

from __future__ import annotations

import http.client
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flags.client import AsyncFlagClient
from orchestrator.demo.ports import free_port
from orchestrator.kernel.connections import connect_rows
from orchestrator.kernel.events import Bus, Event
from orchestrator.ledger import schema
from orchestrator.web.app import flags_only
from orchestrator.web.bounds import Bounds, Refusals, listen, server
from tests.support.cli import Cli, spawn
from tests.support.database import Database
from tests.support.running import PATIENCE, eventually

if TYPE_CHECKING:
    import asyncpg

FLAG = "READ_NEW_ORDERS"
TOKEN = "kJ7-open-sesame"
AUTH = f"Authorization: Bearer {TOKEN}\r\n".encode()
PATH = f"/ofrep/v1/evaluate/flags/{FLAG}"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode()


@pytest.fixture
def flagged(database: Database) -> Database:
    conn = database.connect()
    schema.install(conn)
    conn.execute("INSERT INTO changeover.feature_flags (flag, stage) VALUES (%s, 'shadow')", (FLAG,))
    return database


@contextmanager
def _serving(
    database: Database, *, bounds: Bounds, body_s: float = 0.5, down: threading.Event | None = None
) -> Iterator[tuple[int, list[Event]]]:
    heard: list[Event] = []
    bus = Bus()
    bus.subscribe(heard.append)
    refusals = Refusals(bus)

    async def connect_if_up() -> asyncpg.Connection:
        if down is not None and down.is_set():
            raise OSError
        return await connect_rows(database.dsn, "flags")

    client = AsyncFlagClient(connect_if_up, poll=0.3)
    app = flags_only(client, tokens=[TOKEN], stale_s=1.5, body_s=body_s, refusals=refusals)
    with listen("127.0.0.1", 0) as sock:
        running = server(app, bounds, refusals)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            eventually(lambda: running.started)
            yield int(sock.getsockname()[1]), heard
        finally:
            running.should_exit = True
            thread.join(60)


def _open(port: int, data: bytes = b"") -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    sock.sendall(data)
    return sock


def _closed(sock: socket.socket) -> bool:
    """The server has closed it, after whatever it has said; then so do we."""
    with sock:
        try:
            while sock.recv(4096):
                pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True


def _ask(port: int, body: bytes = b"{}", token: str = TOKEN) -> int:
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        conn.request("POST", PATH, body, {"Authorization": f"Bearer {token}"})
        return conn.getresponse().status
    finally:
        conn.close()


def _why(heard: list[Event]) -> list[str]:
    assert {event.kind for event in heard} <= {"flag.request_refused"}
    return [str(event.fields["why"]) for event in heard]


def test_who_says_nothing_or_says_it_slowly_is_cut_off(flagged: Database) -> None:
    with _serving(flagged, bounds=Bounds(connections=20, head_s=1.5, request_s=PATIENCE)) as (port, heard):
        silent, slow_head = _open(port), _open(port, b"POST /")
        slow_body = _open(port, HEAD + AUTH + b"Content-Length: 100\r\n\r\n{")
        with suppress(ConnectionError):
            while _why(heard).count("no request came in time") < 2:
                slow_head.sendall(b"x")  # a letter now and then does not help
                time.sleep(0.1)
        assert all(_closed(sock) for sock in (silent, slow_head))
        assert b"408" in slow_body.recv(100)
        assert _closed(slow_body)
        # A second request on a kept connection has a clock, too.
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        kept.request("POST", PATH, b"{}", {"Authorization": f"Bearer {TOKEN}"})
        assert kept.getresponse().read()
        assert kept.sock is not None
        kept.sock.sendall(b"POST /slow")
        assert _closed(kept.sock)
        kept.close()
        eventually(lambda: _why(heard).count("no request came in time") == 3)
        assert _ask(port) == 200
        assert "The body took longer than 0.5 s." in _why(heard)


def test_connections_that_wait_keep_nobody_out(flagged: Database) -> None:
    with _serving(flagged, bounds=Bounds(connections=5, head_s=30)) as (port, heard), ExitStack() as stack:
        held = [stack.enter_context(_open(port, b"POST /"[:number])) for number in range(5)]
        assert _ask(port) == 200
        eventually(lambda: len(select.select(held, [], [], 0)[0]) == 1)  # one that waits has made room
        assert "there are 5 connections already" in _why(heard)
        # They come again and again, and still who asks is answered.
        for _ in range(3):
            stack.enter_context(_open(port))
            assert _ask(port) == 200


def test_one_connection_too_many_is_closed_while_all_are_answered(flagged: Database) -> None:
    slow = HEAD + AUTH + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with _serving(flagged, bounds=Bounds(connections=3), body_s=PATIENCE) as (port, heard), ExitStack() as stack:
        held = [stack.enter_context(_open(port, slow)) for _ in range(3)]
        for sock in held:
            assert b"100 Continue" in sock.recv(100), "its body is awaited"
        assert _closed(_open(port))
        assert "there are 3 connections already" in _why(heard)
        for sock in held:
            sock.sendall(b"{}")
            assert b"200" in sock.recv(100)
        assert _ask(port) == 200


def test_a_broken_request_is_a_line(flagged: Database) -> None:
    with _serving(flagged, bounds=Bounds(), body_s=PATIENCE) as (port, heard):
        assert _closed(_open(port, b"\x16\x03\x01 no HTTP at all\r\n\r\n"))
        assert _ask(port, b"{") == 400
        assert _ask(port, token="wrong") == 401
        # The server says 100 when it has the head and waits for the body.
        with _open(port, HEAD + AUTH + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n{") as gone:
            assert b"100" in gone.recv(100)
        eventually(lambda: len(heard) == 4)
        assert _why(heard) == [
            "it is no HTTP request",
            "The body is no JSON.",
            "A token is needed.",
            "The asker went away before the end of the body.",
        ]
        assert {event.fields["client"] for event in heard} == {"127.0.0.1"}
        assert _ask(port) == 200


def test_health_fails_when_its_answers_are_old(flagged: Database) -> None:
    def health() -> tuple[int, float]:
        conn = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        conn.request("GET", "/healthz")
        answer = conn.getresponse()
        said = json.loads(answer.read())
        conn.close()
        return answer.status, said["age_s"]

    down = threading.Event()
    with _serving(flagged, bounds=Bounds(), down=down) as (port, _):
        eventually(lambda: health()[0] == 200)
        down.set()
        flagged.connect().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'changeover/flags' AND datname = current_database()"
        )
        eventually(lambda: health()[0] == 503)
        assert health()[1] > 1.5
        assert _ask(port) == 200  # it goes on answering
        down.clear()
        eventually(lambda: health()[0] == 200)


@pytest.mark.newest
def test_the_command_logs_a_line_and_takes_its_secrets_from_files(flagged: Database, tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text(flagged.dsn + "\n")
    (tmp_path / "tokens").write_text(f"{TOKEN}\n\n other \n")
    port = free_port()
    process = spawn(
        None,
        *("flag", "serve", "--port", str(port), "--dsn-file", str(tmp_path / "dsn")),
        *("--token-file", str(tmp_path / "tokens"), "--max-connections", "50"),
    )
    try:

        def answers() -> bool:
            try:
                return _ask(port, token="other") == 200
            except OSError:
                return False

        eventually(answers)
        assert _ask(port, token="") == 401
        assert _ask(port, b"[" * 1000) == 400
        assert _closed(_open(port, b"nonsense\r\n\r\n"))
        argv = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert TOKEN.encode() not in argv
        assert flagged.dsn.encode() not in argv
        busy = Cli(flagged.dsn)("flag", "serve", "--port", str(port))
        assert (busy.code, "Nothing can listen" in busy.err) == (2, True)
    finally:
        process.terminate()
        _, said = process.communicate(timeout=60)
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [line["why"] for line in lines] == [
        "A token is needed.",
        "The body is no JSON.",
        "it is no HTTP request",
    ]
    assert "Traceback" not in said
    assert TOKEN not in said


def test_an_odd_file_of_secrets_is_told_without_what_is_in_it(flagged: Database, tmp_path: Path) -> None:
    cli, file = Cli(None), tmp_path / "secret"
    for content, words in ((b"", "empty"), (b"a=1\nhunter2\n", "more than one line"), (b"\xff\xfe", "no text")):
        file.write_bytes(content)
        done = cli("status", "--dsn-file", str(file))
        assert (done.code, words in done.err, "hunter2" in done.err) == (2, True, False)
    assert cli("status", "--dsn-file", str(tmp_path / "none")).code == 2
    assert cli("status", "--dsn-file", str(tmp_path)).code == 2
    file.write_text(flagged.dsn)
    assert cli("status", "--dsn-file", str(file), "--json").code == 0
    assert cli("flag", "get", FLAG, "--json", "--dsn-file", str(file)).json["flag"] == FLAG
    assert cli("status", "--dsn-file", str(file), "--dsn", flagged.dsn).code == 2
    # The environment is the last word, not the first.
    assert Cli("host=nowhere.invalid")("status", "--dsn-file", str(file)).code == 0
    for command in (("serve",), ("flag", "serve")):
        stale = Cli(flagged.dsn)(*command, "--poll", "5", "--stale-after", "3")
        assert (stale.code, "--stale-after" in stale.err) == (2, True)
