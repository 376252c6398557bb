"""The driver's handle on an application that runs as a process: starts it, talks to it, reads what it leaves.

`AppProcess` is what every application of a demo has; `Application` is CQMS's.

with Application(dsn, folder) as application:
    application.phase("backfill")
    ...
counters_of(application.requests())
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from orchestrator.demo.application.journal import read
from orchestrator.demo.application.record import Request, load_requests
from orchestrator.kernel.errors import ChangeoverError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from orchestrator.demo.application.journal import Entry

_GOODBYE_S: Final = 60.0  # a client may still wait for its last answer


class AppProcess:
    """An application, running: `python -m MODULE`, which reads orders on its standard input."""

    def __init__(self, module: str, dsn: str, folder: Path, options: Mapping[str, object]) -> None:
        """`dsn` is the application role's; `folder` takes what it leaves."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by stop
        given = {**options, "--out": folder}
        # The DSN goes by the environment: an argument could be read by everybody on this machine.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, *(str(x) for pair in given.items() for x in pair)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env=os.environ | {"CHANGEOVER_DEMO_DSN": dsn},
        )
        self._stopped = False
        self._wait_for("ready")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def phase(self, name: str) -> None:
        """Label the requests from now on."""
        self._tell(f"phase {name}")

    def rate(self, requests_per_second: float) -> None:
        """Change the pace."""
        self._tell(f"rate {requests_per_second}")

    def stop(self) -> None:
        """Let the clients finish and the process end; raises if it had ended by itself."""
        if self._stopped:
            return
        self._stopped = True
        self._tell("stop")
        self._wait_for("stopped")
        self._process.wait(_GOODBYE_S)
        self._close()

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    def requests(self) -> Iterator[Request]:
        """All requests; only after `stop`."""
        return load_requests(self._folder / "requests.jsonl")

    def __enter__(self) -> Self:
        """Nothing to do: it runs since it was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, by force when something else went wrong already."""
        if error is None:
            self.stop()
        elif not self._stopped:
            self._stopped = True
            self._process.terminate()
            self._process.wait(_GOODBYE_S)
            self._close()

    def _tell(self, line: str) -> None:
        if self._process.stdin is None:
            raise ChangeoverError("The simulated application has no control pipe.")
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            raise self._died() from exc

    def _wait_for(self, word: str) -> None:
        answer = self._process.stdout.readline().strip() if self._process.stdout else ""
        if answer != word:
            raise self._died()

    def _died(self) -> ChangeoverError:
        self._process.wait(_GOODBYE_S)
        self._stderr.seek(0)
        lines = self._stderr.read().strip().splitlines()[-15:]
        self._close()
        return ChangeoverError(
            f"The simulated application ended by itself (exit code {self._process.returncode}).",
            kept="Its journal is kept.",
            todo="It said: " + "\n".join(lines),
        )


class Application(AppProcess):
    """The application of CQMS, running."""

    def __init__(
        self,
        dsn: str,
        folder: Path,
        *,
        rate: float = 50,
        old: int = 4,
        new: int = 4,
        seed: int = 1,
        name: str = "app",
    ) -> None:
        """`name` is new to the database."""
        options = {"--rate": rate, "--old": old, "--new": new, "--seed": seed, "--name": name}
        super().__init__("orchestrator.demo.application", dsn, folder, options)

    def mischief(self, *, on: bool) -> None:
        """Whether clients also make writes that are going to be rejected, and mend them at once."""
        self._tell(f"mischief {'on' if on else 'off'}")

    def deploy(self, build: str) -> None:
        """Deploy a build of the new report: the `first` attempt (it starts with that), or the `mended` one."""
        self._tell(f"deploy {build}")

    def entries(self) -> Iterator[Entry]:
        """The acknowledged writes so far."""
        return read(self._folder / "journal.jsonl")
