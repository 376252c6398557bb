"""The keeper: a small process that owns a throw-away server and outlives whoever asked for it.

It is a program of its own, started by `server.py`, and it is the parent of PostgreSQL. Its standard input
is a pipe held by the asker; when that pipe closes, because the asker is finished, crashed, was interrupted
with Ctrl-C or killed with SIGKILL, the keeper stops the server and removes its files. So there is one way to end, and
it needs no cleverness in the asker: no signal handlers, no atexit. It signals only the process that it started itself.

It is run by path and in isolated mode (`python -I keeper.py`), so it imports the standard library only. Commands
come as one JSON object per line, and each is answered by one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_STOP_SECONDS = 60


class Keeper:
    """Holds the folder and the server process."""

    def __init__(self, parent: str, uid: int | None, gid: int | None) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="changeover-server-", dir=parent))
        self.identity: dict[str, Any] = {}
        if uid is not None and gid is not None:
            os.chown(self.base, uid, gid)
            self.identity = {"user": uid, "group": gid, "extra_groups": []}
        self.log = self.base / "server.log"
        self.argv: list[str] = []
        self.server: subprocess.Popen[bytes] | None = None

    def run(self, argv: list[str]) -> dict[str, Any]:
        """Run a command (initdb) to its end, as the server's user."""
        done = subprocess.run(  # noqa: S603 - our own asker
            argv, cwd=self.base, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **self.identity
        )
        return {"ok": done.returncode == 0, "text": done.stdout + done.stderr}

    def start(self, argv: list[str]) -> dict[str, Any]:
        """Start the server."""
        self.argv = argv
        with self.log.open("ab") as log:
            self.server = subprocess.Popen(  # noqa: S603 - our own asker
                argv, cwd=self.base, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.identity
            )
        return {"ok": True}

    def alive(self) -> dict[str, Any]:
        """Say whether the server process is there, and if not, what it said last."""
        ok = self.server is not None and self.server.poll() is None
        return {"ok": ok, "text": "" if ok else self.log.read_text(errors="replace")[-2000:]}

    def crash(self) -> dict[str, Any]:
        """Let the server go down without a checkpoint and come up again through recovery."""
        self._end(signal.SIGQUIT)
        return self.start(self.argv)

    def stop(self) -> None:
        """Stop the server (fast: its clients are disconnected) and remove everything."""
        try:
            self._end(signal.SIGINT)
        finally:
            shutil.rmtree(self.base, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self.server is None:
            return
        for attempt in (how, signal.SIGQUIT, signal.SIGKILL):
            if self.server.poll() is None:
                self.server.send_signal(attempt)
            try:
                self.server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return


def main() -> None:
    """Serve commands until the pipe closes."""
    for harmless in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(harmless, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parent, uid, gid = sys.argv[1:]
    keeper = Keeper(parent, int(uid) if uid else None, int(gid) if gid else None)
    try:
        _serve(keeper)
    finally:
        keeper.stop()


def _serve(keeper: Keeper) -> None:
    _answer({"ok": True, "text": str(keeper.base)})
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "run":
                _answer(keeper.run(command["argv"]))
            case "start":
                _answer(keeper.start(command["argv"]))
            case "alive":
                _answer(keeper.alive())
            case "crash":
                _answer(keeper.crash())
            case "identity":
                _answer({"ok": True, "pid": keeper.server.pid if keeper.server else 0, "text": str(keeper.base)})


def _answer(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
