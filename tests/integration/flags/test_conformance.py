"""The provider and the server, held against the real OpenFeature and OFREP clients."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import uvicorn
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from psycopg.types.json import Jsonb

from flags import store
from flags.client import AsyncFlagClient
from flags.provider import ChangeoverProvider
from flags.stages import Stage
from flags.store import By, Change
from flags.sync_client import FlagClient
from orchestrator.demo.ports import free_port
from orchestrator.kernel.connections import connect, connect_rows
from orchestrator.web.app import flags_only
from tests.integration.flags.conftest import FLAG
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.running import eventually
from tests.support.soak import SOAK
from tests.support.tools import program

ANN = By("ann", "because")
TOKEN = "let me in"
KEYS = 200 if SOAK else 20
PILOTS: dict[str, Any] = {"name": "pilots", "if": {"tenant": "acme"}, "rollout": 100}
JAVASCRIPT = Path(__file__).parents[2] / "support" / "ofrep"
PAGE = Path(__file__).parents[3] / "docs" / "flags.md"


def _of(key: str, tenant: str = "other") -> EvaluationContext:
    return EvaluationContext(key, {"tenant": tenant})


@pytest.fixture
def live(conn: psycopg.Connection, verified: store.Flag) -> store.Flag:
    assert verified.plan
    return store.set_flag(conn, FLAG, Change(Stage.LIVE, rollout=30, rules=[PILOTS]), ANN)


@pytest.fixture
def port(installed: Database, live: store.Flag) -> Iterator[int]:
    """A server on a port of its own, with a token."""
    assert live.plan
    number = free_port()
    app = flags_only(AsyncFlagClient(lambda: connect_rows(installed.dsn, "flags"), poll=0.3), tokens=["other", TOKEN])
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", number, ws="none", log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield number
    server.should_exit = True
    thread.join(60)


def _ask(port: int, path: str = "", body: object = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    text = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    conn.request("POST", f"/ofrep/v1/evaluate/flags{path}", text, {"Authorization": f"Bearer {TOKEN}", **named})
    answer = conn.getresponse()
    said = answer.read()
    conn.close()
    found = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, json.loads(said) if said else None, found


def test_the_provider_and_its_events(installed: Database, conn: psycopg.Connection, live: store.Flag) -> None:
    heard: list[EventDetails] = []
    stale, ready = threading.Event(), threading.Event()

    def changed(details: EventDetails) -> None:
        heard.append(details)

    flags = FlagClient(lambda: connect(installed.dsn, role="flags"), poll=0.3)
    api.set_provider_and_wait(ChangeoverProvider(flags))
    try:
        client = api.get_client()
        client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, changed)
        pilot = client.get_boolean_details(FLAG, False, _of("k", "acme"))  # noqa: FBT003 - the SDK's signature
        assert (pilot.value, pilot.reason, pilot.variant) == (True, "TARGETING_MATCH", "live")
        assert pilot.flag_metadata == {"version": live.version, "rule": "pilots"}
        assert client.get_string_value(f"{FLAG}.stage", "", _of("k", "acme")) == "live"
        assert client.get_float_value(f"{FLAG}.rollout", 0.0) == 30.0
        assert client.get_boolean_details("USE_NOTHING", True).error_code == "FLAG_NOT_FOUND"  # noqa: FBT003
        assert client.get_string_details(FLAG, "default").error_code == "TYPE_MISMATCH"
        assert client.get_integer_value(FLAG, 7) == 7
        assert client.get_object_value(FLAG, {}) == {}
        for number in range(300):
            value = client.get_boolean_value(FLAG, False, _of(str(number)))  # noqa: FBT003 - as above
            assert value == flags.reads_new(FLAG, str(number))
        store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)
        eventually(lambda: any(details.flags_changed == [FLAG] for details in heard))
        assert not client.get_boolean_value(FLAG, True, _of("k", "acme"))  # noqa: FBT003 - as above
        client.add_handler(ProviderEvent.PROVIDER_STALE, lambda _: stale.set())
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'changeover/flags'"
        )
        assert stale.wait(60)
        client.add_handler(ProviderEvent.PROVIDER_READY, lambda _: ready.set())
        assert ready.wait(60)
    finally:
        api.shutdown()
        api.clear_providers()


def test_the_python_ofrep_client(port: int, conn: psycopg.Connection, live: store.Flag) -> None:
    provider = OFREPProvider(f"http://127.0.0.1:{port}", headers_factory=lambda: {"Authorization": f"Bearer {TOKEN}"})
    api.set_provider_and_wait(provider)
    try:
        client = api.get_client()
        pilot = client.get_boolean_details(FLAG, False, _of("k", "acme"))  # noqa: FBT003 - the SDK's signature
        assert (pilot.value, pilot.reason, pilot.variant, pilot.error_code) == (True, "TARGETING_MATCH", "live", None)
        assert client.get_string_value(f"{FLAG}.stage", "", _of("k", "acme")) == "live"
        rollout = client.get_float_details(f"{FLAG}.rollout", 0.0)
        assert (rollout.value, rollout.error_code) == (30.0, None)
        assert client.get_boolean_details("USE_NOTHING", True).error_code == "FLAG_NOT_FOUND"  # noqa: FBT003
        assert client.get_string_details(FLAG, "default").error_code == "TYPE_MISMATCH"
        asked = "SELECT changeover.flag_reads_new(%s, %s)"
        for number in range(300):
            value = client.get_boolean_value(FLAG, False, _of(str(number)))  # noqa: FBT003 - as above
            assert conn.execute(asked, (FLAG, str(number))).fetchone() == (value,)
        assert live.rollout == 30
    finally:
        provider.session.close()
        api.clear_providers()


@pytest.mark.timeout(900)
def test_the_same_bucket_over_http(port: int, conn: psycopg.Connection) -> None:
    """Five flags for each of 100 percentages, asked in bulk for some keys: all answers as SQL gives them."""
    conn.execute(
        """INSERT INTO changeover.feature_flags (flag, stage, rollout)
           SELECT 'F' || n, 'live', 1 + n % 100 FROM generate_series(1, 500) AS n"""
    )
    eventually(lambda: len(_ask(port)[1]["flags"]) == 1002)
    query = "SELECT flag, changeover.flag_reads_new(flag, %s) FROM changeover.feature_flags WHERE flag LIKE 'F%%'"
    differing = 0
    with connect_http(port) as bulk:
        for number in range(KEYS):
            said = {each["key"]: each["value"] for each in bulk(str(number))}
            differing += sum(said[flag] != new for flag, new in conn.execute(query, (str(number),)))
    assert differing == 0


class connect_http:  # noqa: N801 - used like a function
    """One kept connection for many bulk evaluations."""

    def __init__(self, port: int) -> None:
        self._conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def __enter__(self) -> Callable[[str], list[dict[str, Any]]]:
        return self._ask

    def __exit__(self, *_: object) -> None:
        self._conn.close()

    def _ask(self, key: str) -> list[dict[str, Any]]:
        body = json.dumps({"context": {"targetingKey": key}})
        self._conn.request("POST", "/ofrep/v1/evaluate/flags", body, {"X-API-Key": TOKEN})
        found: list[dict[str, Any]] = json.loads(self._conn.getresponse().read())["flags"]
        return found


def test_bulk_and_its_etag(port: int, conn: psycopg.Connection) -> None:
    about = {"context": {"targetingKey": "k", "tenant": "acme"}}
    status, said, headers = _ask(port, body=about)
    assert status == 200
    assert {each["key"] for each in said["flags"]} == {FLAG, f"{FLAG}.stage"}
    assert all({"value", "variant", "reason"} <= each.keys() for each in said["flags"])
    tag = headers["etag"]
    assert _ask(port, body=about, If_None_Match=tag)[:2] == (304, None)
    assert _ask(port, body=about, If_None_Match=f'"x", W/{tag}')[0] == 304
    assert _ask(port, body={"context": {"targetingKey": "k"}}, If_None_Match=tag)[0] == 200
    store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)
    eventually(lambda: _ask(port, body=about, If_None_Match=tag)[0] == 200)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/USE_NOTHING", {}, 404, "FLAG_NOT_FOUND"),
        (f"/{FLAG}", b"{", 400, "PARSE_ERROR"),
        (f"/{FLAG}", b"[" * 50_000, 400, "PARSE_ERROR"),
        (f"/{FLAG}", [], 200, None),
        (f"/{FLAG}", b"[]", 400, "INVALID_CONTEXT"),
        (f"/{FLAG}", {"context": []}, 400, "INVALID_CONTEXT"),
        (f"/{FLAG}", {"context": {"targetingKey": 7}}, 400, "INVALID_CONTEXT"),
        (f"/{FLAG}", b'{"context": "' + b"x" * 70_000 + b'"}', 400, "INVALID_CONTEXT"),
        (f"/{FLAG}", {"context": None}, 200, None),
        (f"/{FLAG}", b"", 200, None),
        ("", b"{", 400, "PARSE_ERROR"),
    ],
)
def test_what_is_asked_wrongly(port: int, path: str, body: object, status: int, code: str | None) -> None:
    answered, said, _ = _ask(port, path, body)
    assert (answered, said.get("errorCode")) == (status, code)
    assert code is None or said["errorDetails"]


def test_tokens(port: int, installed: Database) -> None:
    for wrong in (
        {"Authorization": "Bearer no"},
        {"Authorization": ""},
        {"Authorization": "", "X_API_Key": "lét me in"},
    ):
        named = {name: value.encode().decode("latin-1") for name, value in wrong.items()}
        assert _ask(port, f"/{FLAG}", **named)[0] == 401
        assert _ask(port, **named)[0] == 401
    assert _ask(port, Authorization="", X_API_Key=TOKEN)[0] == 200
    refused = Cli(installed.dsn)("flag", "serve", "--host", "0.0.0.0")  # noqa: S104 - refused
    assert refused.code == 2
    assert "no token is asked for" in refused.err


@pytest.fixture(scope="session")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JavaScript clients, installed from npm."""
    folder = tmp_path_factory.mktemp("ofrep")
    shutil.copytree(JAVASCRIPT, folder, dirs_exist_ok=True)
    install = [
        program("npm"),
        "install",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--silent",
    ]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.newest
def test_what_the_page_shows_in_typescript(port: int, conn: psycopg.Connection, javascript: Path) -> None:
    """It has no types in it, so node runs it as it stands, with a token and a flag of ours."""
    store.set_flag(conn, FLAG, Change(Stage.LIVE, rollout=100), ANN)
    (block,) = re.findall(r"^```typescript\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    token = f'headers: [["Authorization", "Bearer {TOKEN}"]]'
    asked = block.replace('"http://127.0.0.1:8016"', f'"http://127.0.0.1:{port}", {token}')
    asked = asked.replace("USE_NEW_TICKETS", FLAG)
    (javascript / "page.mjs").write_text(f'const userId = "k";\n{asked}\nconsole.log(fresh);\nprocess.exit(0);\n')
    command = [program("node"), "page.mjs"]
    done = subprocess.run(command, cwd=javascript, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "true\n"), done.stderr


@pytest.mark.newest
@pytest.mark.filterwarnings("default:Go is not installed")  # told at the end of the run
def test_what_the_page_shows_in_go(port: int, conn: psycopg.Connection, tmp_path: Path) -> None:
    """Where Go is not installed the code is only read: whether it is whole, and names what it uses."""
    store.set_flag(conn, FLAG, Change(Stage.LIVE, rules=[PILOTS], rollout=100), ANN)
    (block,) = re.findall(r"^```go\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    code = re.sub(r'"(?:\\.|[^"\\])*"|//[^\n]*', "", block)
    assert all(code.count(opens) == code.count(closes) for opens, closes in ("()", "[]", "{}"))
    for imported in re.findall(r'^\t"(?:\w+/)*(\w+)"$', block, re.MULTILINE):
        assert f"{imported}." in code, f"{imported} is imported and not used, which Go refuses"
    go = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")
    if go is None:
        warnings.warn("Go is not installed: the code of docs/flags.md was read and not run.", stacklevel=1)
        return
    asked = block.replace("127.0.0.1:8016", f"127.0.0.1:{port}")
    main = f'func main() {{ println(readsNew("{FLAG}", "k"), readsNew("USE_NOTHING", "k")) }}'
    (tmp_path / "page.go").write_text(f"package main\n\n{asked}\n{main}\n")
    settings = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "", "FLAGS_TOKEN": TOKEN}
    done = subprocess.run(
        [go, "run", "page.go"],
        cwd=tmp_path,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "true false\n")


@pytest.mark.newest
def test_the_javascript_clients(port: int, conn: psycopg.Connection, javascript: Path) -> None:
    command = [program("node"), "conformance.cjs", f"http://127.0.0.1:{port}", TOKEN]
    with subprocess.Popen(
        command, cwd=javascript, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = process.stdout.readline()
        if ready == "ready\n":
            store.set_flag(conn, FLAG, Change(Stage.SHADOW), ANN)
        told = process.stdout.readline()
        errors = process.stderr.read()
    assert process.returncode == 0, errors
    answers = json.loads(told)
    by_server, by_web = answers["server"], answers["web"]
    assert (by_server["pilot"]["value"], by_server["pilot"]["reason"]) == (True, "TARGETING_MATCH")
    assert (by_server["pilot"]["variant"], by_server["stage"]["value"]) == ("live", "live")
    assert by_server["rollout"]["value"] == 30
    assert (by_server["unknown"]["value"], by_server["unknown"]["errorCode"]) == (True, "FLAG_NOT_FOUND")
    assert by_server["wrongType"]["errorCode"] == "TYPE_MISMATCH"
    query = "SELECT array_agg(changeover.flag_bucket(%s, n::text) < 3000 ORDER BY n) FROM generate_series(0, 199) AS n"
    assert conn.execute(query, (FLAG,)).fetchone() == (by_server["many"],)
    assert (by_web["before"]["value"], by_web["before"]["variant"]) == (True, "live")
    assert by_web["after"]["value"] is False
    assert by_web["unknown"]["errorCode"] == "FLAG_NOT_FOUND"
    assert FLAG in by_web["flagsChanged"]


def test_rules_written_by_hand_are_understood_over_http(port: int, conn: psycopg.Connection) -> None:
    conn.execute("UPDATE changeover.feature_flags SET rules = %s", (Jsonb([{"if": {"n": [1]}, "rollout": 0}, PILOTS]),))
    about = {"context": {"targetingKey": "k", "tenant": "acme", "n": 1}}
    eventually(lambda: _ask(port, f"/{FLAG}", about)[1]["value"] is False)
    assert _ask(port, f"/{FLAG}", {"context": {**about["context"], "n": True}})[1]["value"] is True
