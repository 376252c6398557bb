from __future__ import annotations

from pathlib import Path

import pytest

import orchestrator
from tests.support.cli import Cli
from tests.support.database import Database, Databases

LEGACY = Path(orchestrator.__file__).parent / "plans" / "example" / "legacy.sql"


def _mirrored(database: Database) -> None:
    database.run(LEGACY.read_text())
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "verify")


@pytest.fixture
def mirrored(databases: Databases) -> Database:
    """The example plan, verified. The application's role may ask the flags in SQL, and has no other right."""
    database = databases.clone("security-mirrored", _mirrored)
    role = database.app_role
    database.run(f'GRANT USAGE ON SCHEMA changeover TO "{role}"; GRANT SELECT ON changeover.feature_flags TO "{role}"')
    return database
