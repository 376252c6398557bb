"""Several applications, a runner and any schedule: the mirrors break no promise.

`make test` runs the same examples each time; CHANGEOVER_SOAK=1 (`make soak`) draws new ones, CHANGEOVER_SOAK_EXAMPLES of
them per world, and prints what reproduces a failure.
"""

from __future__ import annotations

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.database import Databases
from tests.support.deeds import Cast
from tests.support.deeds_people import MERGE
from tests.support.deeds_tickets import SPLIT, UNIFY
from tests.support.machine import Ground, machine

SOAK: Final = bool(os.environ.get("CHANGEOVER_SOAK"))
EXAMPLES: Final = int(os.environ.get("CHANGEOVER_SOAK_EXAMPLES", "1000")) if SOAK else 25
WORLDS: Final[dict[str, Cast]] = {"unify": UNIFY, "split": SPLIT, "merge": MERGE}


@pytest.mark.newest
@pytest.mark.parametrize("world", WORLDS)
def test_no_schedule_breaks_a_promise(databases: Databases, world: str) -> None:
    ground = Ground(databases, WORLDS[world])
    try:
        run_state_machine_as_test(
            machine(ground, frozenset()),
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=30,
                derandomize=not SOAK,
                database=None,
                deadline=None,
                print_blob=SOAK,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        ground.close()
