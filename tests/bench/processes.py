"""How long an operator waits: processes of ours by the clock, the best of several, and many small tables."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.engine import commands
from orchestrator.kernel.events import Bus
from tests.bench import worlds
from tests.bench.figures import Figure, Goal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.demo.databases import Server

_REPEATS: Final = 5
_TIMEOUT: Final = 1200


def version() -> list[Figure]:
    """The shortest process there is."""
    return [Figure("changeover --version", min(_seconds(["--version"]) for _ in range(_REPEATS)), "s", Goal(0.25))]


def phase_overhead(dsn: str, plan: str, stage: str) -> list[Figure]:
    """A phase that is done already, as a process and as a call: what the process adds. `dsn` is migrated up to verify."""
    arguments = ["run", "expand", "--plan", plan, "--stage", stage]
    process = min(_seconds(arguments, dsn) for _ in range(_REPEATS))
    calls = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        commands.run_phase(dsn, plan, stage, "expand", bus=Bus(), operator=worlds.OPERATOR)
        calls.append(time.perf_counter() - begun)
    note = f"process {process:.2f}, call {min(calls):.2f}"
    return [Figure("a phase's process, more than its work", process - min(calls), "s", Goal(0.6), note)]


def many_tables(server: Server, folder: Path, count: int) -> list[Figure]:
    """`plan check`, `start` up to verify, of many tables of 20 rows; each as a process."""
    server.create_database("many")
    dsn = server.owner_dsn("many")
    plan = worlds.many(dsn, folder, count)
    commands.init(dsn)
    check = _seconds(["plan", "check", plan], dsn)
    start = _seconds(["start", plan, "--until", "verify"], dsn)
    return [
        Figure(f"{count} small tables: plan check", check, "s", Goal(20)),
        Figure(f"{count} small tables: start, up to verify", start, "s", Goal(60)),
    ]


def _seconds(arguments: Sequence[str], dsn: str = "") -> float:
    """Wall time of a command of ours; its output belongs to the error only."""
    changeover = Path(sys.executable).with_name("changeover")
    begun = time.perf_counter()
    done = subprocess.run(
        [changeover, *arguments],
        env=os.environ | {"CHANGEOVER_DSN": dsn, "CHANGEOVER_ACTOR": worlds.OPERATOR},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    taken = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(
            f"changeover {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr or done.stdout}"
        )
    return taken
