"""What `status` says of a job, and a watch that outlives the database."""

from __future__ import annotations

import io
import os
import pty
import signal
import threading
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import Any

import pytest
from rich.console import Console

from orchestrator.cli import state
from orchestrator.cli.status_view import view
from orchestrator.engine.results import PlanStatus, SourceStatus, StageStatus, Status, Waiting
from orchestrator.kernel.errors import RetryableError
from phases.registry import PHASES

SOURCE = SourceStatus("public.tickets", "tickets", "copying", 40.0, 400, 390, 2, 3, 0, 10)
JOB: dict[str, Any] = {
    "state": "throttled",
    "stage": "tickets",
    "phase": "backfill",
    "progress": {
        "doing": "copying",
        "percent": 40.0,
        "rows_seen": 12_345,
        "rows_rejected": 2,
        "rows_per_second": 678.9,
        "eta_seconds": 95.0,
    },
    "probes": {"replica_lag_seconds": {"value": 9.5, "limit": 5.0}, "disk": {"value": None, "limit": None}},
}


def _status(job: dict[str, Any] | None) -> Status:
    phases = {name: {"state": "done", "seconds": 1.0, "detail": {}} for name in PHASES}
    stage = StageStatus("tickets", phases, [SOURCE], None, [], None, percent=40.0)
    why = Waiting("throttled", "throttled by replica_lag_seconds: 9.5 > 5\x1b[2J", todo="It goes on by itself.")
    plan = PlanStatus("tickets", 1, "cutover", "active", "ann", "2026-01-01", [stage], None, [], job, None, why)
    return Status(installed=True, plans=[plan])


def test_status_says_why_how_fast_and_how_long() -> None:
    console = Console(file=io.StringIO(), width=160)
    for each in view(_status(JOB)):
        console.print(each)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO that was handed in
    for words in (
        "throttled: throttled by replica_lag_seconds: 9.5 > 5\\x1b[2J",
        "tickets: copying",
        "40.0 %, 12,345 rows, 679 rows/s, 1 min 35 s left",
        "replica lag 9.5 s of 5 s, disk unreadable",
        "copied  there already  rejected  rejects now",
        "390              8         2            3",
    ):
        assert words in text
    assert "━" in text


class _Looks:
    """Answers, an outage, an answer; then the operator ends it."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self) -> Status:
        self.number += 1
        if self.number == 2:
            raise RetryableError("No connection to postgresql://ann:secret@host/db.")
        return _status(JOB if self.number == 1 else None)

    def sleep(self, _seconds: float) -> None:
        if self.number == 3:
            raise KeyboardInterrupt


@pytest.mark.parametrize("as_json", [False, True])
def test_a_watch_goes_on_when_the_database_is_away(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:  # noqa: FBT001
    looks, out, err = _Looks(), io.StringIO(), io.StringIO()
    monkeypatch.setattr("time.sleep", looks.sleep)
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(KeyboardInterrupt):
        state._watch(looks, 1.0, threading.Event(), as_json=as_json)
    assert err.getvalue().count("No connection") == 1
    assert "secret" not in err.getvalue()
    assert out.getvalue().count("begun by ann") == (0 if as_json else 2)
    assert out.getvalue().count('"installed"') == (2 if as_json else 0)


def test_a_ctrl_c_that_is_lost_in_a_callback_ends_it_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = _Looks()

    def lost(_seconds: float) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("time.sleep", lost)
    before = signal.getsignal(signal.SIGINT)
    with redirect_stdout(io.StringIO()), state._until_ctrl_c() as ended:
        state._watch(looks, 1.0, ended, as_json=True)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_first_look_may_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = _Looks()
    looks.number = 1
    monkeypatch.setattr("time.sleep", looks.sleep)
    with pytest.raises(RetryableError):
        state._watch(looks, 1.0, threading.Event(), as_json=False)


def test_on_a_terminal_the_screen_stays_and_says_what_ails(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = _Looks()
    monkeypatch.setattr("time.sleep", looks.sleep)
    monkeypatch.setenv("TERM", "xterm")
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        with redirect_stdout(terminal), pytest.raises(KeyboardInterrupt):
            state._watch(looks, 1.0, threading.Event(), as_json=False)
        terminal.flush()
        shown = ""
        while "\x1b[?1049l" not in shown:
            shown += os.read(master, 4096).decode(errors="replace")
    os.close(master)
    assert shown.startswith("\x1b[?1049h")  # a screen of its own,
    assert "The database cannot be asked: No connection" in shown
    assert shown.count("begun by ann") == 3
    # And the terminal's own is given back.
