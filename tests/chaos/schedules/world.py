"""What a schedule plays on: a server that may crash, lines that may break, a disk that may be full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Self

from orchestrator.demo import binaries
from orchestrator.demo.server import EmbeddedServer
from orchestrator.kernel.connections import connect
from tests.chaos.schedules.jobs import Launcher
from tests.support.cases import EXAMPLE, PARCELS, PERSONS, STEPS, TICKETS, Case
from tests.support.database import Database, Databases
from tests.support.proxy import Proxy
from tests.support.servers import SETTINGS
from tests.support.small_disk import SmallDisk, small_disk

# Rows enough for a copy that lasts. Their keys are far from those of the writers.
_MORE = {
    EXAMPLE.name: """
        INSERT INTO public.customers_old SELECT i, 'c' || i || '@example.com', 'N' || i, 'active', 1, '2020-01-01'
        FROM generate_series(1000, 2999) AS i;
        INSERT INTO public.customers_west SELECT i, 'w' || i || '@example.com', 'W' || i, 'ACTIVE', -1, NULL, 'W-' || i
        FROM generate_series(1000, 1799) AS i
    """,
    TICKETS.name: """
        INSERT INTO public.billing (subject, tone) SELECT 'more ' || i, i % 5 FROM generate_series(1, 1500) AS i;
        INSERT INTO branch.billing (subject, weight) SELECT 'more ' || i, i / 3.0 FROM generate_series(1, 700) AS i
    """,
    PERSONS.name: """
        INSERT INTO public.staff (number, email, name) SELECT i, 'm' || i || '@example.com', 'more ' || i
        FROM generate_series(1000, 2199) AS i;
        INSERT INTO public.logins (email, nickname) SELECT 'M' || i || '@Example.com', 'more ' || i
        FROM generate_series(1700, 2499) AS i
    """,
    STEPS.name: """
        INSERT INTO public.steps (note, status, weight) SELECT 'more ' || i, 'Open', i FROM generate_series(1, 2000) AS i
    """,
    PARCELS.name: """
        INSERT INTO public.parcels (tag, received, due, track)
        SELECT 'more ' || i, '2024-03-01', date '2024-03-01' + i % 400, 'A' FROM generate_series(1, 1500) AS i
    """,
}


class Reached(Database):
    """A database whose applications come by way of a proxy."""

    line: Proxy

    @property
    def app_dsn(self) -> str:
        return self.line.through(super().app_dsn)


@dataclass
class Ground:
    """A server of our own with what belongs to it; it outlives many schedules."""

    server: EmbeddedServer
    disk: SmallDisk
    launcher: Launcher
    templates: dict[tuple[int, str], str] = field(default_factory=dict)

    @contextmanager
    def world(self, case: Case) -> Iterator[World]:
        """A fresh database of this case, and two lines to it."""

        def build(database: Database) -> None:
            case.build(database)
            database.run(_MORE[case.name])

        databases = Databases(self.server, self.templates)
        with ExitStack() as stack:
            stack.callback(databases.close)
            jobs, applications = (stack.enter_context(Proxy(self.server.admin_dsn())) for _ in range(2))
            database = Reached(self.server, databases.clone(f"schedule {case.name}", build).name)
            database.line = applications
            # A sequence that was cloned goes on from numbers that its template's WAL has: a crash would give them again.
            with connect(database.admin_dsn) as conn:
                conn.execute("CHECKPOINT")
            stack.callback(database.close)
            yield World(self, database, jobs, applications)


@dataclass
class World:
    """One database on its ground."""

    ground: Ground
    database: Reached
    jobs: Proxy
    """The line of the jobs that have not taken over from others."""
    applications: Proxy

    @property
    def dsn(self) -> str:
        """What a job is given."""
        return self.jobs.through(self.database.dsn)


class Grounds:
    """One ground per installed version, made when first asked for."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._made: dict[int, Ground] = {}

    def __enter__(self) -> Self:
        self._launcher = self._stack.enter_context(Launcher())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def get(self, which: int) -> Ground:
        """The ground on the installation of this place in the list, newest first; it goes round."""
        installations = list(binaries.installations())
        which %= len(installations)
        if which not in self._made:
            # With asynchronous commits a crash would take back what an application was told is done.
            settings = {**SETTINGS, "synchronous_commit": "on"}
            server = self._stack.enter_context(EmbeddedServer(settings, installations[which]))
            disk = self._stack.enter_context(small_disk(server))
            self._made[which] = Ground(server, disk, self._launcher)
        return self._made[which]
