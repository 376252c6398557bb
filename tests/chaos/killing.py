"""Commands that are killed: at every commit point once, or at a failpoint, and given again until they are done."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from orchestrator.kernel.failpoints import VARIABLE
from tests.chaos.forking import forker
from tests.support.cli import Done

KILLED = -signal.SIGKILL
_MOST = 400
_HELD = "holds the lease"


class ForkServer:
    """Starts commands as processes."""

    def __init__(self) -> None:
        self._process = forker("tests.chaos.fork_server")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(
        self,
        dsn: str,
        *argv: str,
        env: dict[str, str] | None = None,
        met: Path | None = None,
        share: int = 1,
        seconds: float | None = None,
    ) -> Done:
        """Carry out one command in a process of its own; a code below zero is the signal that ended it.

        `seconds` is when it is killed, if it still lives by then.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "argv": argv,
            "env": {"CHANGEOVER_DSN": dsn, "CHANGEOVER_JOB__WAIT_S": "30", **(env or {})},
            "met": str(met) if met else None,
            "share": share,
            "seconds": seconds,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return Done(answer["code"], answer["out"], answer["err"])

    def patiently(self, dsn: str, *argv: str, **more: Any) -> Done:
        """The same; the server needs a moment to miss the connections of one that was killed."""
        for _ in range(200):
            done = self.run(dsn, *argv, **more)
            if done.code != 1 or _HELD not in done.err:
                break
            time.sleep(0.05)
        return done


@dataclass
class Hunt:
    """One database whose commands are killed, wherever they commit."""

    fork_server: ForkServer
    dsn: str
    met: Path
    share: int = 1
    """One commit point in so many."""
    kills: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, *argv: str) -> Done:
        """Give the command again and again, until nobody is left to be killed and it is done."""
        for killed in range(_MOST):
            done = self.fork_server.patiently(self.dsn, *argv, met=self.met, share=self.share)
            if done.code == KILLED:
                continue
            assert done.code == 0, f"{argv} after {killed} kills: {done.code}\n{done.err}\n{self._last()}"
            self.kills.append((" ".join(argv), killed))
            return done
        message = f"{argv} is still being killed after {_MOST} times\n{self._last()}"
        raise AssertionError(message)

    @property
    def places(self) -> list[str]:
        """Every commit point that was met so far."""
        return self.met.read_text().splitlines()

    def _last(self) -> str:
        return "\n".join(self.places[-3:]) if self.met.exists() else ""


def at(name: str, nth: int = 1) -> dict[str, str]:
    """The environment that kills at the nth passage of a failpoint."""
    return {VARIABLE: f"{name}:{nth}"}
