from __future__ import annotations

import pytest

from tests.support.database import Databases
from tests.support.mapping import Setup, open_world
from tests.support.mapping_worlds import ALL


@pytest.mark.parametrize("setup", ALL.values(), ids=list(ALL))
def test_dirty_tables_are_copied_with_every_row_accounted_for(databases: Databases, setup: Setup) -> None:
    world = open_world(databases, setup)
    world.check()
    assert world.value("SELECT count(*) FROM changeover.reject") > 0
