"""Commands as processes that work while the test does something else: to them, or to what they stand on."""

from __future__ import annotations

import itertools
import json
import os
import signal
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.chaos.forking import forker

_PATIENCE = 30.0


class Job:
    """One process of the program."""

    def __init__(self, argv: Sequence[str], folder: Path, name: str) -> None:
        self.argv = tuple(argv)
        self.name = name
        self.out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        self.pid = 0
        self.code: int | None = None
        self.begun, self.ended = threading.Event(), threading.Event()

    @property
    def said(self) -> str:
        """What it has written to standard error until now: its log, and its last words."""
        return self._err.read_text(errors="replace") if self._err.exists() else ""

    @property
    def lines(self) -> int:
        """How many lines that is."""
        return self._err.read_bytes().count(b"\n") if self._err.exists() else 0

    @property
    def running(self) -> bool:
        return not self.ended.is_set()

    def send(self, number: signal.Signals) -> bool:
        """Send a signal; False if it was over."""
        if self.ended.is_set():
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
            return True
        return False

    def wait(self, seconds: float) -> int:
        """The exit code; below zero is the signal that ended it."""
        assert self.ended.wait(seconds), (
            f"{self.name} {self.argv} is still there after {seconds} s:\n{self.said[-3000:]}"
        )
        assert self.code is not None
        return self.code


class Launcher:
    """Starts jobs by forking a process that has imported everything."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="changeover-jobs-")
        self._jobs: dict[int, Job] = {}
        self._numbers = itertools.count(1)
        self._process = forker("tests.chaos.schedules.launcher")
        self._listener = threading.Thread(target=self._listen, name="launcher", daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_PATIENCE)
        self._listener.join(_PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._folder.cleanup()

    def start(
        self, dsn: str, *argv: str, env: Mapping[str, str] | None = None, clock: Sequence[tuple[float, float]] = ()
    ) -> Job:
        """Start a command, and come back when it has begun."""
        number = next(self._numbers)
        job = self._jobs[number] = Job(argv, Path(self._folder.name), f"job {number}")
        order: dict[str, Any] = {
            "id": number,
            "argv": argv,
            "env": {"CHANGEOVER_DSN": dsn, **(env or {})},
            "out": str(job.out),
            "err": str(job._err),
            "clock": list(clock),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        assert job.begun.wait(_PATIENCE), f"{argv} was not started"
        return job

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            job = self._jobs[told["id"]]
            if "pid" in told:
                job.pid = told["pid"]
                job.begun.set()
            else:
                job.code = told["code"]
                job.ended.set()
