from __future__ import annotations

from typing import Any

import pytest

from orchestrator.engine.report.waiting import waiting
from orchestrator.engine.results import GateStatus, StageStatus
from phases.registry import PHASES

PAUSED = {"request": "pause", "by": "ann", "reason": "month-end", "at": "2026-01-01T00:00:00+00:00"}


def _stage(*, gates: tuple[GateStatus, ...] = (), detail: dict[str, Any] | None = None, **states: str) -> StageStatus:
    phases = {
        name: {"state": states.get(name.replace("-", "_"), "done"), "seconds": None, "detail": detail or {}}
        for name in PHASES
    }
    return StageStatus("audits", phases, [], None, list(gates), None)


UNMET = (GateStatus("verified", met=True, words="clean"), GateStatus("approval", met=False, words="0 of 1", todo="ask"))


@pytest.mark.parametrize(
    ("stage", "job", "control", "state", "words", "by"),
    [
        (_stage(), {"state": "running", "host": "h", "pid": 7}, None, "running", "pid 7", ""),
        (_stage(), {"state": "paused"}, PAUSED, "paused", "ann: month-end", "ann"),
        (_stage(), {"state": "running"}, PAUSED, "paused", "after the batch in hand", "ann"),
        (
            _stage(),
            {"state": "throttled", "throttled_by": ["lag"], "reason": "lag 9 > 5"},
            None,
            "throttled",
            "lag 9 > 5",
            "lag",
        ),
        (_stage(backfill="failed", detail={"error": "disk"}), None, None, "failed", "backfill failed: disk", ""),
        (_stage(backfill="stopped"), None, None, "interrupted", "s, backfill: was stopped", ""),
        (_stage(verify="going_back"), None, None, "interrupted", "not finished", ""),
        (_stage(verify="running"), None, PAUSED, "interrupted", "is gone", ""),
        (_stage(backfill="pending"), None, PAUSED, "paused", "next job", "ann"),
        (_stage(contract="pending", gates=UNMET), None, None, "gate", "gate approval is not met: 0 of 1", "approval"),
        (_stage(verify="pending", contract="pending", gates=UNMET), None, None, "idle", "nobody", ""),
    ],
)
def test_the_first_thing_that_holds_a_plan_up(
    stage: StageStatus, job: dict[str, Any] | None, control: dict[str, Any] | None, state: str, words: str, by: str
) -> None:
    found = waiting("cqms", "active", [stage], job, control)
    assert (found.state, found.by) == (state, by)
    assert words in found.words


def test_a_run_that_has_ended_waits_for_nothing() -> None:
    for state in ("finished", "rolled_back", "abandoned"):
        assert waiting("cqms", state, [_stage()], None, PAUSED).state == state
