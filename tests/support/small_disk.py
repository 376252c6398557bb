"""A disk that can be full: new tables go to a tablespace of some megabytes.

As root the tablespace is a file system of its own (tmpfs) and really full: a ballast file takes what is left, and
PostgreSQL gets ENOSPC. Where nothing may be mounted a substitute stands in: a trigger on each new table raises the
same 53100 at the same place, before the row is stored, though no disk is full. `how` tells which of the two it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from orchestrator.demo.server import EmbeddedServer
from orchestrator.kernel.connections import connect
from tests.support.database import Database

SPACE = "small_disk"
SIZE = "64m"
PRETEND = "CHANGEOVER_TEST_NO_MOUNT"
_BLOCKS = (65_536, 4096, 1)
_FULL = """
CREATE SCHEMA IF NOT EXISTS small_disk;
CREATE OR REPLACE FUNCTION small_disk.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'as if no space were left on the device' USING ERRCODE = 'disk_full';
END $$
"""
_REFUSE = "CREATE TRIGGER small_disk BEFORE INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION small_disk.refuse()"
_FREE = "DROP SCHEMA IF EXISTS small_disk CASCADE"


class SmallDisk:
    """Fills up and is freed. Without a folder it only pretends."""

    def __init__(self, folder: Path | None) -> None:
        self._ballast = None if folder is None else folder / "ballast"
        self.how = "by a trigger that raises 53100: nothing may be mounted here" if folder is None else "really"

    def use(self, database: Database) -> None:
        """Whatever this database's owner makes from now on stands on this disk."""
        if self._ballast is None:
            return
        with connect(database.admin_dsn) as conn:
            name, space = sql.Identifier(database.name), sql.Identifier(SPACE)
            conn.execute(sql.SQL("ALTER DATABASE {} SET default_tablespace = {}").format(name, space))

    @contextmanager
    def full(self, database: Database, tables: Sequence[str]) -> Iterator[None]:
        """No room, for the time of the block. The tables are for who only pretends."""
        try:
            if self._ballast is not None:
                self._fill(self._ballast)
            else:
                self._refuse(database, tables)
            yield
        finally:
            if self._ballast is not None:
                self._ballast.unlink(missing_ok=True)
            else:
                with connect(database.admin_dsn) as conn:
                    conn.execute(_FREE)

    @staticmethod
    def _fill(ballast: Path) -> None:
        for size in _BLOCKS:
            with suppress(OSError), ballast.open("ab", buffering=0) as file:
                while file.write(b"\0" * size):
                    pass

    @staticmethod
    def _refuse(database: Database, tables: Sequence[str]) -> None:
        with connect(database.admin_dsn) as conn:
            conn.execute(_FULL)
            for table in tables:
                # Not there yet: then there is nothing to be refused.
                with suppress(psycopg.errors.UndefinedTable):
                    conn.execute(_REFUSE.format(table=table))


@contextmanager
def small_disk(server: EmbeddedServer) -> Iterator[SmallDisk]:
    """A small disk of this server, for the time of the block."""
    folder = Path(tempfile.mkdtemp(prefix="changeover-disk-"))
    with ExitStack() as stack:
        if not _mounted(folder, server.identity()[1].stat().st_uid):
            folder.rmdir()
            yield SmallDisk(None)
            return
        stack.enter_context(_unmounted_at_last(folder))
        with connect(server.admin_dsn()) as conn:
            names = {"space": sql.Identifier(SPACE), "owner": sql.Identifier(server.owner)}
            conn.execute(
                sql.SQL("CREATE TABLESPACE {space} LOCATION {at}").format(at=sql.Literal(str(folder)), **names)
            )
            conn.execute(sql.SQL("GRANT CREATE ON TABLESPACE {space} TO {owner}").format(**names))
        yield SmallDisk(folder)


@contextmanager
def _unmounted_at_last(folder: Path) -> Iterator[None]:
    """However we end, killed too: then a pipe closes, and who listens at it removes the file system."""
    shell = [shutil.which("sh") or "sh", "-c", 'cat; umount --lazy "$1" && rmdir "$1"', "sh", str(folder)]
    listener = subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        listener.communicate()


def _mounted(folder: Path, owner: int) -> bool:
    """Mount it, if we may."""
    mount = shutil.which("mount")
    if os.getuid() != 0 or os.environ.get(PRETEND) or mount is None:
        return False
    options = f"size={SIZE},mode=0700,uid={owner}"
    command = [mount, "-t", "tmpfs", "-o", options, "changeover-small-disk", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
