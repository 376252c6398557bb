"""Failpoints: named places where a test can kill the process or make it fail.

`CHANGEOVER_FAILPOINT=name[:nth][=kill|raise]` arms one of them: the nth time (default the first) the
process comes by, it kills itself with SIGKILL (default; nothing is cleaned up, no `finally` runs, as with
`kill -9`) or raises `FailpointError`. Unarmed, a failpoint costs a look into the environment. The variable
is read at the place itself and not through the settings, because a child process must inherit it.

Each name is declared once, at import, with the sentence that says what has been committed when it is
passed; `NAMES` then lists them all for the tests that kill at every one. A test of the architecture
compares the calls in the source with the declarations.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.kernel.errors import RetryableError, UsageError

VARIABLE: Final = "CHANGEOVER_FAILPOINT"

NAMES: Final[dict[str, str]] = {}
"""Declared failpoints: name and what has happened when it is reached."""

_passed: dict[str, int] = {}
_lock = threading.Lock()


class FailpointError(RetryableError):
    """Raised by an armed failpoint; nothing but a test arms one."""


@dataclass(frozen=True, slots=True)
class Armed:
    """The parsed variable: which failpoint acts, at which passage, and how."""

    name: str
    nth: int
    action: Literal["kill", "raise"]


def declare(name: str, doc: str) -> str:
    """Register a failpoint, with what has happened when it is reached, and give its name back."""
    if NAMES.get(name, doc) != doc:
        message = f"failpoint {name!r} is declared twice"
        raise ValueError(message)
    NAMES[name] = doc
    return name


def parse(text: str) -> Armed:
    """Read `name[:nth][=kill|raise]`."""
    place, _, action = text.partition("=")
    name, _, nth = place.partition(":")
    if action not in {"", "kill", "raise"} or not name or (nth and not (nth.isdecimal() and int(nth) > 0)):
        raise UsageError(
            f"{VARIABLE}={text!r} is not of the form name[:nth][=kill|raise].",
            kept="Nothing was changed.",
            todo=f"Unset {VARIABLE}; it is for tests.",
        )
    return Armed(name, int(nth or 1), "raise" if action == "raise" else "kill")


def failpoint(name: str) -> None:
    """Act if this place is armed and it is its turn."""
    text = os.environ.get(VARIABLE)
    if text is None:
        return
    armed = parse(text)
    if armed.name != name:
        return
    with _lock:
        # Counted per setting, so that a test in the same process that arms anew starts from one.
        _passed[text] = passage = _passed.get(text, 0) + 1
    if passage != armed.nth:
        return
    if armed.action == "raise":
        raise FailpointError(f"Failpoint {name!r} was reached for the {passage}. time.")
    os.kill(os.getpid(), signal.SIGKILL)


def reset() -> None:
    """Forget the passages counted so far (for tests that arm the same failpoint again in one process)."""
    with _lock:
        _passed.clear()
