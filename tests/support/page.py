"""The page as it is served, in this process: a server on a port of its own, and a visitor without a browser."""

from __future__ import annotations

import http.client
import re
import shutil
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orchestrator
from flags.client import AsyncFlagClient
from orchestrator import settings
from orchestrator.jobs import exporter
from orchestrator.kernel.connections import connect_rows
from orchestrator.kernel.events import Bus, Event
from orchestrator.web import serving
from orchestrator.web.bounds import Bounds, Refusals, listen, server
from tests.support.running import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.database import Database

ANN = "ann-0123456789-token"
BOB = "bob-0123456789-token"
PEOPLE = {ANN: "ann", BOB: "bob"}


@dataclass
class Served:
    """Where it is served, and what was refused."""

    port: int
    heard: list[Event]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def visitor(self) -> Visitor:
        return Visitor(self.port)


@dataclass
class Answer:
    status: int
    text: str
    headers: dict[str, str]


@dataclass
class Visitor:
    """Asks like a browser: keeps its cookie, says where a form comes from."""

    port: int
    cookie: str = ""
    said: dict[str, str] = field(default_factory=dict)
    """Headers that are sent along, or instead of the usual ones."""

    def get(self, path: str, **query: Any) -> Answer:
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, **form: Any) -> Answer:
        return self._ask("POST", path, urlencode(form))

    def sign_in(self, token: str) -> Answer:
        answer = self.post("/session", token=token)
        self.cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return answer

    def do(self, action: str, form: dict[str, Any], **query: Any) -> Answer:
        """Fill in the form of an action and send it; the page that one is sent to."""
        shown = self.get(f"/do/{action}", **query)
        assert shown.status == 200, shown.text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
        answer = self.post(f"/do/{action}", **fields, **form)
        return self.get(answer.headers["location"]) if answer.status == 303 else answer

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        origin = {"Origin": f"http://127.0.0.1:{self.port}"} if method == "POST" else {}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": self.cookie, **origin, **self.said}
        conn.request(method, path, body, headers)
        answer = conn.getresponse()
        text = answer.read().decode()
        conn.close()
        return Answer(answer.status, text, {name.lower(): value for name, value in answer.getheaders()})


@contextmanager
def served(
    database: Database, wanted: serving.Wanted | None = None, bounds: Bounds | None = None, **options: Any
) -> Iterator[Served]:
    """Serve it for the time of the block."""
    heard: list[Event] = []
    bus = Bus()
    bus.subscribe(heard.append)
    refusals = Refusals(bus)
    given = settings.read(database.dsn)
    with listen("127.0.0.1", 0) as sock, exporter.registered(given) as registry:
        app = serving.application(
            *(wanted or serving.Wanted(), given, refusals, registry),
            client=AsyncFlagClient(lambda: connect_rows(database.dsn, "flags"), poll=0.3),
            sample_s=0.3,
            streams=(bounds or Bounds()).connections // 2,
            **{"people": PEOPLE, **options},
        )
        running = server(app, bounds or Bounds(), refusals)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            eventually(lambda: running.started)
            yield Served(int(sock.getsockname()[1]), heard)
        finally:
            running.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


def approved_plan(folder: Path) -> str:
    """The example as a plan of its own, whose contract wants somebody's approval; its folder."""
    shipped = Path(orchestrator.__file__).parent / "plans" / "example"
    shutil.copytree(shipped, folder)
    text = (folder / "plan.yaml").read_text()
    text = text.replace("plan: example", "plan: shops", 1)
    text = text.replace("contract: {keep_days: 90}", "contract: {keep_days: 90, gates: {approvals: 1}}", 1)
    assert "approvals" in text
    (folder / "plan.yaml").write_text(text)
    return str(folder)


def streamed(port: int, path: str, *, words: str | None = "event: page") -> str:
    """What a stream says until it has said these words, and a whole message; without words, until it ends."""
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    conn.request("GET", path)
    answer, said, until = conn.getresponse(), b"", time.monotonic() + PATIENCE
    try:
        while not (words and words.encode() in said and said.endswith(b"\n\n")):
            assert time.monotonic() < until, said
            part = answer.read1(65_536)
            if not part:
                break
            said += part
    finally:
        conn.close()
    return said.decode()
