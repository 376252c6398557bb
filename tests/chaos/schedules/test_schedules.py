"""Random schedules of faults, phase by phase, with the applications of both versions at work the whole time.

Each is drawn from its seed. `make test` plays the same few always; with CHANGEOVER_SOAK as many new ones as
CHANGEOVER_SOAK_SCHEDULES says (100). CHANGEOVER_SEEDS names seeds to be played again, as a failure tells.
"""

from __future__ import annotations

import os
import sys
from random import SystemRandom

import pytest

from tests.chaos.schedules.chaos_run import ChaosRun, Judged
from tests.chaos.schedules.schedule import drawn
from tests.chaos.schedules.uncertain_writer import Weather, under
from tests.chaos.schedules.world import Grounds
from tests.support.cases import CASES
from tests.support.soak import SOAK

FEW = (1, 2)
AGAIN = "CHANGEOVER_SEEDS={seed} pytest -n 0 tests/chaos/schedules/test_schedules.py"


def seeds() -> list[int]:
    if named := os.environ.get("CHANGEOVER_SEEDS"):
        return [int(each) for each in named.split(",")]
    if not SOAK:
        return list(FEW)
    first = SystemRandom().randrange(1_000_000)
    return list(range(first, first + int(os.environ.get("CHANGEOVER_SOAK_SCHEDULES", "100"))))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", seeds())
def test_a_random_schedule(grounds: Grounds, seed: int) -> None:
    schedule, weather = drawn(seed), Weather()
    with grounds.get(seed // len(CASES)).world(schedule.case) as world:
        life = Judged(world.database, schedule.case, early=schedule.early, pace=schedule.pace, hire=under(weather))
        chaos_run = ChaosRun(schedule, world, weather, life)
        try:
            chaos_run.undergo()
        finally:
            life.traffic.end()
            # Shown when it fails, or with -rP.
            sys.stdout.write("\n".join([str(schedule), *chaos_run.told(), "Again: " + AGAIN.format(seed=seed), ""]))
