"""One client of the application: one connection, one request after the other, at a steady pace.

A client runs one version of the code. The old version speaks to the legacy tables whatever happens; the
new one asks its flags before each request and writes to the unified tables when they say so (how it reads stands in
`reads.py`). What a client writes is its own (`rows.Holdings`), so the last acknowledged state of each row is defined.
A request in REPEATABLE READ that ends in a serialization failure is tried again, as any application there must do,
and the retry is counted; nothing else is tried again: it has failed.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import asyncpg

from orchestrator.demo.application import requests
from orchestrator.demo.application.journal import Entry
from orchestrator.demo.application.reads import AUDITS, EMPLOYEES, LEGACY, UNIFIED
from orchestrator.demo.application.record import Request
from orchestrator.demo.application.rows import Holdings, LostRowError
from orchestrator.demo.application.tables import LegacyTable, discover
from orchestrator.kernel.connections import asyncpg_uri

if TYPE_CHECKING:
    from orchestrator.demo.application.journal import Journal
    from orchestrator.demo.application.reads import Reads

_ATTEMPTS: Final = 5
_LOOK_AGAIN_S: Final = 5.0  # how old a client's list of tables may be
_TIMEOUT_S: Final = 15.0  # what a user waits before a request counts as failed
_BEHIND_S: Final = 1.0  # later than that, the missed requests are not made up for
_RECONNECT_S: Final = 0.5
_CONNECTION_LOST: Final = (
    # The last of these is what asyncpg says when the server hangs up between two of its messages.
    *(asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError, asyncpg.InternalClientError),
    *(asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.CannotConnectNowError),
)


@dataclass
class Scene:
    """What all clients share: the phase that the driver announced, the record, the people to ask about."""

    reads: Reads
    phase: str = "before"
    mischief: bool = True
    """Whether clients also write what will be rejected, to mend it at once."""
    pace: float = 0.1
    """Seconds between two requests of one client."""
    stopping: bool = False
    people: list[str] = field(default_factory=list)
    comparable: list[str] = field(default_factory=list)
    """Those of them whose reports are the same on both sides."""
    shared: list[str] = field(default_factory=list)
    record: list[Request] = field(default_factory=list)


class Client:
    """One user at work."""

    def __init__(self, dsn: str, name: str, version: str, seed: int, scene: Scene, journal: Journal) -> None:
        """`name` is part of every key that the client makes, so it must be new to the database."""
        self.name = name
        self.version = version
        self.scene = scene
        self.dice = random.Random(f"{seed}/{name}")
        self.holdings = Holdings()
        self.tables: list[LegacyTable] = []
        self.unified_audits = False
        self.unified_employees = False
        self.touched: list[tuple[str, str, str]] = []
        self._dsn = dsn
        self._journal = journal
        self.source = LEGACY
        """Who has answered the request at hand, or taken its writes."""
        self._looked_at = float("-inf")
        self._number = 0
        self._conn: asyncpg.Connection | None = None

    @property
    def conn(self) -> asyncpg.Connection:
        """The open connection."""
        if self._conn is None:
            raise LostRowError("the client is not connected")
        return self._conn

    def fresh(self) -> str:
        """A name that no row has yet."""
        self._number += 1
        return f"{self.name}-{self._number}"

    def touching(self, table: str, by: str, key: str) -> None:
        """Say which row the request is about to write: if its answer is lost, that row is in doubt."""
        self.touched.append((table, by, key))

    async def connect(self) -> None:
        """Connect as the application does: under its own name, without statement cache (it sits behind a pooler)."""
        self._conn = await asyncpg.connect(
            asyncpg_uri(self._dsn),
            timeout=10,
            command_timeout=_TIMEOUT_S,
            statement_cache_size=0,
            server_settings={"application_name": f"cqms/{self.version}", "TimeZone": "Europe/Berlin"},
        )

    async def work(self) -> None:
        """Make requests until the scene ends."""
        due = time.monotonic() + self.dice.random() * self.scene.pace
        while not self.scene.stopping:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._serve()
            due = max(due + self.scene.pace, time.monotonic() - _BEHIND_S)
        if self._conn is not None and not self._conn.is_closed():
            await self._conn.close()

    async def _serve(self) -> None:
        """One request, whatever comes of it."""
        phase = self.scene.phase
        started = time.perf_counter()
        kind, error, retries, contended = "connect", None, 0, False
        self.touched = []
        try:
            if self._conn is None or self._conn.is_closed():
                await self.connect()
            await self._look_around()
            request = requests.choose(self)
            kind, contended = request.kind, request.contended
            self.source = UNIFIED if self.unified_audits else LEGACY
            started = time.perf_counter()
            retries = await self._answer(request)
        except LostRowError as exc:
            error = f"lost row: {exc}"
        except TimeoutError:
            error = f"no answer within {_TIMEOUT_S:.0f} s"
            self._doubt()
        except _CONNECTION_LOST as exc:
            error = await self._lost(exc)
        except asyncpg.PostgresError as exc:
            error = f"{exc.sqlstate} {exc.args[0] if exc.args else exc}"
            if kind == requests.SPOILING:
                self._doubt()  # of its two writes the first may stand
        milliseconds = (time.perf_counter() - started) * 1000
        self.scene.record.append(
            Request(time.time(), kind, self.version, self.source, phase, milliseconds, error, retries, contended)
        )

    async def _answer(self, request: requests.Job) -> int:
        """Run a request in the transaction it wants; return how often it had to be tried again."""
        for attempt in range(_ATTEMPTS):
            self.touched = []
            try:
                if request.isolation is None:
                    done = await request.run(self)
                else:
                    async with self.conn.transaction(isolation=request.isolation):
                        done = await request.run(self)
            except asyncpg.SerializationError:
                if request.isolation != "repeatable_read" or attempt + 1 == _ATTEMPTS:
                    raise
                await asyncio.sleep(self.dice.random() * 0.01 * 2**attempt)
                continue
            self._journal.note(done.entries)
            done.settle()
            return attempt
        return _ATTEMPTS

    async def _look_around(self) -> None:
        """Refresh what the client knows: the tables now and then, the flags if it is of the new version."""
        if time.monotonic() - self._looked_at > _LOOK_AGAIN_S:
            known = {table.label: table for table in self.tables}
            found = await discover(self.conn)
            # Who makes the id is settled at first sight: a view that takes a table's place says nothing of it.
            self.tables = [
                table
                if table.label not in known or known[table.label].makes_id == table.makes_id
                else table.with_ids_made(made=known[table.label].makes_id)
                for table in found
            ]
            self._looked_at = time.monotonic()
        if self.version == "new":
            flags = self.scene.reads.flags
            self.unified_audits = flags.reads_new(AUDITS, self.name)
            self.unified_employees = flags.reads_new(EMPLOYEES, self.name)

    async def _lost(self, exc: Exception) -> str:
        """The connection broke: what was under way is in doubt, and the next request connects anew."""
        self._doubt()
        self._looked_at = float("-inf")
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None
        await asyncio.sleep(_RECONNECT_S)
        return f"connection: {type(exc).__name__} {exc}"

    def _doubt(self) -> None:
        self._journal.note(Entry(table, key, "doubt", by=by) for table, by, key in self.touched)
