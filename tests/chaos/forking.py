"""Both ends of a process that forks: how it is started, and how its child becomes a command of the program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn


def forker(module: str) -> subprocess.Popen[str]:
    """Start a module of these tests that takes orders on standard input, a line each, and answers on standard output."""
    return subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def be_the_command(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """In the child: carry it out and end, without what the parent would have done at its own end."""
    os.environ.update(env)
    from orchestrator.cli.main import run

    code = 1
    try:
        code = run(list(argv))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
