"""Forward and back from every phase, with the applications of both versions writing from dual-write on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.cases import EXAMPLE, PARCELS, PERSONS, STEPS, TICKETS, Case
from tests.support.database import Databases
from tests.support.lifecycle import Lifecycle

pytestmark = [pytest.mark.newest, pytest.mark.slow]


@contextmanager
def started(databases: Databases, case: Case, pace: float = 0.02) -> Iterator[Lifecycle]:
    life = Lifecycle(databases.clone(f"lifecycle {case.name}", case.build), case, early=True, pace=pace)
    try:
        yield life
    finally:
        life.traffic.end()


def test_back_from_every_phase_and_through_to_the_end(databases: Databases) -> None:
    with started(databases, EXAMPLE) as life:
        life.there_and_back()


@pytest.mark.parametrize("case", [PERSONS, STEPS], ids=lambda case: case.name)
def test_back_from_where_the_mirrors_are_on_and_through_to_the_end(databases: Databases, case: Case) -> None:
    """The other kinds; `make soak` takes them back from every phase as well."""
    with started(databases, case) as life:
        life.there_and_back(back_from=("dual-write", "verify"))


@pytest.mark.timeout(900)
def test_rows_that_are_derived_and_an_application_that_writes_beside_them(databases: Databases) -> None:
    """The new application's table is no plan's own: its rows stay through every way back. Each write has four mirrors."""
    with started(databases, PARCELS, pace=0.1) as life:
        life.there_and_back(back_from=("verify",))


@pytest.mark.timeout(900)
def test_a_split_and_the_table_that_it_stands_on(databases: Databases) -> None:
    """Two stages, the second on the first: back from where the mirrors are on, and from the end of the road.

    Seventeen writers: they rest long enough for two cores. `make soak` goes back from every phase of both, with less rest.
    """
    with started(databases, TICKETS, pace=0.1) as life:
        life.there_and_back(back_from=("dual-write", "verify"))
