"""Databases on a server that is ours to use, and the three roles that meet in them.

Three roles, because rights are part of what is shown: the administrator (makes and drops databases, nothing else
is done with it), the *owner* of the databases, who is no superuser and runs the migration (P7), and the
*application*, which has what the owner grants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql
from psycopg.conninfo import make_conninfo

from orchestrator.demo.passwords import random_password
from orchestrator.kernel.connections import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.demo import binaries


_COPIES_BY_WAL: Final = 15
_PUBLIC_IS_CLOSED: Final = 15
"""From this version on schema public belongs to the owner of the database, and nobody else creates there."""


class Server:
    """A running server on which we may create databases, and its three roles."""

    def __init__(self, admin: str, installation: binaries.Installation, suffix: str = "") -> None:
        """Take the administrator's DSN; `suffix` keeps our roles apart from those of others."""
        self._admin = admin
        self.installation = installation
        self.owner = f"changeover_owner{suffix}"
        self.application = f"changeover_app{suffix}"
        self._passwords = {self.owner: random_password(), self.application: random_password()}
        self._databases: list[str] = []

    @property
    def major(self) -> int:
        """The major version of the binaries in use."""
        return self.installation.major

    def admin_dsn(self, database: str = "postgres") -> str:
        """As the administrator: for making and dropping databases, not for migrating."""
        return make_conninfo(self._admin, dbname=database)

    def owner_dsn(self, database: str) -> str:
        """As the ordinary role that owns the database: what the program is given."""
        return self._as(self.owner, database)

    def app_dsn(self, database: str) -> str:
        """As the application."""
        return self._as(self.application, database)

    def create_roles(self, kept: Callable[[str], str] = str) -> None:
        """Make the two ordinary roles; `kept` says what the server is given for a password."""
        with connect(self.admin_dsn()) as conn:
            for role, password in self._passwords.items():
                conn.execute(
                    sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(kept(password))
                    )
                )

    def create_database(self, name: str, template: str = "template1", *, by_files: bool = False) -> None:
        """Make a database that the owner owns.

        `by_files` copies the template's files after a checkpoint, as every server did before 15: half the work where
        nobody else works, and a burden where somebody does.
        """
        how = sql.SQL(" STRATEGY file_copy" if by_files and self.major >= _COPIES_BY_WAL else "")
        with connect(self.admin_dsn()) as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}{}").format(
                    sql.Identifier(name), sql.Identifier(self.owner), sql.Identifier(template), how
                )
            )
        self._databases.append(name)
        if self.major < _PUBLIC_IS_CLOSED:
            with connect(self.admin_dsn(name)) as conn:
                conn.execute(
                    "REVOKE CREATE ON SCHEMA public FROM PUBLIC; ALTER SCHEMA public OWNER TO pg_database_owner"
                )

    def drop_database(self, name: str) -> None:
        """Drop a database, disconnecting whoever is in it."""
        with connect(self.admin_dsn()) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        if name in self._databases:
            self._databases.remove(name)

    def _as(self, role: str, database: str) -> str:
        return make_conninfo(self._admin, user=role, password=self._passwords[role], dbname=database)
