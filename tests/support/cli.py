"""The command line as a user meets it: arguments in, exit code and the two streams out.

`Cli` runs it in this process (`orchestrator.cli.main.run` is what the console script calls), which takes milliseconds;
`spawn` starts a real process, for what needs one: signals, pipes, the environment.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from orchestrator.cli.main import run
from orchestrator.kernel import documents


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What `--json` printed: one document, and nothing beside it."""
        return documents.read(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error as `--json` prints it: the last line of standard error."""
        found: dict[str, Any] = json.loads(self.err.splitlines()[-1])
        assert found.keys() >= {"what", "kept", "todo", "exit_code"}
        return found


class Cli:
    """Runs commands against one database."""

    def __init__(self, dsn: str | None) -> None:
        self._dsn = dsn

    def __call__(self, *arguments: str) -> Done:
        """Run; `CHANGEOVER_DSN` is our database for the time."""
        before = os.environ.get("CHANGEOVER_DSN")
        out, err = io.StringIO(), io.StringIO()
        try:
            if self._dsn is None:
                os.environ.pop("CHANGEOVER_DSN", None)
            else:
                os.environ["CHANGEOVER_DSN"] = self._dsn
            with redirect_stdout(out), redirect_stderr(err):
                code = run(arguments)
        finally:
            os.environ.pop("CHANGEOVER_DSN", None)
            if before is not None:
                os.environ["CHANGEOVER_DSN"] = before
        return Done(code, out.getvalue(), err.getvalue())

    def ok(self, *arguments: str) -> Done:
        """Run, and expect it to be done."""
        done = self(*arguments)
        assert done.code == 0, f"{arguments}: {done.code}\n{done.out}\n{done.err}"
        return done


def spawn(dsn: str | None, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start it as a process of its own."""
    settings = {key: value for key, value in os.environ.items() if key != "CHANGEOVER_DSN"}
    if dsn is not None:
        settings["CHANGEOVER_DSN"] = dsn
    return subprocess.Popen(
        [sys.executable, "-c", "from orchestrator.cli.entry import main; main()", *arguments],
        env={**settings, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
