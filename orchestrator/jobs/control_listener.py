"""The control listener: hears what the operator wants, and sets it for the running work.

A thread with a connection of its own. It listens on `changeover_control`, a bell that makes it look at the row, and
looks once a second as well, since a pooler may swallow notifications; a lost connection is opened again for as long as
the job lives. It never touches the work itself: it sets the runtime settings (held or not, settings) or the stop, and
the engine looks at those before each batch and each statement. After each look it answers in the ledger, so that
`changeover pause` can say whether anybody heard, and `status` and the page how far the job is and why it stands still.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import psycopg

from backfill.faults import backoff
from flags.bell import Bell
from orchestrator.engine.errors import NotInstalledError
from orchestrator.jobs import throttle_settings
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import ChangeoverError
from orchestrator.ledger import control, schema
from orchestrator.ledger.store import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backfill.runtime_settings import RuntimeSettings
    from backfill.settings import BackfillSettings
    from orchestrator.kernel.events import Bus, Event
    from orchestrator.ledger.control import Control

_LOOK_S: Final = 1.0
_LONGEST_BACKOFF_S: Final = 5.0
_PROGRESS: Final = ("percent", "rows_seen", "rows_rejected", "rows_per_second", "eta_seconds")


class ControlListener(threading.Thread):
    """Attends one job."""

    def __init__(
        self,
        dsn: str,
        plan: str,
        actor: str,
        *,
        base: BackfillSettings,
        runtime: RuntimeSettings,
        bus: Bus,
        cancel: Callable[[str, str], None],
        doing: Mapping[str, Any],
    ) -> None:
        """`cancel` is called with who and why; `doing` says in the answer what this job is."""
        super().__init__(name="changeover-control", daemon=True)
        self._dsn = dsn
        self._plan = plan
        self._actor = actor
        self._base = base
        self._runtime = runtime
        self._bus = bus
        self._cancel = cancel
        self._doing = {**doing, "pid": os.getpid(), "host": socket.gethostname()}
        self._end = threading.Event()
        self._waker: socket.socket
        self._woken: socket.socket
        self._known = -1
        self._said: tuple[int, dict[str, Any]] | None = None
        self._throttled: list[str] = []
        self._reason = ""
        self._at: dict[str, Any] = {}
        self._progress: dict[str, Any] | None = None
        self._probes: dict[str, dict[str, Any]] = {}

    def hear(self, event: Event) -> None:
        """Remember what the job is at, how far, and why it is throttled, for the answer."""
        fields = event.fields
        match event.kind:
            case "phase.started":
                self._at = {"stage": fields["stage"], "phase": fields["phase"]}
                self._progress, self._probes = None, {}
            case "backfill.paused":
                self._throttled, self._reason = list(fields["probes"]), fields["reason"]
            case "backfill.unpaused":
                self._throttled, self._reason = [], ""
            case "backfill.progress" | "verify.progress":
                doing = "copying" if event.kind == "backfill.progress" else "comparing"
                self._progress = {"doing": doing, **{name: fields[name] for name in _PROGRESS}}
            case "backfill.probe":
                self._probes[fields["probe"]] = {"value": fields["value"], "limit": fields["limit"]}

    def begin(self) -> None:
        """Take in what is wanted already, before any work begins; then listen.

        Not being able to is no reason not to work: whether there is a database at all is for the work to find out.
        """
        try:
            with closing(connect(self._dsn, role="control")) as conn:
                if schema.installed(conn) is None:
                    raise NotInstalledError
                self._take_in(control.attend(Ledger(conn, self._actor), self._plan))
        except psycopg.Error as exc:
            self._bus.emit("job.control_lost", error=str(exc))
        self._waker, self._woken = socket.socketpair()
        self.start()

    def run(self) -> None:
        """Listen until the job ends."""
        failures = 0
        while not self._end.wait(backoff(failures, longest=_LONGEST_BACKOFF_S) if failures else 0):
            try:
                with closing(connect(self._dsn, role="control")) as conn:
                    self._listen(conn)
            except (psycopg.Error, ChangeoverError) as exc:
                failures += 1
                self._bus.emit("job.control_lost", error=str(exc))

    def end(self) -> None:
        """Stop listening, at once."""
        self._end.set()
        self._waker.close()
        self.join(timeout=5)
        self._woken.close()

    def _listen(self, conn: psycopg.Connection[Any]) -> None:
        conn.execute(f"LISTEN {control.CHANNEL}".encode())
        ledger, bell, rung = Ledger(conn, self._actor), Bell(), False
        while not self._end.is_set():
            found, known = control.get(ledger, self._plan), self._known
            if found is not None:
                self._take_in(found)
                self._answer(ledger, found.version)
            bell.looked(rung=rung, changed=self._known != known)
            rung = self._rest(conn, bell.pause)

    def _rest(self, conn: psycopg.Connection[Any], pause: float) -> bool:
        """Until a bell rings (True), or it is time to look, or the job ends."""
        if not self._heard(conn, _LOOK_S):
            return False
        resume = time.monotonic() + pause
        while not self._end.is_set() and (left := resume - time.monotonic()) > 0:
            self._heard(conn, left)
        return True

    def _heard(self, conn: psycopg.Connection[Any], seconds: float) -> bool:
        """Whether a bell rings within this time. It ends early with the job, which need not wait for us."""
        if any(True for _ in conn.notifies(timeout=0)):
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(conn.fileno(), selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            selector.select(seconds)
        return any(True for _ in conn.notifies(timeout=0))

    def _take_in(self, found: Control) -> None:
        if found.version == self._known:
            return
        self._known = found.version
        try:
            self._runtime.settings = throttle_settings.read(found.settings).applied(self._base)
        except ChangeoverError as exc:
            self._bus.emit("job.settings_refused", error=exc.what)
        by = f"{found.changed_by}{': ' if found.reason else ''}{found.reason}"
        if found.request == "cancel":
            self._bus.emit("job.cancelled", by=found.changed_by, reason=found.reason)
            self._cancel(found.changed_by, found.reason)
        elif found.request == "pause" and self._runtime.held is None:
            self._runtime.held = by
            self._bus.emit("job.paused", by=found.changed_by, reason=found.reason)
        elif found.request == "run" and self._runtime.held is not None:
            self._runtime.held = None
            self._bus.emit("job.resumed", by=found.changed_by, reason=found.reason)

    def _answer(self, ledger: Ledger, version: int) -> None:
        state = "paused" if self._runtime.held is not None else "throttled" if self._throttled else "running"
        said = {
            **self._doing,
            **self._at,
            "progress": self._progress,
            "probes": dict(self._probes),
            "state": state,
            "throttled_by": self._throttled,
            "reason": self._runtime.held or self._reason,
            "settings": throttle_settings.shown(self._runtime.settings),
        }
        if (version, said) != self._said:
            control.answer(ledger, self._plan, version, said)
            self._said = (version, said)
