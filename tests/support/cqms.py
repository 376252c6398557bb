"""A small CQMS as Supabase has it, migrated: one database for all who ask something of it, a clone for who changes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.support.cli import Cli

if TYPE_CHECKING:
    from tests.support.database import Database, Databases

LEGACY: Final = Path(__file__).parents[1] / "acceptance/sql/cqms_supabase.sql"


def legacy(databases: Databases) -> Database:
    """The old database."""
    return databases.clone("cqms as Supabase has it", _legacy)


def migrated(databases: Databases) -> Database:
    """Every stage is verified."""
    return databases.clone("cqms as Supabase has it, migrated", _migrated)


def _legacy(database: Database) -> None:
    database.run(LEGACY.read_text(encoding="utf-8"))


def _migrated(database: Database) -> None:
    _legacy(database)
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", "cqms", "--until", "verify")
