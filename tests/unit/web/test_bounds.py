"""What is refused is said sparingly; `security/test_serving.py` has the bounds themselves, against a real server."""

from __future__ import annotations

import pytest

from orchestrator.kernel.events import Bus, Event
from orchestrator.web.bounds import Refusals
from tests.support.clock import ManualClock


def test_of_a_flood_of_refusals_a_few_are_said_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Event] = []
    bus, clock = Bus(), ManualClock()
    bus.subscribe(heard.append)
    monkeypatch.setattr("orchestrator.web.bounds.time", clock)
    refusals = Refusals(bus)
    for number in (60, 60, 60, 1):
        for _ in range(number):
            refusals.note(("127.0.0.1", 7), "A token is needed.")
        clock.sleep(1.1)
    assert len(heard) == 31
    assert [event.fields["unsaid"] for event in heard if "unsaid" in event.fields] == [50, 50, 50]
