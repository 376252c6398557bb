"""Forward and back from every phase, with the applications of both versions writing from dual-write on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cases import EXAMPLE, PERSONS, Case
from tests.support.database import Databases
from tests.support.lifecycle import Lifecycle


@pytest.fixture(params=[EXAMPLE, PERSONS], ids=lambda case: case.name)
def life(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Lifecycle]:
    case: Case = request.param
    started = Lifecycle(databases.clone(f"lifecycle {case.name}", case.build), case, early=True)
    yield started
    started.traffic.end()


@pytest.mark.newest
@pytest.mark.slow
def test_back_from_every_phase_and_through_to_the_end(life: Lifecycle) -> None:
    life.there_and_back()
