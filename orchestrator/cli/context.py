"""What a command works with: the settings, the DSN, a bus with its listeners, and a stop that Ctrl-C sets.

The first Ctrl-C (or SIGTERM, which is how a scheduler ends a job) asks for an end after the batch in hand, so that
nothing has to be rolled back; the second one interrupts. Both lose nothing: a batch and its checkpoint commit together.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator import settings
from orchestrator.cli import output
from orchestrator.cli.failure import InterruptError
from orchestrator.cli.progress import listener
from orchestrator.jobs import watch
from orchestrator.kernel.errors import ChangeoverError
from orchestrator.kernel.events import Bus
from orchestrator.observability.logs import LogListener, make_logger
from orchestrator.plan.loader import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from orchestrator.settings import Settings


@dataclass
class Context:
    """Settings, bus and stop of one command."""

    settings: Settings
    bus: Bus = field(default_factory=Bus)
    stop: threading.Event = field(default_factory=threading.Event)
    ids: Callable[[], Mapping[str, str]] = dict
    """What a log line says to be found from its trace."""

    @property
    def dsn(self) -> str:
        """The database, or an error that says how to name one."""
        return self.settings.require_dsn()

    @property
    def operator(self) -> str:
        """In whose name the ledger is written."""
        return self.settings.actor

    def workers(self, given: int | None) -> int:
        """The option, or the setting."""
        return self.settings.workers if given is None else given

    def wait(self, seconds: float | None) -> None:
        """How long to wait for a lease that another runner holds, where the command line says so."""
        if seconds is not None:
            job = self.settings.job.model_copy(update={"wait_s": seconds})
            self.settings = self.settings.model_copy(update={"job": job})


def open_context(dsn: str | None) -> Context:
    """For a command that is done at once."""
    return Context(settings.read(dsn))


@contextmanager
def working(dsn: str | None, *, quiet: bool = False, verbose: bool = False) -> Iterator[Context]:
    """For a command that takes its time: progress on standard error, and a way to stop it."""
    context = open_context(dsn)
    _ = context.dsn  # before anything is shown
    with watch.traced(context.settings, context.bus) as context.ids:
        if verbose:
            form = context.settings.log.format
            logger = make_logger("json" if quiet and form == "auto" else "console" if form == "auto" else form, "debug")
            context.bus.subscribe(LogListener(logger, context.ids))
        with listener(context.bus, quiet=quiet or verbose), _stoppable(context, quiet=quiet):
            try:
                yield context
            except ChangeoverError as exc:
                if context.stop.is_set() and exc.exit_code == 1:
                    raise InterruptError from exc
                raise
            if context.stop.is_set():
                raise InterruptError


def plan_name(dsn: str, given: str | None) -> str | None:
    """The name under which the ledger knows a plan that may be given by its folder, or be gone by now.

    A name that nothing has is a slip of the pen, and no answer about it would be true: RefusedError.
    """
    if given is None:
        return None
    if "/" in given:
        return load(given).name
    from orchestrator.jobs.requests import known_plan  # noqa: PLC0415 - most commands are given none

    return known_plan(dsn, given)


@contextmanager
def _stoppable(context: Context, *, quiet: bool) -> Iterator[None]:
    """Turn the first signal into a stop, the second into an interrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        if context.stop.is_set():
            raise KeyboardInterrupt
        context.stop.set()
        if not quiet:
            output.tell("Stopping after the batch in hand; once more to stop at once.", "yellow")
        sys.stderr.flush()

    before: dict[int, Any] = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
