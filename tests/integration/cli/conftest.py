from __future__ import annotations

from pathlib import Path

import pytest

import orchestrator
from tests.support.cli import Cli
from tests.support.database import Database, Databases

LEGACY = Path(orchestrator.__file__).parent / "plans" / "example" / "legacy.sql"


def _legacy(database: Database) -> None:
    database.run(LEGACY.read_text())


def _verified(database: Database) -> None:
    _legacy(database)
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "verify")


@pytest.fixture
def shops(databases: Databases) -> Database:
    """The old schema of the example plan, nothing of ours."""
    return databases.clone("shops", _legacy)


@pytest.fixture
def verified(databases: Databases) -> Database:
    """The example plan, carried out up to verify."""
    return databases.clone("shops-verified", _verified)


@pytest.fixture
def cli(verified: Database) -> Cli:
    """The command line on the verified example."""
    return Cli(verified.dsn)
