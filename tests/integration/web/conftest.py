from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.cli.conftest import LEGACY
from tests.support.cli import Cli
from tests.support.database import Database, Databases
from tests.support.page import Served, served
from tests.support.running import prepare


def _verified(database: Database) -> None:
    database.run(LEGACY.read_text())
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "verify")


@pytest.fixture
def verified(databases: Databases) -> Database:
    """The example plan, carried out up to verify: two rejects are open, the flag is in dualwrite."""
    return databases.clone("shops-verified", _verified)


@pytest.fixture
def mirrored(databases: Databases) -> Database:
    """The example plan with some ten thousand rows, its mirrors on, nothing copied."""
    return databases.clone("mirrored", prepare)


@pytest.fixture
def page(verified: Database) -> Iterator[Served]:
    """The page of the verified example; ann and bob may act."""
    with served(verified) as serving:
        yield serving
