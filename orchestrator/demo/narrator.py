"""The voice of the demo: short sentences on standard error, and bars where somebody is watching.

The driver says what begins; what happens inside a phase comes from the engine's own events, so nothing is said
that has not happened. On a terminal a bar follows the copy and the comparison; in a pipe or a log there are lines only.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from orchestrator.kernel.words import counted
from phases.registry import PHASES

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import TaskID

    from orchestrator.kernel.events import Event

_BARS: Final = {"backfill.progress": "copying", "verify.progress": "comparing"}
_NOTABLE: Final = {
    "source.taken_in": "{source} has appeared: it is mirrored and copied to {mapping} like the others",
    "source.changed": "{source} has changed: compiled anew for {mapping}, its rows are derived again",
    "action.retry": "{action}: the lock was not given at once, the application goes first (attempt {attempt})",
    "backfill.paused": "the copy pauses: {reason}",
    "backfill.unpaused": "the copy goes on after {seconds:.1f} s",
    "backfill.source.rewritten": "{source} was rewritten by somebody: it is copied again",
    "session.reconnecting": "a connection was lost, it is opened again",
    "lease.lost": "the lease was lost: {why}",
}
_FULL: Final = 100.0
_LONGEST: Final = 60  # of what stands beside a bar


class Narrator:
    """Tells one run."""

    def __init__(self, console: Console) -> None:
        """`console` writes to standard error: standard output is for the report."""
        self._console = console
        self._began = time.monotonic()
        self._progress: Progress | None = None
        if console.is_terminal:
            self._progress = Progress(
                TextColumn("          {task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[words]}"),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )
        self._task: TaskID | None = None
        self._name = ""

    def __enter__(self) -> Self:
        """Put the bars up, where there are any."""
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take them down: the terminal is as it was."""
        if self._progress is not None:
            self._progress.stop()

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self._print(Text(f"\n{title}", style="bold"))

    def say(self, sentence: str) -> None:
        """One line, with the time since the start."""
        self._print(Text.assemble((f"{time.monotonic() - self._began:7.1f} s  ", "dim"), sentence))

    def listen(self, event: Event) -> None:
        """Show an event of the engine, if it is one for people."""
        fields = event.fields
        if event.kind in _BARS:
            self._move(_BARS[event.kind], fields["percent"], counted(fields["rows_seen"], "row"))
        elif event.kind == "phase.started":
            self._begin(f"{fields['stage']}, {fields['phase']}")
        elif event.kind == "action.executing":
            self._move("", None, str(fields["action"]))
        elif event.kind == "phase.done":
            self._end()
            purpose = PHASES[fields["phase"]].purpose
            self.say(f"{fields['stage']}, {fields['phase']}: {purpose} ({fields['seconds']:.1f} s)")
        elif event.kind in {"phase.failed", "phase.rolling_back"}:
            self._end()
            self.say(f"{fields['stage']}, {fields['phase']}: " + fields.get("error", "taken back"))
        elif event.kind in _NOTABLE:
            self.say(_NOTABLE[event.kind].format(**fields))

    def _begin(self, name: str) -> None:
        self._end()
        self._name = name
        if self._progress is not None:
            self._task = self._progress.add_task(name, total=None, words="")

    def _move(self, doing: str, percent: float | None, words: str) -> None:
        if self._progress is None:
            return
        if self._task is None:
            self._task = self._progress.add_task(self._name, words="")
        name = f"{self._name} {doing}".strip() if self._name or doing else "working"
        self._progress.update(
            self._task,
            description=name,
            total=None if percent is None else _FULL,
            completed=percent or 0,
            words=words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…",
        )

    def _end(self) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.remove_task(self._task)
        self._task, self._name = None, ""

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True, highlight=False)
