"""Every kind of mapping, forward and back from every phase, with the applications of both versions at work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.engine.commands import PHASES
from tests.support.cases import CASES, Case
from tests.support.database import Databases
from tests.support.lifecycle import Lifecycle, same

BEFORE_CONTRACT = PHASES[:-1]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def life(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Lifecycle]:
    case: Case = request.param
    started = Lifecycle(databases.clone(f"lifecycle {case.name}", case.build), case)
    yield started
    started.traffic.end()


def test_back_from_every_phase_and_through_to_the_end(life: Lifecycle) -> None:
    for stage in life.case.stages:
        before = life.dump()
        for last in BEFORE_CONTRACT:
            for name in BEFORE_CONTRACT[: BEFORE_CONTRACT.index(last) + 1]:
                life.phase(stage, name)
            life.check()
            if last == BEFORE_CONTRACT[-1]:
                life.check_lossless()
            life.back(stage)
            same(life.dump(), before, f"after rollback from {last}")
            life.check()
        for name in BEFORE_CONTRACT:
            life.phase(stage, name)
    life.before_contract()
    before = life.dump()
    for _ in range(2):
        for stage in reversed(life.case.stages):
            life.phase(stage, "contract")
        assert life.contracted
        life.check()
        life.back(to="verify")
        same(life.dump(), before, "after rollback from contract")
        life.check()
    life.check_lossless()
    for stage in reversed(life.case.stages):
        life.phase(stage, "contract")
    life.check()
    life.finish()
