"""One client of a scripted application: one connection, one statement after the other, at a steady pace.

A client of the old version does what the old version does, whatever happens. One of the new version does the same until
a stage is open to it, and from then on only what the new version does. What a client writes as a record is its own, so
the tag that its row must have is known; a write that meets no row has lost one, and has failed.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import psycopg

from orchestrator.demo.application.record import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestrator.demo.scripted.script import Record, Script, Side

_TIMEOUT: Final = "15s"  # what a user waits before a request counts as failed
_BEHIND_S: Final = 1.0  # later than that, the missed requests are not made up for
_NUMBERS: Final = 1_000_000  # of each client
_KINDS: Final = ("insert", "update", "update", "delete", "read")


class LostRowError(Exception):
    """A row of the client's own was not where it must be."""


@dataclass
class Scene:
    """What all clients share."""

    script: Script
    phase: str = "before"
    pace: float = 0.1
    """Seconds between two requests of one client."""
    stopping: bool = False
    opened: list[str] = field(default_factory=list)
    """The stages with which the new version works."""
    record: list[Request] = field(default_factory=list)


@dataclass
class Row:
    """A row of a client's own."""

    number: int
    version: int = 0


@dataclass
class Kept:
    """The rows of one record that a client has made and not deleted."""

    rows: list[Row] = field(default_factory=list)
    writes: int = 0
    doubtful: list[str] = field(default_factory=list)
    """Tags that may be there or not: the answer of a write was lost with the connection."""


@dataclass(frozen=True)
class Job:
    """Something that a client may do next."""

    kind: str
    run: Callable[[], Awaitable[object]]


class Client:
    """One user at work."""

    def __init__(self, dsn: str, name: str, version: str, number: int, scene: Scene, seed: int) -> None:
        """`name` is part of every tag, so it must be new to the database; number 0 makes the shared requests."""
        self.name = name
        self.kept: dict[str, Kept] = {}
        self._dsn = dsn
        self._version = version
        self._shares = number == 0
        self._scene = scene
        self._dice = random.Random(f"{seed}/{name}")
        self._number = (number + (50 if version == "new" else 0)) * _NUMBERS
        self._conn: psycopg.AsyncConnection[Any] | None = None

    async def connect(self) -> None:
        """Connect as the application does."""
        self._conn = await psycopg.AsyncConnection.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=10,
            application_name=f"app/{self._version}",
            options=f"-c statement_timeout={_TIMEOUT}",
        )

    async def work(self) -> None:
        """Make requests until the scene ends."""
        due = time.monotonic() + self._dice.random() * self._scene.pace
        while not self._scene.stopping:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._serve()
            due = max(due + self._scene.pace, time.monotonic() - _BEHIND_S)
        if self._conn is not None:
            await self._conn.close()

    def tags(self, record: str) -> list[str]:
        """The tags that must be there of a record."""
        return [self._tag(row) for row in self.kept.get(record, Kept()).rows]

    def jobs(self) -> list[Job]:
        """What it may do next."""
        script, opened = self._scene.script, self._scene.opened
        if self._version == "old" or not opened:
            return self._of("old", script.old)
        sides = [(stage, script.new[stage]) for stage in opened if stage in script.new]
        return [job for stage, side in sides for job in self._of(f"new, {stage}", side)]

    async def _serve(self) -> None:
        """One request, whatever comes of it."""
        phase, started, error, kind = self._scene.phase, time.perf_counter(), None, "connect"
        old = not (self._version == "new" and self._scene.opened)
        try:
            if self._conn is None or self._conn.closed:
                await self.connect()
            jobs = self.jobs()
            if not jobs:
                return
            job = self._dice.choice(jobs)
            kind, started = job.kind, time.perf_counter()
            await job.run()
        except LostRowError as exc:
            error = f"lost row: {exc}"
        except psycopg.Error as exc:
            error = f"{exc.sqlstate or type(exc).__name__} {exc}".splitlines()[0]
        milliseconds = (time.perf_counter() - started) * 1000
        source = "old tables" if old else "new tables"
        self._scene.record.append(Request(time.time(), kind, self._version, source, phase, milliseconds, error))

    def _of(self, label: str, side: Side) -> list[Job]:
        jobs = []
        for name, record in side.records.items():
            kept = self.kept.setdefault(f"{label}: {name}", Kept())
            jobs += [
                Job(f"{kind} {name}", partial(getattr(self, f"_{kind}"), record, kept))
                for kind in _KINDS
                if kind == "insert" or (kept.rows and getattr(record, kind))
            ]
        if self._shares and (label != "old" or self._version == "old"):
            jobs += [Job(name, partial(self._execute, statement)) for name, statement in side.requests.items()]
        return jobs

    async def _insert(self, record: Record, kept: Kept) -> None:
        self._number += 1
        row = Row(self._number)
        await self._write(record.insert, kept, [self._tag(row)], tag=self._tag(row), was="")
        kept.rows.append(row)

    async def _update(self, record: Record, kept: Kept) -> None:
        row = self._dice.choice(kept.rows)
        later = Row(row.number, row.version + 1)
        tags = [self._tag(row), self._tag(later)]
        kept.rows.remove(row)  # it is in doubt until the answer is there
        try:
            await self._write(self._dice.choice(record.update), kept, tags, tag=tags[1], was=tags[0])
        except (psycopg.Error, LostRowError):
            if not self._broken:
                kept.rows.append(row)
            raise
        kept.rows.append(later)

    async def _delete(self, record: Record, kept: Kept) -> None:
        row = self._dice.choice(kept.rows)
        kept.rows.remove(row)
        tag = self._tag(row)
        try:
            await self._write(record.delete or "", kept, [tag], tag=tag, was=tag)
        except (psycopg.Error, LostRowError):
            if not self._broken:
                kept.rows.append(row)
            raise

    async def _read(self, record: Record, kept: Kept) -> None:
        tag = self._tag(self._dice.choice(kept.rows))
        await self._execute(self._dice.choice(record.read), tag=tag, was=tag)

    async def _write(self, statement: str, kept: Kept, tags: list[str], *, tag: str, was: str) -> None:
        try:
            written = await self._execute(statement, tag=tag, was=was)
        except psycopg.Error:
            if self._broken:
                kept.doubtful += tags
            raise
        if written != 1:
            message = f"{was or tag} met {written} rows"
            raise LostRowError(message)
        kept.writes += 1

    async def _execute(self, statement: str, *, tag: str = "", was: str = "") -> int:
        if self._conn is None:
            message = "not connected"
            raise psycopg.OperationalError(message)
        self._number += 1
        text = statement.replace("{tag}", tag).replace("{was}", was).replace("{n}", str(self._number))
        return (await self._conn.execute(text.encode())).rowcount

    @property
    def _broken(self) -> bool:
        """Whether the connection is gone, and with it the answer."""
        return self._conn is None or self._conn.broken

    def _tag(self, row: Row) -> str:
        return f"{self.name}-{row.number}.{row.version}"
