"""A PostgreSQL server for the demo and the tests, gone when the block ends.

`EmbeddedServer` starts one from binaries (see `binaries.py`): its own data folder, 127.0.0.1 on a free port, no
socket, passwords (SCRAM) made up for this start, another user when we are root. The process belongs to a keeper
(`keeper.py`), so nothing is left behind however we end. `AttachedServer` uses one that runs already
(CHANGEOVER_TEST_DSN) and removes the roles and databases that it made there. `open_server` chooses.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from orchestrator.demo import binaries, keeper
from orchestrator.demo.databases import Server
from orchestrator.demo.passwords import kept_of, random_password
from orchestrator.demo.ports import free_port
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import ChangeoverError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

TEST_DSN: Final = "CHANGEOVER_TEST_DSN"
ADMIN: Final = "postgres"

FAST: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "2GB",
}
"""For servers whose data nobody will miss. A crash of the server is still survived, one of the machine not."""

_READY_SECONDS: Final = 60.0
_PORT_ATTEMPTS: Final = 5
_BUILTIN_LOCALES: Final = 17  # the first version that brings C.UTF-8 with it


class AttachedServer(Server):
    """A server that somebody else runs. The DSN must be an administrator's."""

    def __init__(self, dsn: str) -> None:
        """Attach; the tools (pg_dump) come from the chain and must not be older than the server."""
        super().__init__(dsn, binaries.locate(), suffix=f"_{secrets.token_hex(4)}")
        with connect(dsn) as conn:
            self._major = conn.info.server_version // 10000

    @property
    def major(self) -> int:
        """The major version of the server, whatever our tools are."""
        return self._major

    def admin_dsn(self, database: str = "") -> str:
        """As the role of the given DSN, in the database it names unless told otherwise."""
        return make_conninfo(self._admin, dbname=database) if database else self._admin

    def close(self) -> None:
        """Remove what we made, by name."""
        for database in list(self._databases):
            self.drop_database(database)
        with connect(self.admin_dsn()) as conn:
            for role in self._passwords:
                conn.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


class EmbeddedServer(Server):
    """A server of our own, for as long as the `with` block lasts."""

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        installation: binaries.Installation | None = None,
        folder: Path | None = None,
    ) -> None:
        """Prepare; `settings` are parameters of postgresql.conf, `folder` is for the data. Nothing is started yet."""
        super().__init__("", installation or binaries.locate())
        self._settings = dict(settings or {})
        self._folder = folder
        self._user = _other_user()
        self._keeper: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """Stop the server and remove its files: close the pipe and wait for the keeper."""
        if self._keeper is None:
            return
        held, self._keeper = self._keeper, None
        held.communicate()

    def crash(self) -> None:
        """Take the server down the hard way and wait until it has recovered. Connections are lost."""
        self._ask("crash")
        self._await_ready(self.admin_dsn())

    def identity(self) -> tuple[int, Path]:
        """The server's process and the folder it lives in."""
        answer = self._tell("identity")
        return int(answer["pid"]), Path(answer["text"])

    def _start(self) -> None:
        parent = _common_folder()
        self.installation = binaries.reachable_by(self.installation, self._user, parent)
        base = self._hire_keeper(self._folder or parent)
        password = random_password()
        secret = base / "password"
        secret.touch(mode=0o600)
        secret.write_text(password)
        if self._user:
            os.chown(secret, self._user.pw_uid, self._user.pw_gid)
        data = base / "data"
        self._ask("run", self._initdb(data, secret))
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            port = free_port()
            self._admin = make_conninfo(host="127.0.0.1", port=port, user=ADMIN, password=password, dbname="postgres")
            self._ask("start", self._postgres(data, port))
            try:
                self._await_ready(self._admin)
            except RetryableError:
                # Between finding a free port and using it, somebody else may take it.
                if attempt == _PORT_ATTEMPTS:
                    raise
                continue
            break
        self.create_roles(kept_of)
        with connect(self.admin_dsn()) as conn:
            given = sql.Identifier(ADMIN), sql.Literal(kept_of(password))
            conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(*given))

    def _initdb(self, data: Path, secret: Path) -> list[str]:
        utf8 = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if self.installation.major < _BUILTIN_LOCALES:
            utf8 = ["--locale=C.UTF-8"]
        return [
            self.installation.tool("initdb"),
            *(f"--pgdata={data}", f"--pwfile={secret}", f"--username={ADMIN}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", "--no-instructions"),
            *utf8,
        ]

    def _postgres(self, data: Path, port: int) -> list[str]:
        fixed = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "logging_collector": "off",
        }
        chosen = [f"--{name}={value}" for name, value in (self._settings | fixed).items()]
        return [self.installation.tool("postgres"), "-D", str(data), *chosen]

    def _hire_keeper(self, parent: Path) -> Path:
        uid, gid = (str(self._user.pw_uid), str(self._user.pw_gid)) if self._user else ("", "")
        # Variables like PGDATA or PGOPTIONS are meant for another server.
        env = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        self._keeper = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", keeper.__file__, str(parent), uid, gid],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
            # Ctrl-C in a terminal goes to its whole process group: the server must not get it before we are done.
            start_new_session=True,
        )
        return Path(self._answer()["text"])

    def _ask(self, what: str, argv: list[str] | None = None) -> None:
        answer = self._tell(what, argv)
        if not answer["ok"]:
            raise ChangeoverError(f"The embedded PostgreSQL server failed at `{what}`: {answer['text']}")

    def _tell(self, what: str, argv: list[str] | None = None) -> dict[str, Any]:
        if self._keeper is None or self._keeper.stdin is None:
            raise ChangeoverError("The embedded PostgreSQL server is not running.")
        self._keeper.stdin.write(json.dumps({"do": what, "argv": argv}) + "\n")
        self._keeper.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._keeper.stdout.readline() if self._keeper and self._keeper.stdout else ""
        if not line:
            raise ChangeoverError("The keeper of the embedded PostgreSQL server has ended.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _await_ready(self, dsn: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            state = self._tell("alive")
            try:
                psycopg.connect(dsn, connect_timeout=5).close()
            except psycopg.OperationalError as exc:
                if not state["ok"] or time.monotonic() > deadline:
                    raise RetryableError(
                        f"The embedded PostgreSQL server did not start: {state['text'] or exc}"
                    ) from exc
                time.sleep(0.05)
            else:
                return


@contextmanager
def open_server(settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The server of the chain: the running one that CHANGEOVER_TEST_DSN names, or one of our own."""
    if dsn := os.environ.get(TEST_DSN):
        attached = AttachedServer(dsn)
        attached.create_roles()
        try:
            yield attached
        finally:
            attached.close()
    else:
        with EmbeddedServer(settings) as server:
            yield server


def _other_user() -> pwd.struct_passwd | None:
    """Who runs the server: we ourselves, or, as PostgreSQL refuses root, `postgres` or `nobody`."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ChangeoverError(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it.",
        kept="Nothing was started.",
        todo="Run as an ordinary user.",
    )


def _common_folder() -> Path:
    """A folder for data and copies that another user can reach too."""
    for folder in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108 - mkdtemp inside
        if os.getuid() != 0 or all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents)):
            return folder.resolve()
    raise ChangeoverError("No temporary folder that the server's user can reach.", todo="Set TMPDIR.")
