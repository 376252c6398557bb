from __future__ import annotations

import pytest

from orchestrator.ledger import schema
from orchestrator.ledger.runs import PlanMark, Run, start_or_resume
from orchestrator.ledger.store import Ledger
from tests.support.database import Database, Databases


def _build(database: Database) -> None:
    schema.install(database.connect())


@pytest.fixture
def installed(databases: Databases) -> Database:
    """A database with the ledger in it."""
    return databases.clone("ledger", _build)


@pytest.fixture
def ledger(installed: Database) -> Ledger:
    return Ledger(installed.connect(), "ann")


@pytest.fixture
def rival(installed: Database) -> Ledger:
    """A second connection, of somebody else."""
    return Ledger(installed.connect(), "bob")


@pytest.fixture
def run(ledger: Ledger) -> Run:
    return start_or_resume(ledger, PlanMark("p", 1, "abc"), "cutover")[0]
