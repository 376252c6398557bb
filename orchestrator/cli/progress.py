"""Progress on standard error: bars on a terminal, plain lines elsewhere.

Both are made from the events of the bus, so they show what really happened and nothing has to report twice. Copy and
comparison announce themselves once a second (`backfill.progress`, `verify.progress`); a bar shows each, a log gets a
line every few seconds. Everything else that is worth a line for a person is in `_LINES`; other events are for
`--verbose`.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from string import Formatter
from typing import TYPE_CHECKING, Any, Final, Protocol

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from orchestrator.cli import output
from orchestrator.kernel.visible import visible
from orchestrator.kernel.words import counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import TaskID

    from orchestrator.kernel.events import Bus, Event

_EVERY_SECONDS: Final = 5.0
_BARS: Final = {"backfill.progress": "copying", "verify.progress": "comparing"}
_DONE: Final = 100.0

_LINES: Final = {
    "phase.started": "{stage}: {phase}",
    "phase.done": "{stage}: {phase} done in {seconds:.1f} s",
    "phase.failed": "{stage}: {phase} failed",
    "phase.stopped": "{stage}: {phase} stopped; what was committed is kept",
    "phase.rolling_back": "{stage}: taking {phase} back",
    "flag.lowered": "flag {flag}: {before} {rollout} % -> {stage}",
    "readers.polling": "waiting {seconds} s until every client has asked for the flags again",
    "readers.open": "waiting for transactions that may still read the new tables (pid {pids}), at most {seconds} s",
    "action.retry": "{stage}: {action}: lock not given ({sqlstate}), attempt {attempt}{held_by:held}",
    "lock.waits": "waiting for a lock{held_by:held}",
    "job.paused": "paused by {by}{reason:why}: it waits here until `changeover resume`",
    "job.resumed": "{by} lets it go on",
    "backfill.paused": "pausing: {reason}",
    "backfill.unpaused": "going on after {seconds:.1f} s",
    "backfill.hindered": "{source}: a batch gave way {times:time} in a row ({why}); see `changeover doctor`",
    "backfill.source.rewritten": "{source}: was rewritten, starting it again",
    "source.taken_in": "{source}: new, taken in",
    "source.changed": "{source}: changed, its rows are derived again",
    "source.archived": "{source}: archived in schema {schema}",
    "columns.archived": "{table}: columns {columns} are taken back; {words} that use them are in {archived}",
    "session.reconnecting": "connection lost, reconnecting (attempt {attempt})",
    "lease.lost": "the lease was lost: {why}",
    "drain.progress": "draining: {drained:key} drained, {waiting} waiting",
    "verify.draining": "{source}: {keys:key} to drain from the queue before the comparison",
    "plan.checking": "checking the plan against this database, stages: {stages}",
    "check.progress": "checking: {doing}{amount}",
    "rows.archived": "{place} keeps {rows:row} without an old form",
    "verify.repaired": "{source}: keys repaired: {keys}",
}


class _Words(Formatter):
    """`{rows:row}` is a number with its noun; `{held_by:held}`, who holds a lock, and `{reason:why}` may be unknown."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        if format_spec == "held":
            return f"; held by {value}" if value else ""
        if format_spec == "why":
            return f" ({value})" if value else ""
        return counted(value, format_spec) if format_spec.isalpha() else super().format_field(value, format_spec)


_WORDS: Final = _Words()


class Shown(Protocol):
    """Shows events."""

    def __call__(self, event: Event) -> None:
        """Show one."""


@contextmanager
def listener(bus: Bus, *, quiet: bool = False) -> Iterator[None]:
    """Show the events of the bus for the time of the block."""
    if quiet:
        yield
        return
    if not sys.stderr.isatty():
        with _subscribed(bus, Lines()):
            yield
        return
    with bars() as progress, _subscribed(bus, Bars(progress)):
        yield


def bars(console: Console | None = None) -> Progress:
    """The bars as they are laid out."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>5.1f} %"),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        console=console or output.err(),
        transient=True,
    )


class Lines:
    """One line for each thing worth it, and now and then one for the progress."""

    def __init__(self, clock: Any = time.monotonic) -> None:
        """Start; `clock` gives seconds."""
        self._clock = clock
        self._next = 0.0
        self._last: tuple[Any, ...] = ()

    def __call__(self, event: Event) -> None:
        """Write a line, or none."""
        if event.kind in _BARS:
            here = (event.kind, *(event.fields[name] for name in ("percent", "pages_total", "rows_seen")))
            done = event.fields["percent"] >= _DONE
            early = here == self._last if done else self._clock() < self._next
            if early or not event.fields["pages_total"]:
                return
            self._last = here
            self._next = self._clock() + _EVERY_SECONDS
            output.tell(f"{_BARS[event.kind]}: {event.fields['percent']:.1f} %, {words(event.fields)}")
        elif (line := _line(event)) is not None:
            output.tell(line)


class Bars:
    """A bar for each kind of progress, and lines above them."""

    def __init__(self, progress: Progress) -> None:
        """Take the display."""
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Move a bar, or write a line."""
        if event.kind in _BARS:
            if event.kind not in self._tasks:
                self._tasks[event.kind] = self._progress.add_task(_BARS[event.kind], total=_DONE, words="")
            self._progress.update(self._tasks[event.kind], completed=event.fields["percent"], words=words(event.fields))
        elif (line := _line(event)) is not None:
            self._progress.console.print(Text(visible(line)))
            if event.kind in {"phase.started", "phase.done"}:
                for task in self._tasks.values():
                    self._progress.remove_task(task)
                self._tasks.clear()


def words(fields: dict[str, Any]) -> str:
    """What stands beside the bar."""
    rejected = f", {fields['rows_rejected']} rejected" if fields.get("rows_rejected") else ""
    eta = fields.get("eta_seconds")
    left = "" if not eta else f", {duration(eta)} left"
    rate = f", {fields['rows_per_second']:.0f}/s" if fields["rows_per_second"] else ""  # None is known at first
    return f"{counted(fields['rows_seen'], 'row')}{rejected}{rate}{left}"


def _line(event: Event) -> str | None:
    form = _LINES.get(event.kind)
    if form is None:
        return None
    try:
        return _WORDS.vformat(form, (), event.fields)
    except (KeyError, ValueError):
        return event.kind


@contextmanager
def _subscribed(bus: Bus, shown: Shown) -> Iterator[None]:
    unsubscribe = bus.subscribe(shown)
    try:
        yield
    finally:
        unsubscribe()
