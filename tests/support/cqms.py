"""A small CQMS as Supabase has it, migrated: one database for all who ask something of it, a clone for who changes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.plan.loader import load
from tests.support.cli import Cli

if TYPE_CHECKING:
    from tests.support.database import Database, Databases

ROLES: Final = """
DO $$ BEGIN
    IF to_regrole('anon') IS NULL THEN CREATE ROLE anon NOLOGIN; END IF;
    IF to_regrole('authenticated') IS NULL THEN CREATE ROLE authenticated NOLOGIN; END IF;
    IF to_regrole('service_role') IS NULL THEN CREATE ROLE service_role NOLOGIN; END IF;
END $$;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
"""
"""What Supabase's administrator has made. None of them owns anything, and none is above row-level security."""
LEGACY: Final = Path(__file__).parents[1] / "acceptance/sql/cqms_supabase.sql"


def legacy(databases: Databases) -> Database:
    """The old database."""
    return databases.clone("cqms as Supabase has it", _legacy)


def migrated(databases: Databases) -> Database:
    """Every stage is verified."""
    return databases.clone("cqms as Supabase has it, migrated", _migrated)


def contracted(databases: Databases) -> Database:
    """The old tables are archived."""
    return databases.clone("cqms as Supabase has it, contracted", _contracted)


def finish(cli: Cli) -> None:
    """What people do before contract, and contract."""
    for stage in load("cqms").model.stages:
        if stage.flag is not None:
            cli.ok("flag", "set", stage.flag, "--stage", "live", "--reason", "test", "--yes")
    cli.ok("rejects", "waive", "--all", "--reason", "test")
    cli.ok("start", "cqms")


def _contracted(database: Database) -> None:
    _migrated(database)
    finish(Cli(database.dsn))


def _legacy(database: Database) -> None:
    with database.connect("admin") as conn:
        conn.execute(ROLES)
    database.close()
    database.run(LEGACY.read_text(encoding="utf-8"))


def _migrated(database: Database) -> None:
    _legacy(database)
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("plan", "check", "cqms")
    cli.ok("start", "cqms", "--until", "verify")
