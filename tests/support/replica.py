"""A streaming replica of a server of ours, made with pg_basebackup as anybody would make one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from orchestrator.demo.ports import free_port
from orchestrator.demo.server import EmbeddedServer, _common_folder

if TYPE_CHECKING:
    from orchestrator.demo.databases import Server


class Replica(EmbeddedServer):
    """Follows `primary` for as long as the `with` block lasts; hot, so that it can be asked and held back."""

    def __init__(self, primary: Server) -> None:
        super().__init__({"hot_standby": "on"}, primary.installation)
        self._primary = primary

    def _start(self) -> None:
        base = self._hire_keeper(_common_folder())
        data, given = base / "data", conninfo_to_dict(self._primary.admin_dsn())
        given.pop("dbname", None)
        backup = [self.installation.tool("pg_basebackup"), "--write-recovery-conf", "--wal-method=stream"]
        self._ask("run", [*backup, f"--pgdata={data}", "--checkpoint=fast", "--dbname", make_conninfo("", **given)])
        port = free_port()
        self._admin = make_conninfo(self._primary.admin_dsn("postgres"), port=port)
        self._ask("start", self._postgres(data, port))
        self._await_ready(self._admin)
