from __future__ import annotations

import pytest

from tests.support.cli import Cli
from tests.support.database import Database, Databases
from tests.support.running import prepare


@pytest.fixture
def mirrored(databases: Databases) -> Database:
    """The example plan with some ten thousand rows, its mirrors on, nothing copied."""
    return databases.clone("mirrored", prepare)


@pytest.fixture
def cli(mirrored: Database) -> Cli:
    return Cli(mirrored.dsn)
