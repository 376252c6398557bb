"""Several applications, a runner and any schedule: the mirrors break no promise.

`make test` runs the same examples each time; CHANGEOVER_SOAK=1 (`make soak`) draws new ones, CHANGEOVER_SOAK_EXAMPLES of
them per world, and prints what reproduces a failure.
"""

from __future__ import annotations

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.database import Databases
from tests.support.machine import Ground, machine
from tests.support.operations import Cast
from tests.support.operations_parcels import IN_PLACE
from tests.support.operations_people import MERGE
from tests.support.operations_promises import DERIVE
from tests.support.operations_tickets import SPLIT, UNIFY
from tests.support.soak import SOAK

EXAMPLES: Final = int(os.environ.get("CHANGEOVER_SOAK_EXAMPLES", "1000")) if SOAK else 10
WORLDS: Final[dict[str, Cast]] = {
    "unify": UNIFY,
    "split": SPLIT,
    "merge": MERGE,
    "in_place": IN_PLACE,
    "derive": DERIVE,
}
pytestmark = [pytest.mark.newest, pytest.mark.timeout(0 if SOAK else 300)]


def _search(ground: Ground, *phases: Phase) -> None:
    run_state_machine_as_test(
        machine(ground),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=12,
            derandomize=not SOAK,
            database=None,
            deadline=None,
            print_blob=SOAK,
            report_multiple_bugs=False,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("world", WORLDS)
def test_no_schedule_breaks_a_promise(databases: Databases, world: str) -> None:
    ground = Ground(databases, WORLDS[world])
    try:
        _search(ground, Phase.generate, Phase.shrink)
    finally:
        ground.close()


@pytest.mark.parametrize(
    ("world", "table"), [("unify", "tickets"), ("merge", "people"), ("in_place", "parcels"), ("derive", "parcels")]
)
def test_a_mirror_that_is_out_of_order_is_found(databases: Databases, world: str, table: str) -> None:
    ground = Ground(databases, WORLDS[world])
    try:
        ground.world.do(f"ALTER TABLE public.{table} DISABLE TRIGGER USER")
        with pytest.raises(AssertionError):
            _search(ground, Phase.generate)
    finally:
        ground.close()
