"""Every kind of mapping, forward and back from every phase, with the applications of both versions at work."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.cases import CASES, Case
from tests.support.database import Databases
from tests.support.lifecycle import Lifecycle


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def life(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Lifecycle]:
    case: Case = request.param
    early = bool(os.environ.get("CHANGEOVER_SOAK"))
    started = Lifecycle(databases.clone(f"lifecycle {case.name}", case.build), case, early=early)
    yield started
    started.traffic.end()


@pytest.mark.timeout(1200)
def test_back_from_every_phase_and_through_to_the_end(life: Lifecycle) -> None:
    life.there_and_back()
