"""Commands that the page begins: each is a process of its own, which goes on when the page ends.

It is the command line's own process, so it has the same lease, guards and words; `CHANGEOVER_ACTOR` says in whose name
it works. The page waits a moment for what is refused at once, and tells that as if it had done the work itself; after
that the ledger says how the work goes, to whoever looks. A process that ends later with an error leaves a note for the
person who began it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from orchestrator.kernel.errors import ChangeoverError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ENTRY: Final = "from orchestrator.cli.entry import main; main()"
_AT_ONCE_S: Final = 5.0
_LOOK_S: Final = 0.05


@dataclass(frozen=True)
class Begun:
    """A process that was begun, and where it writes its last words."""

    process: subprocess.Popen[bytes]
    said: IO[bytes]
    name: str
    """Who began it."""

    def error(self) -> ChangeoverError:
        """Why it ended: the last line of its standard error."""
        self.said.seek(0)
        last = (self.said.read().splitlines() or [b""])[-1].decode(errors="replace")
        try:
            found: dict[str, Any] = json.loads(last)
            return RefusedError(str(found["what"]), kept=str(found["kept"]), todo=str(found["todo"]))
        except (ValueError, KeyError, TypeError):
            code = self.process.returncode
            return ChangeoverError(
                f"The process ended with {code}. {last}".rstrip(), kept="What was committed is kept."
            )


class Launcher:
    """Begins processes, one at a time for each plan."""

    def __init__(self, dsn: str, *, at_once_s: float = _AT_ONCE_S) -> None:
        """They work on this database; what ends within `at_once_s` is told at once."""
        self._dsn = dsn
        self._at_once_s = at_once_s
        self._begun: dict[str, Begun] = {}
        self._lock = threading.Lock()

    def begin(self, plan: str, arguments: Sequence[str], name: str, tell: Callable[[str], None]) -> bool:
        """Begin a command in somebody's name; True if it is done already. Raises what it was refused for.

        `tell` is called with what went wrong afterwards.
        """
        with self._lock:
            before = self._begun.get(plan)
            if before is not None and before.process.poll() is None:
                raise RefusedError(
                    f"{before.name} has begun a command of plan {plan} from this page, and it is at work "
                    f"(pid {before.process.pid}).",
                    kept="Nothing was changed.",
                    todo="Wait for its end, or cancel it.",
                )
            begun = self._begun[plan] = self._start(arguments, name)
        until = time.monotonic() + self._at_once_s
        while begun.process.poll() is None and time.monotonic() < until:
            time.sleep(_LOOK_S)
        if begun.process.returncode is None:
            threading.Thread(target=_wait, args=(begun, tell), name="changeover-begun", daemon=True).start()
            return False
        with begun.said:
            if begun.process.returncode:
                raise begun.error()
        return True

    def _start(self, arguments: Sequence[str], name: str) -> Begun:
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        process = subprocess.Popen(  # noqa: S603 - our own program; the arguments were looked up before
            [sys.executable, "-c", _ENTRY, *arguments, "--json"],
            env={**os.environ, "CHANGEOVER_DSN": self._dsn, "CHANGEOVER_ACTOR": name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            # Ctrl-C at the page is not meant for it.
            start_new_session=True,
        )
        return Begun(process, said, name)


def _wait(begun: Begun, tell: Callable[[str], None]) -> None:
    """Until it has ended; a process that nobody waits for stays in the table of processes."""
    with begun.said:
        if begun.process.wait():
            error = begun.error()
            tell(" ".join(part for part in (error.what, error.kept, error.todo) if part))
