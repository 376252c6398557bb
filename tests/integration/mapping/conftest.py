"""The worlds of these tests: copied and drained, each test with one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mapping import World, open_world
from tests.support.mapping_worlds import PEOPLE, TICKETS

if TYPE_CHECKING:
    from tests.support.database import Databases


@pytest.fixture
def tickets(databases: Databases) -> World:
    return open_world(databases, TICKETS)


@pytest.fixture
def fresh_tickets(databases: Databases) -> World:
    """Mirrored, and not a row copied yet."""
    return open_world(databases, TICKETS, copied=False)


@pytest.fixture
def people(databases: Databases) -> World:
    return open_world(databases, PEOPLE)
