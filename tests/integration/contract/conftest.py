from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.integration.contract import parcels
from tests.support.cli import Cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database, Databases


@dataclass
class Shop:
    """The old shop on its way."""

    database: Database
    cli: Cli
    plan: str

    def until(self, phase: str = "contract") -> None:
        """Go on up to a phase."""
        self.cli.ok("start", self.plan, "--kind", "rehearsal", "--until", phase)

    def back(self) -> None:
        """Take contract back."""
        self.cli.ok("rollback", "--yes", "--plan", self.plan, "--to", "verify")


@pytest.fixture
def shop(databases: Databases, tmp_path: Path) -> Shop:
    """Installed, nothing begun."""
    database = databases.clone("contract parcels", parcels.build)
    cli = Cli(database.dsn)
    cli.ok("init")
    return Shop(database, cli, parcels.plan(tmp_path / "plan"))
