"""A CQMS that nobody generated, with assignments by e-mail and years of dirt, migrated once up to the verification of all stages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.support.cli import Cli

if TYPE_CHECKING:
    from tests.support.database import Database, Databases

LEGACY: Final = [
    Path(__file__).parents[1] / "acceptance/sql" / name for name in ("cqms_by_hand.sql", "cqms_assignments.sql")
]


def migrated(databases: Databases) -> Database:
    """A copy of it."""
    return databases.clone("cqms relationships", _migrated)


def build(database: Database) -> None:
    """The old database."""
    for file in LEGACY:
        database.run(file.read_text())
    database.run(
        f"GRANT ALL ON public.audit_assignments, public.typed, public.scorecards, public.people, "
        f"public.scorecard_perameters TO {database.app_role}"
    )


def _migrated(database: Database) -> None:
    build(database)
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", "cqms", "--until", "verify")
    database.run(f"GRANT ALL ON public.employees, public.audits, public.teams, public.channels TO {database.app_role}")


def clean(database: Database, stage: str = "relationships") -> dict[str, Any]:
    """Drain, compare; the answer for a stage, which must be clean."""
    cli = Cli(database.dsn)
    cli.ok("drain", "--plan", "cqms")
    (found,) = [each for each in cli.ok("verify", "--plan", "cqms", "--json").json if each["stage"] == stage]
    assert found["clean"], found
    return dict(found)
