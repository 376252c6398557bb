"""Where the command begins.

The imports of a command take half a second: Ctrl-C has nothing to keep then, and gets no traceback. They make many
objects and no garbage: without its collector they take an eighth less.
"""

from __future__ import annotations

import gc
import sys

INTERRUPTED = 130


def main() -> None:
    """The console script."""
    gc.disable()
    try:
        from orchestrator.cli.main import run  # noqa: PLC0415 - this import is what is guarded
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(run(ready=_collect_again))


def _collect_again() -> None:
    gc.freeze()
    gc.enable()
