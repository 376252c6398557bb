"""A process that forks jobs and does not wait for them, so that others can do things to them while they work.

`python -m tests.chaos.schedules.launcher` reads one JSON line per job (`id`, `argv`, `env`, `out`, `err`, `clock`) and
writes one when it has started (`id`, `pid`) and one when it has ended (`id`, `code`). Everything is imported once,
before the first fork; there is one thread, so forking is safe. When its input closes it kills what still runs.

`clock` is a list of (seconds, offset): so long after its start the job's wall clock jumps to being wrong by so much.
The program's own look at the wall clock is moved, not the machine's: `time.time`, and `datetime.now` in its modules.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from datetime import datetime, tzinfo
from typing import Any

from tests.chaos.forking import be_the_command

_LOOK_S = 0.02
_OURS = ("orchestrator", "backfill", "phases", "flags")


def _move_clock(jumps: list[tuple[float, float]]) -> None:
    begun, plain = time.monotonic(), time.time

    def moved() -> float:
        lived = time.monotonic() - begun
        return plain() + next((offset for after, offset in reversed(jumps) if lived >= after), 0.0)

    class Like(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, datetime)

    class Moved(datetime, metaclass=Like):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(moved(), tz)

    time.time = moved
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _OURS and getattr(module, "datetime", None) is datetime:
            module.datetime = Moved  # type: ignore[attr-defined]


def _child(order: dict[str, Any]) -> None:
    """Be the job."""
    for number, path in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), number)
    if order["clock"]:
        _move_clock(order["clock"])
    be_the_command(order["argv"], order["env"])


def _say(**words: Any) -> None:
    os.write(1, (json.dumps(words) + "\n").encode())


def _reap(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        _say(id=running.pop(pid), code=os.waitstatus_to_exitcode(status))


def main() -> None:
    """Take orders until there are none."""
    importlib.import_module("orchestrator.cli.main").build()
    running: dict[int, int] = {}
    rest = b""
    while True:
        _reap(running)
        if not select.select([0], [], [], _LOOK_S)[0]:
            continue
        read = os.read(0, 65_536)
        if not read:
            break
        *lines, rest = (rest + read).split(b"\n")
        for line in lines:
            order = json.loads(line)
            pid = os.fork()
            if not pid:
                _child(order)
            running[pid] = order["id"]
            _say(id=order["id"], pid=pid)
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
