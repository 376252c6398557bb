"""A database of one test: cloned from a template, dropped afterwards.

CREATE DATABASE … TEMPLATE copies files, so a test gets whatever the template holds in some twenty milliseconds, and may
do to it what it likes. `Databases` makes templates too, each once per server: `databases.clone("name", build)` calls
`build(database)` the first time only.
"""

from __future__ import annotations

import secrets
import subprocess
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from orchestrator.kernel.connections import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestrator.demo.databases import Server

Role = Literal["owner", "app", "admin"]

# Lines of a dump that say when and by what it was made, not what stands in it.
_NOISE = ("-- Dumped ", "\\restrict", "\\unrestrict")


class Database:
    """One database, seen by its three roles."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self._open: list[psycopg.Connection] = []
        self._looking: psycopg.Connection | None = None

    @property
    def dsn(self) -> str:
        """As its owner, an ordinary role: what the program is given."""
        return self.server.owner_dsn(self.name)

    @property
    def app_dsn(self) -> str:
        """As the application, which has only what the owner grants it."""
        return self.server.app_dsn(self.name)

    @property
    def admin_dsn(self) -> str:
        """As the administrator, for looking on."""
        return self.server.admin_dsn(self.name)

    @property
    def app_role(self) -> str:
        """The name to grant things to."""
        return self.server.application

    def connect(self, role: Role = "owner", *, autocommit: bool = True) -> psycopg.Connection:
        """A connection that is closed at the end of the test."""
        dsn = {"owner": self.dsn, "app": self.app_dsn, "admin": self.admin_dsn}[role]
        conn = connect(dsn, autocommit=autocommit, role=f"test-{role}")
        self._open.append(conn)
        return conn

    def run(self, statements: str) -> None:
        """Execute statements as the owner, in one transaction."""
        with connect(self.dsn, role="test-owner") as conn:
            conn.execute(statements)

    def rows(self, query: str, params: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query, as the owner, in a transaction of its own.

        They share a session: to open one costs more than most queries. A new one follows where it was ended.
        """
        try:
            return self._looker().execute(query, params).fetchall()
        except psycopg.OperationalError:
            if self._looking is not None and not self._looking.closed:
                raise
        return self._looker().execute(query, params).fetchall()

    def value(self, query: str, params: Sequence[Any] | None = None) -> Any:
        """The first value of the first row."""
        return self.rows(query, params)[0][0]

    def schema_dump(self, exclude_schemas: Sequence[str] = ()) -> str:
        """The schema as pg_dump writes it, without what differs from dump to dump.

        Two catalogs are equal for us when these texts are: owners, rights, comments, triggers, everything.
        """
        done = subprocess.run(
            [
                self.server.installation.tool("pg_dump"),
                "--schema-only",
                "--encoding=UTF8",
                *(f"--exclude-schema={schema}" for schema in exclude_schemas),
                f"--dbname={self.admin_dsn}",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith(_NOISE))

    def leave(self) -> None:
        """End the session that `rows` and `value` share; the next of them opens one."""
        if self._looking is not None:
            self._looking.close()

    def close(self) -> None:
        """Close what is open here."""
        while self._open:
            self._open.pop().close()
        self._looking = None

    def _looker(self) -> psycopg.Connection:
        if self._looking is None or self._looking.closed:
            self._looking = self.connect()
        return self._looking


class Databases:
    """Makes databases on one server, and drops them."""

    def __init__(self, server: Server, templates: dict[tuple[int, str], str]) -> None:
        self.server = server
        # Shared by all tests of the process: server and name of the template -> its database.
        self._templates = templates
        self._made: list[Database] = []

    def create(self, template: str = "template1") -> Database:
        """A new database, empty unless a template database is named."""
        name = f"t_{secrets.token_hex(6)}"
        self.server.create_database(name, template, by_files=True)
        database = Database(self.server, name)
        self._made.append(database)
        return database

    def clone(self, name: str, build: Callable[[Database], None]) -> Database:
        """A copy of what `build` makes; it is called once per server and `name`."""
        key = (id(self.server), name)
        if key not in self._templates:
            template = Database(self.server, f"template_{secrets.token_hex(6)}")
            self.server.create_database(template.name, by_files=True)
            try:
                build(template)
            finally:
                template.close()
            self._templates[key] = template.name
        return self.create(self._templates[key])

    def close(self) -> None:
        """Drop what was made for this test; the templates stay."""
        while self._made:
            database = self._made.pop()
            database.close()
            self.server.drop_database(database.name)
