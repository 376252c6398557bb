"""The notifier: a thread that tells receivers what is new in the ledger, and is in nobody's way.

It looks every few seconds over a connection of its own. What has happened stands in the ledger, whichever process did
it (an application's guard, a job that was killed), so nothing depends on this process having been there. A receiver's
row in `changeover.notified` has what it was told; a receiver that is new is told what comes from now on. A notice that
is not taken after its attempts is tried again with the next look, for an hour, and those behind it wait; then it is
given up with a line in the log. The work never waits: at its end the notifier has a few seconds for a last look, and
what is left is told by the next process.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from flags import store as flag_store
from orchestrator.engine import commands
from orchestrator.engine.session import open_ledger
from orchestrator.jobs import notices
from orchestrator.jobs.delivery import DeliveryError, Hook, Webhook, deliver
from orchestrator.ledger import events, notified, rejects, runs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from orchestrator.jobs.delivery import Sink
    from orchestrator.jobs.notices import Notice
    from orchestrator.kernel.events import Bus
    from orchestrator.ledger.store import Ledger
    from orchestrator.settings import NotifySettings

LAST_LOOK_S: Final = 5.0
GIVE_UP_S: Final = 3600.0
_CLAIM_S: Final = 60.0
_BACK: Final = 200
"""Events are read from so many numbers before the last one: a lower number may commit after a higher one."""


def sinks_of(settings: NotifySettings) -> list[Sink]:
    """The receivers that the settings name."""
    secret = "" if settings.secret is None else settings.secret.get_secret_value()
    made: list[Sink] = [Webhook(url, secret, settings.timeout_s) for url in settings.addresses()]
    if settings.command:
        made.append(Hook(settings.command))
    return made


@dataclass
class News:
    """What there is to tell a receiver, and what it was told when all of that is told."""

    notices: list[Notice]
    state: dict[str, Any]


def news(ledger: Ledger, state: Mapping[str, Any], folders: Mapping[str, str], dsn: str) -> News:
    """What is new since `state`; a receiver without one is told nothing of what has been."""
    seen, last = set(state.get("seen", ())), state.get("event", 0)
    which = events.Which(kinds=notices.EVENTS, after=max(0, last - _BACK))
    happened = events.history(ledger, which, limit=10_000)
    entries = flag_store.history(ledger.conn, limit=_BACK)
    found = [
        *(made for each in happened if (made := notices.of_event(each)) is not None),
        *(made for each in entries if (made := notices.of_flag(each)) is not None),
    ]
    fresh = [each for each in found if each.id not in seen]
    newest = max([last, *(each.id for each in happened)])
    plans = commands.status(dsn, folders=folders).plans
    gates, waiting = notices.of_gates(plans, state.get("gates", {}))
    growing, counts = notices.of_rejects(_rejects(ledger), state.get("rejects", {}))
    if not state:
        fresh, gates, growing = [], [], []
    after = {"event": newest, "seen": sorted(each.id for each in found), "gates": waiting, "rejects": counts}
    return News([*fresh, *growing, *gates], after)


def _rejects(ledger: Ledger) -> dict[str, int]:
    """Open rejects by plan, stage and reason."""
    found: dict[str, int] = {}
    for plan in dict.fromkeys(run.plan for run in runs.every(ledger)):
        for each in rejects.counts(ledger, rejects.Which(plan=plan)):
            key = json.dumps([plan, each.stage, each.reason])
            found[key] = found.get(key, 0) + (each.rows if each.state == "open" else 0)
    return found


class Notifier(threading.Thread):
    """Tells what is new until told to end."""

    def __init__(
        self,
        dsn: str,
        settings: NotifySettings,
        bus: Bus,
        *,
        folders: Mapping[str, str] | None = None,
        sinks: Sequence[Sink] | None = None,
    ) -> None:
        """`folders` says where the plans are that are not shipped."""
        super().__init__(name="changeover-notifier", daemon=True)
        self._dsn, self._settings, self._bus = dsn, settings, bus
        self._folders = dict(folders or {})
        self._sinks = sinks_of(settings) if sinks is None else list(sinks)
        self._kinds: Collection[str] = settings.wanted() or notices.KINDS
        self._who = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._end = threading.Event()
        self._failing: dict[str, float] = {}

    def begin(self) -> None:
        """Introduce receivers that are new, before any work: they are told what comes from now on. Then, a thread."""
        if self._sinks:
            for sink in self._sinks:
                self._tell(sink, 0)
            self.start()

    def run(self) -> None:
        """Look every few seconds."""
        while not self._end.is_set():
            self.look(attempts=self._settings.attempts)
            self._end.wait(self._settings.every_s)
        self.look(attempts=1)

    def end(self) -> None:
        """One last look, for a few seconds at most."""
        self._end.set()
        if self.is_alive():
            self.join(LAST_LOOK_S)

    def look(self, *, attempts: int) -> int:
        """Tell every receiver what is new; how many notices were taken. Raises nothing."""
        return sum(self._tell(sink, attempts) for sink in self._sinks)

    def _tell(self, sink: Sink, attempts: int) -> int:
        try:
            with open_ledger(self._dsn, "notify") as ledger:
                claimed = notified.claim(ledger, sink.id, self._who, _CLAIM_S)
                if claimed is None or (claimed.state and not attempts):
                    return 0
                return self._deliver(ledger, sink, claimed.state, attempts)
        except Exception as exc:  # noqa: BLE001 - whatever ails database or receiver is not the work's affair
            self._bus.emit("notification.failed", sink=sink.id, why=f"{type(exc).__name__}")
            return 0

    def _deliver(self, ledger: Ledger, sink: Sink, state: dict[str, Any], attempts: int) -> int:
        new = news(ledger, state, self._folders, self._dsn)
        taken = 0
        for notice in new.notices:
            if notice.kind in self._kinds:
                mine = notified.claim(ledger, sink.id, self._who, _CLAIM_S) is not None
                if not mine or not self._send(sink, notice, attempts):
                    # What is behind it waits; what was taken is not told again.
                    notified.told(ledger, sink.id, self._who, _partly(state, new, taken), release=True)
                    return taken
                taken += 1
        notified.told(ledger, sink.id, self._who, new.state, release=True)
        return taken

    def _send(self, sink: Sink, notice: Notice, attempts: int) -> bool:
        """Whether it is over with: taken, refused for good, or given up."""
        try:
            deliver(sink, notice, attempts=attempts, sleep=self._end.wait)
        except DeliveryError as exc:
            since = self._failing.setdefault(notice.id, time.monotonic())
            over = not exc.passing or time.monotonic() - since > GIVE_UP_S
            self._bus.emit("notification.failed", sink=sink.id, notice=notice.id, why=str(exc), given_up=over)
            if over:
                self._failing.pop(notice.id, None)
            return over
        self._failing.pop(notice.id, None)
        self._bus.emit("notification.sent", sink=sink.id, notice=notice.id, notice_kind=notice.kind)
        return True


def a_test() -> Notice:
    """What `changeover notify --test` sends."""
    now = datetime.now(UTC).isoformat()
    return notices.Notice(f"test-{uuid.uuid4().hex[:8]}", "test", "A test of Changeover's notifications.", now)


def _partly(state: dict[str, Any], new: News, taken: int) -> dict[str, Any]:
    """What a receiver was told that has taken the first notices only."""
    told = {each.id for each in new.notices[:taken]}
    behind = {each.id for each in new.notices[taken:]}
    kinds = {each.kind for each in new.notices[taken:]}
    after = dict(new.state)
    after["seen"] = [each for each in after["seen"] if each not in behind] + sorted(told - set(after["seen"]))
    for name, kind in (("gates", "gate.waiting"), ("rejects", "rejects.growing")):
        if kind in kinds:
            after[name] = state.get(name, {})
    after["event"] = state.get("event", 0)
    return after
