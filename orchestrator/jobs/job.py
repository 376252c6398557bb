"""The job: work under a plan's lease, as a process that can be stopped, asked, and left alone with its server.

Three things can end it early, and each says which it was: a signal, an operator's cancel, a lost lease. All of them
set one stop; the engine then ends the batch in hand and returns. What does not return within the grace period (an
index that is being built, a statement that hangs) is cut: first by an interrupt, which cancels the statement on
the server, then by leaving. Whatever was not committed is rolled back by the server; the ledger stands where the
last commit left it.

The workers replace their own lost connections. When the connection of the session itself is lost, the work is
begun again with a new session, as the same command would; how long that is tried is counted from the last
progress, so a server that restarts once an hour does not use it up. A lease that is still held in our own name by
backends that the server has not missed yet is waited for within the same time.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, TypeVar

import asyncpg
import psycopg

from backfill.errors import FenceLostError
from backfill.faults import backoff
from backfill.runtime_settings import RuntimeSettings
from orchestrator.engine.errors import StoppedError
from orchestrator.engine.session import Terms
from orchestrator.jobs import throttle_settings
from orchestrator.jobs.control_listener import ControlListener
from orchestrator.jobs.errors import CancelledError, LeaseGoneError
from orchestrator.kernel.errors import ChangeoverError, RetryableError, translate
from orchestrator.ledger.errors import LeaseHeldError, LeaseLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestrator.kernel.events import Bus, Event
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.settings import Settings

_LOOK_S: Final = 0.1
_LAST_SECONDS: Final = 5.0
_LONGEST_BACKOFF_S: Final = 5.0
_PROGRESS: Final = frozenset({"lease.acquired", "backfill.batch", "verify.range", "action.done"})
# Admin shutdown, crash of another backend, starting up, database dropped or idle session ended; too many connections.
_GONE: Final = frozenset({"57P01", "57P02", "57P03", "57P05", "53300"})
_DRIVERS: Final = (psycopg.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


T = TypeVar("T")


def terms_of(settings: Settings, runtime: RuntimeSettings | None = None) -> Terms:
    """How the settings want a session to wait for its lease and its locks."""
    lease, lock = settings.lease, settings.lock
    return Terms(
        runtime=runtime or RuntimeSettings(),
        ttl=lease.ttl_s,
        beat=lease.heartbeat_s,
        wait=settings.job.wait_s,
        lock_timeout_ms=lock.timeout_ms,
        lock_attempts=lock.attempts,
        patient_ms=lock.patient_ms,
        poll_s=settings.flag_poll_s,
    )


class Job:
    """One piece of work under a plan's lease."""

    def __init__(
        self,
        dsn: str,
        plan: LoadedPlan,
        settings: Settings,
        bus: Bus,
        *,
        asked: threading.Event,
        doing: Mapping[str, str] | None = None,
    ) -> None:
        """`asked` is set by a signal; `doing` tells the operator what this job is."""
        self._dsn = dsn
        self._plan = plan.name
        self._folder = str(plan.folder)
        self._settings = settings
        self._bus = bus
        self._asked = asked
        self._doing = dict(doing or {})
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._why: ChangeoverError | None = None
        self._progress = time.monotonic()
        self._begun = False

    def run(self, work: Callable[[threading.Event, Terms], T]) -> T:
        """Do the work, which is given the stop it shall obey and the terms of its session."""
        base = throttle_settings.base(self._settings)
        runtime = RuntimeSettings(base)
        terms = terms_of(self._settings, runtime)
        control_listener = ControlListener(
            *(self._dsn, self._plan, self._settings.actor),
            base=base,
            runtime=runtime,
            bus=self._bus,
            cancel=self._cancel,
            doing=self._doing,
        )
        with ExitStack() as stack:
            stack.callback(self._bus.subscribe(self._watch))
            stack.callback(self._bus.subscribe(control_listener.hear))
            stack.callback(self._ended.set)
            control_listener.begin()
            stack.callback(control_listener.end)
            self._notify(stack)
            threading.Thread(target=self._guard, name="changeover-grace", daemon=True).start()
            return self._persist(work, terms)

    def _notify(self, stack: ExitStack) -> None:
        """Tell receivers what happens, until the stack is left."""
        if not self._settings.notify.anybody:
            return
        from orchestrator.jobs.notifier import Notifier  # noqa: PLC0415 - most jobs tell nobody, and start sooner so

        notifier = Notifier(self._dsn, self._settings.notify, self._bus, folders={self._plan: self._folder})
        notifier.begin()
        stack.callback(notifier.end)

    def _persist(self, work: Callable[[threading.Event, Terms], T], terms: Terms) -> T:
        """Do the work, over restarts of the server."""
        attempt = 0
        while True:
            before = self._progress
            try:
                return work(self._stop, terms)
            except KeyboardInterrupt:
                if self._why is not None:
                    raise self._why from None
                raise
            except (ChangeoverError, *_DRIVERS) as exc:
                error = self._told(translate(exc))
                if self._stop.is_set() or not self._passing(error):
                    raise error from exc
            attempt = 1 if self._progress > before else attempt + 1
            self._bus.emit("job.reconnecting", attempt=attempt, sqlstate=error.sqlstate, error=error.what)
            self._stop.wait(backoff(attempt, longest=_LONGEST_BACKOFF_S))
            if self._stop.is_set():
                raise self._told(StoppedError(f"The job of plan {self._plan}")) from None

    def _passing(self, error: ChangeoverError) -> bool:
        """Whether it may be over soon: the server is away, or has not yet missed our former connections."""
        if not self._begun or time.monotonic() > self._progress + self._settings.job.reconnect_s:
            return False
        state = error.sqlstate
        if state is not None:
            return state in _GONE or state.startswith("08")
        # What has no SQLSTATE never reached a server; the subclasses mean something else.
        return type(error) is RetryableError or isinstance(error, LeaseHeldError)

    def _told(self, error: ChangeoverError) -> ChangeoverError:
        """Why it really ended, where the engine only knows that it was stopped."""
        if isinstance(error, FenceLostError | LeaseLostError) and self._why is None:
            self._why = LeaseGoneError(error.what)
        return self._why or error

    def _cancel(self, by: str, reason: str) -> None:
        self._why = self._why or CancelledError(by, reason)
        self._stop.set()

    def _watch(self, event: Event) -> None:
        if event.kind in _PROGRESS:
            self._progress = time.monotonic()
            self._begun = True
        elif event.kind == "lease.lost":
            self._why = self._why or LeaseGoneError(str(event.fields.get("why", "")))
            self._stop.set()  # what does not end by itself is cut, as after a signal

    def _guard(self) -> None:
        """Turn the signal into the stop, and cut what does not end within the grace period."""
        while not self._ended.is_set() and not self._stop.is_set():
            if self._asked.wait(_LOOK_S):
                self._stop.set()
        if self._ended.wait(self._settings.job.grace_s):
            return
        self._bus.emit("job.grace_over", seconds=self._settings.job.grace_s)
        self._asked.set()
        os.kill(os.getpid(), signal.SIGINT)
        if not self._ended.wait(_LAST_SECONDS):
            self._bus.emit("job.cut")
            os._exit(self._why.exit_code if self._why is not None else 128 + signal.SIGINT)
