"""A process that forks: each command is a process of its own, and costs no import of the program.

`python -m tests.chaos.fork_server` reads one JSON line per command (`argv`, `env`, `met`) and answers with one (`code`,
`out`, `err`). The child is a real process with connections and threads of its own, and SIGKILL does to it what it does
to any. With `met`, the path of a file, the child kills itself at the first **commit point** that is not in that file,
having added it (with `share` = n only at every nth that is new). A commit point is wherever a connection of the program
goes back to idle after a statement that may have changed something, and every failpoint (the copy's connections are
another driver's; each of their commits has one). So nobody has to list the commit points, and one that is added
tomorrow is met tomorrow.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import signal
import sys
import tempfile
import threading
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus

from orchestrator.kernel import failpoints
from tests.chaos.forking import be_the_command

if TYPE_CHECKING:
    from collections.abc import Iterator

_READS = re.compile(r"(--[^\n]*\n\s*)*(SELECT|SHOW|SET|RESET|BEGIN|WITH mine)\b", re.IGNORECASE)
_PID = re.compile(r"pid \d+")
_PLAIN = failpoints.failpoint
_reaper: Reaper | None = None


class Reaper:
    """Kills this process at a commit point that nobody has been killed at."""

    def __init__(self, path: str, command: str, share: int) -> None:
        self._path, self._share = Path(path), share
        self._met = set(self._path.read_text().splitlines()) if self._path.exists() else set()
        self._command = command
        self._since: dict[int, list[str]] = defaultdict(list)

    def said(self, conn: psycopg.Connection[Any], text: str, values: Any) -> None:
        """A statement was executed."""
        if not _READS.match(text.lstrip()):
            names = values.values() if isinstance(values, dict) else values or ()
            told = [_PID.sub("pid", each) for each in names if isinstance(each, str)]
            self._since[id(conn)].append(f"{' '.join(text.split())} {told}")
        self.idle(conn)

    def idle(self, conn: psycopg.Connection[Any]) -> None:
        """Perhaps something has just been committed."""
        if conn.info.transaction_status == TransactionStatus.IDLE and (since := self._since.pop(id(conn), [])):
            digest = hashlib.sha256("\n".join(since).encode()).hexdigest()[:12]
            self.reach(f"{digest} {since[-1][:150]}")

    def reach(self, place: str) -> None:
        """Die here, unless somebody has."""
        thread = threading.current_thread()
        place = f"{self._command}: {place}"
        if place in self._met or not (thread is threading.main_thread() or thread.name.startswith("asyncio")):
            return
        self._met.add(place)
        with self._path.open("a") as file:
            file.write(place + "\n")
        if len(self._met) % self._share == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _watch() -> None:
    """See every statement and every end of a transaction; must be done before the program is imported."""
    execute, transaction = psycopg.Cursor.execute, psycopg.Connection.transaction

    def watched(self: psycopg.Cursor[Any], query: Any, params: Any = None, **more: Any) -> Any:
        result = execute(self, query, params, **more)
        if _reaper is not None:
            text = query.decode() if isinstance(query, bytes) else query
            text = text if isinstance(text, str) else text.as_string(self.connection)
            _reaper.said(self.connection, text, params)
        return result

    @contextmanager
    def block(self: psycopg.Connection[Any], *args: Any, **more: Any) -> Iterator[Any]:
        with transaction(self, *args, **more) as inside:
            yield inside
        if _reaper is not None:
            _reaper.idle(self)

    def failpoint(name: str) -> None:
        _PLAIN(name)
        if _reaper is not None:
            _reaper.reach(name)

    psycopg.Cursor.execute = watched  # type: ignore[method-assign]
    psycopg.Connection.transaction = block  # type: ignore[method-assign]
    failpoints.failpoint = failpoint


def _child(order: dict[str, Any], out: int, err: int) -> None:
    """Be the command."""
    global _reaper  # noqa: PLW0603 - the hooks are installed once, before the fork
    os.dup2(out, 1)
    os.dup2(err, 2)
    if order["met"]:
        _reaper = Reaper(order["met"], " ".join(order["argv"]), order["share"])
    be_the_command(order["argv"], order["env"])


def main() -> None:
    """Take orders until there are none."""
    _watch()
    importlib.import_module("orchestrator.cli.main").build()  # after the hooks
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            pid = os.fork()
            if not pid:
                _child(order, out.fileno(), err.fileno())
            reaper = threading.Timer(order["seconds"] or 0, os.kill, (pid, signal.SIGKILL))
            if order["seconds"] is not None:
                reaper.start()
            _, status = os.waitpid(pid, 0)
            reaper.cancel()
            answer: dict[str, Any] = {"code": os.waitstatus_to_exitcode(status)}
            for name, file in (("out", out), ("err", err)):
                file.seek(0)
                answer[name] = file.read().decode(errors="replace")
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
