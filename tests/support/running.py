"""Jobs as processes: start one, wait for what it logs, ask it, and see that nothing was lost."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orchestrator
from orchestrator.kernel.connections import connect
from tests.support.cli import Cli, spawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.database import Database

LEGACY = Path(orchestrator.__file__).parent / "plans" / "example" / "legacy.sql"
WHERE = ("--plan", "example", "--stage", "customers")
SHORT_LEASE = {"CHANGEOVER_LEASE__TTL_S": "2", "CHANGEOVER_LEASE__HEARTBEAT_S": "0.5"}
ROWS = 6_000
PATIENCE = 60.0


def prepare(database: Database) -> None:
    """The example's old schema with rows enough for a while, and the plan up to dual-write."""
    database.run(LEGACY.read_text())
    with connect(database.dsn) as conn:
        # Ten rows a page and not a hundred: a copy page by page has far to go.
        conn.execute("ALTER TABLE public.customers_old SET (fillfactor = 10)")
        conn.execute(
            "INSERT INTO public.customers_old SELECT i, 'c' || i || '@example.com', 'N' || i, 'active', 1, "
            "'2020-01-01' FROM generate_series(1000, %s) AS i",
            (ROWS + 999,),
        )
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "dual-write")


def slow(cli: Cli) -> None:
    """Small batches with long rests: the copy lasts until somebody lets it go, for minutes.

    A rest is a hundred times its batch, so that it lasts longer on a machine on which everything does.
    """
    cli.ok("throttle", "set", "example", "target_ms=100", "ceiling_pages=1", "rest=100")


class Running:
    """A `changeover run` of its own, and every line that it logs."""

    def __init__(self, dsn: str, phase: str, *options: str, env: dict[str, str] | None = None) -> None:
        self.lines: list[dict[str, Any]] = []
        self.text = ""
        self._process = spawn(dsn, "run", phase, *WHERE, *options, env={**SHORT_LEASE, **(env or {})})
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.text += line
            if line.startswith("{"):
                self.lines.append(json.loads(line))

    def heard(self, event: str) -> dict[str, Any] | None:
        """The last line of this event, if there is one."""
        return next((line for line in reversed(self.lines) if line.get("event") == event), None)

    def until(self, event: str) -> dict[str, Any]:
        """Wait for an event."""
        eventually(lambda: self.heard(event) is not None or self._process.poll() is not None)
        found = self.heard(event)
        assert found is not None, f"no {event}, code {self._process.poll()}:\n{self.text}"
        return found

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        code = self._process.wait(PATIENCE)
        self._reader.join(60)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self.ended()


def eventually(
    holds: Callable[[], bool], seconds: float = PATIENCE, seen: Callable[[], str] = lambda: "it never came true"
) -> None:
    """Wait until it holds; `seen` says what a failure shows."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, seen()
        time.sleep(0.05)


def counted(database: Database) -> None:
    """Wait until the server has counted what was done here: a session hands it in as it ends, and only then leaves."""
    database.leave()
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with connect(database.admin_dsn) as admin:
        eventually(lambda: admin.execute(f"{others} AND backend_type = 'client backend'".encode()).fetchone() == (0,))
        if admin.info.server_version < 150_000:
            time.sleep(1)  # until 14 another process collects this, and shows it every half second


def seen(database: Database) -> int:
    """Rows that the committed batches have read."""
    return int(database.value("SELECT coalesce(sum(rows_seen), 0) FROM changeover.chunk"))


def moving(database: Database) -> None:
    """Wait until the copy has begun to move."""
    eventually(lambda: seen(database) > 0)


def nothing_is_lost(database: Database) -> None:
    """Carry the plan on to verify with the same commands as ever; it compares every value and counts."""
    cli = Cli(database.dsn)
    cli.ok("throttle", "set", "example", "--reset")
    cli.ok("resume", "example")
    for phase in ("backfill", "verify"):
        cli.ok("run", phase, *WHERE, "--wait", "30")
    assert database.value("SELECT count(*) FROM public.customers WHERE name LIKE 'N%'") == ROWS
    verified = cli.ok("verify", "--plan", "example", "--json").json
    assert all(result["clean"] for result in verified)
