"""Where the command begins.

The imports of a command take half a second: Ctrl-C has nothing to keep then, and gets no traceback. They make many
objects and no garbage: without its collector they take an eighth less.

What the terminal's encoding cannot say is written as its escape, as JSON writes it. A stream that was closed takes
everything and keeps nothing.
"""

from __future__ import annotations

import codecs
import gc
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

INTERRUPTED = 130


def main() -> None:
    """The console script."""
    gc.disable()
    codecs.register_error("changeover", escape)
    sys.stdout, sys.stderr = _writable(sys.stdout), _writable(sys.stderr)
    try:
        from orchestrator.cli.main import run  # noqa: PLC0415 - this import is what is guarded
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(run(ready=_collect_again))


def escape(error: UnicodeError) -> tuple[str, int]:
    """Escapes in place of characters that an encoding does not have; JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end


def _writable(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - it is open until the process ends
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="changeover")
    return stream


def _collect_again() -> None:
    gc.freeze()
    gc.enable()
