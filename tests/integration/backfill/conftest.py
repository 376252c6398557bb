"""The world of the backfill tests, cloned for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.backfill import world

if TYPE_CHECKING:
    from tests.support.database import Database, Databases


@pytest.fixture
def small(databases: Databases) -> Database:
    """The ledger and the target, no source yet."""
    return databases.clone("backfill", world.build)
