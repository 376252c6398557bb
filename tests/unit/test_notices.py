"""What is worth a notice, and how it is delivered: without a database."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator import settings
from orchestrator.engine.results import GateStatus, PlanStatus, StageStatus, Waiting
from orchestrator.jobs import notices
from orchestrator.jobs.delivery import DeliveryError, Hook, Webhook, deliver
from orchestrator.kernel.errors import UsageError
from orchestrator.ledger.events import Entry
from phases.registry import PHASES
from tests.support.receiver import receiver

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NOTICE = notices.Notice("event-7", "phase.failed", "p, s: verify failed: <!channel> & \x1b[2J", plan="p")


def _event(kind: str, **detail: Any) -> Entry:
    return Entry(7, NOW, "ann", "p", "s", "verify", kind, detail)


def test_events_that_are_worth_a_notice() -> None:
    done = notices.of_event(_event("phase.done", seconds=75.0))
    assert done is not None
    assert (done.text, done.id, done.plan) == ("p, s: verify is done in 1 min 15 s.", "event-7", "p")
    failed = notices.of_event(_event("phase.failed", error="disk full"))
    assert failed is not None
    assert failed.text == "p, s: verify failed: disk full"
    assert notices.of_event(_event("phase.failed", error="it is being taken back", back=True)) is None
    assert notices.of_event(_event("phase.running")) is None
    drift = notices.of_event(_event("drift.found", what="a trigger is gone"))
    assert drift is not None
    assert "drift: a trigger is gone" in drift.text


def _plan(run: int, *gates: tuple[str, bool], state: str = "gate") -> PlanStatus:
    phases: dict[str, dict[str, Any]] = {name: {"state": "done", "seconds": None, "detail": {}} for name in PHASES}
    found = [GateStatus(name, met=met, words="words") for name, met in gates]
    stage = StageStatus("s", phases, [], None, found, None)
    why = Waiting(state, "gate flag is not met", todo="Do it.")
    return PlanStatus("p", run, "cutover", "active", "ann", "", [stage], None, [], None, None, why)


def test_a_gate_is_told_once_until_it_changes() -> None:
    first, told = notices.of_gates([_plan(1, ("flag", False), ("soak", False))], {})
    assert [each.kind for each in first] == ["gate.waiting"]
    again, told = notices.of_gates([_plan(1, ("flag", False), ("soak", False))], told)
    assert again == []
    # A job tries it once more, and a process that has not the plan looks: neither is news.
    for quiet in (_plan(1, ("flag", False), ("soak", False), state="running"), _plan(1, state="idle")):
        none, told = notices.of_gates([quiet], told)
        assert none == []
    assert notices.of_gates([_plan(1, ("flag", False), ("soak", False))], told)[0] == []
    assert len(notices.of_gates([_plan(1, ("flag", True), ("soak", False))], told)[0]) == 1
    assert len(notices.of_gates([_plan(2, ("flag", False), ("soak", False))], told)[0]) == 1
    assert notices.of_gates([_plan(1, ("flag", True), state="idle")], told)[1] == {}


def test_rejects_are_told_when_they_are_new_and_when_they_have_doubled() -> None:
    key = json.dumps(["p/q", "s", "no_date"])
    counts: dict[str, int] = {}
    told_at: list[int] = []
    for rows in (0, 1, 1, 2, 10, 11, 12, 21, 22, 10, 44, 0, 1):
        told, counts = notices.of_rejects({key: rows}, counts)
        told_at += [rows] * len(told)
    assert told_at == [1, 11, 22, 44, 1]
    (notice,), _ = notices.of_rejects({key: 5000}, {key: 2})
    assert notice.text == "p/q, s: 5,000 rejects open for no_date, 2 when it was told last."


def test_a_webhook_is_signed_and_its_text_calls_nobody() -> None:
    with receiver() as found:
        deliver(Webhook(found.url, "shared secret"), NOTICE, attempts=1)
    ((headers, body),) = found.raw
    at = headers["X-Changeover-Timestamp"]
    expected = hmac.new(b"shared secret", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Changeover-Signature"] == f"sha256={expected}"
    assert abs(int(at) - time.time()) < 60
    assert headers["X-Changeover-Id"] == "event-7"
    text = found.got[0]["text"]
    assert "&lt;!channel&gt; &amp; \\x1b[2J" in text
    assert "<" not in text


@pytest.mark.parametrize(
    ("statuses", "attempts", "came", "passing"),
    [
        ([503, 429, 200], 3, 3, None),
        ([503, 503, 503], 3, 3, True),
        ([404, 200], 3, 1, False),
        ([302, 200], 3, 1, False),
    ],
)
def test_what_may_pass_is_tried_again(statuses: list[int], attempts: int, came: int, *, passing: bool | None) -> None:
    pauses: list[float] = []
    with receiver(*statuses) as found:
        sink = Webhook(found.url)
        if passing is None:
            deliver(sink, NOTICE, attempts=attempts, sleep=pauses.append)
        else:
            with pytest.raises(DeliveryError) as caught:
                deliver(sink, NOTICE, attempts=attempts, sleep=pauses.append)
            assert caught.value.passing is passing
            assert found.url not in str(caught.value)
    assert len(found.raw) == came
    assert len(pauses) == came - 1


def test_who_never_answers_is_left_after_the_time_out() -> None:
    with receiver(None) as found, pytest.raises(DeliveryError, match="no answer"):
        deliver(Webhook(found.url, timeout_s=0.3), NOTICE, attempts=1)
    with pytest.raises(DeliveryError, match="no answer"):
        Webhook("http://127.0.0.1:1/", timeout_s=0.3).send(NOTICE)


def test_a_command_gets_json_and_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_DSN", "postgresql://secret")
    script = tmp_path / "hook.py"
    script.write_text(
        "import json, os, sys\n"
        f"open({str(tmp_path / 'told')!r}, 'w').write(json.dumps([sys.argv[1:], json.load(sys.stdin), dict(os.environ)]))"
    )
    Hook(f"{sys.executable} {script} '$(touch {tmp_path}/owned)'").send(NOTICE)
    arguments, said, environment = json.loads((tmp_path / "told").read_text())
    assert arguments == [f"$(touch {tmp_path}/owned)"]
    assert not (tmp_path / "owned").exists()
    assert said["text"] == NOTICE.text
    assert "CHANGEOVER_DSN" not in environment
    assert environment["CHANGEOVER_NOTICE"] == "phase.failed"
    for command in (f"{sys.executable} -c 'raise SystemExit(3)'", "/no/such/command", "unbalanced '"):
        with pytest.raises(DeliveryError):
            Hook(command).send(NOTICE)
    with pytest.raises(DeliveryError, match="longer"):
        Hook(f"{sys.executable} -c 'import time; time.sleep(9)'", timeout_s=0.3).send(NOTICE)


def test_the_settings_name_receivers_and_show_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_NOTIFY__URLS", "https://hooks.example/one http://127.0.0.1:1/two")
    monkeypatch.setenv("CHANGEOVER_NOTIFY__KINDS", "phase.failed, drift.found")
    read = settings.read().notify
    assert read.addresses() == ["https://hooks.example/one", "http://127.0.0.1:1/two"]
    assert read.wanted() == ["phase.failed", "drift.found"]
    assert "hooks.example" not in repr(read)
    assert read.anybody
    assert not settings.NotifySettings().anybody
    monkeypatch.setenv("CHANGEOVER_NOTIFY__URLS", "file:///etc/passwd")
    with pytest.raises(UsageError) as caught:
        settings.read()
    assert "passwd" not in str(caught.value)
