"""What stands in a database, as pg_dump writes it: the schema to compare line by line, the rows as one hash.

Two catalogs are equal for us when their schema dumps are: owners, rights, comments, triggers, defaults, everything.
The rows are hashed table by table in any order: a plan that changes columns of a table in use rewrites its rows.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from orchestrator.kernel.errors import ChangeoverError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.demo.databases import Server

# Lines that say when and by what the dump was made, not what stands in it.
_NOISE: Final = (b"-- Dumped ", b"\\restrict", b"\\unrestrict")


@dataclass(frozen=True)
class Dump:
    """A database at one moment."""

    schema: str
    rows: str

    def differences(self, other: Dump) -> tuple[str, ...]:
        """The lines in which another dump differs, and a word on the rows if they do."""
        lines = difflib.unified_diff(self.schema.splitlines(), other.schema.splitlines(), n=0, lineterm="")
        found = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        if self.rows != other.rows:
            found.append("the rows of the legacy tables are not what they were")
        return tuple(found)


def take(server: Server, database: str) -> Dump:
    """Dump a database with the server's own pg_dump, as its administrator, who sees everything."""
    return Dump(schema(server, database), _hash(_dumped(server, database, "--data-only")))


def schema(server: Server, database: str) -> str:
    """The schema alone."""
    return "".join(line.decode() for line in _dumped(server, database, "--schema-only"))


def _dumped(server: Server, database: str, what: str) -> Iterator[bytes]:
    given = conninfo_to_dict(server.admin_dsn(database))
    # The password goes by the environment: an argument could be read by everybody on this machine.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    if password := given.pop("password", None):
        env["PGPASSWORD"] = str(password)
    argv = [
        server.installation.tool("pg_dump"),
        f"--dbname={make_conninfo(**{key: str(value) for key, value in given.items()})}",
        what,
    ]
    return _lines(argv, env)


def _hash(lines: Iterable[bytes]) -> str:
    """Of the rows of each table in any order: the sum of their hashes, each with the name of its table."""
    total, table = 0, b""
    for line in lines:
        if line.startswith(b"COPY "):
            table = line
        total += int.from_bytes(hashlib.sha256(table + line).digest(), "big")
    return f"{total:x}"


def _lines(argv: list[str], env: dict[str, str]) -> Iterator[bytes]:
    """What the command prints, as it comes (the rows need not fit into memory), without the noise."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors, env=env) as dumping,  # noqa: S603 - our own
    ):
        if dumping.stdout is not None:
            yield from (line for line in dumping.stdout if not line.startswith(_NOISE))
        if dumping.wait() != 0:
            errors.seek(0)
            raise ChangeoverError(f"pg_dump failed: {errors.read().decode(errors='replace').strip()}")
