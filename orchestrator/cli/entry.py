"""Where the command begins.

The imports of a command take half a second: Ctrl-C has nothing to keep then, and gets no traceback.
"""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """The console script."""
    try:
        from orchestrator.cli.main import run  # noqa: PLC0415 - this import is what is guarded
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(run())
