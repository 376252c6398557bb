"""Every example that has a `schema.sql` goes all the way, back, and all the way again, while both versions use it.

An example is a folder: `plan.yaml`, `schema.sql` (the database before), and requests of the application, each file as
often repeatable as one likes: `requests.old.sql` of the old version, at every moment until `retire`; `requests.new.sql`
of the new version, from dual-write on.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.engine.commands import PHASES
from orchestrator.kernel.sqllexer import split
from orchestrator.plan.loader import load
from tests.architecture.source import ROOT
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.lifecycle import same

pytestmark = pytest.mark.newest

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/schema.sql"))
OURS = ["changeover", "archive"]


@pytest.mark.parametrize("folder", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_an_example_goes_there_and_back_and_there(database: Database, folder: Path) -> None:
    database.run((folder / "schema.sql").read_text())
    grants(database)
    before, plan, cli = database.schema_dump(OURS), str(folder), Cli(database.dsn)
    stages = load(plan).model.stages
    cli.ok("init")
    cli.ok("plan", "lint", plan)
    cli.ok("plan", "check", plan)
    for stage in stages:
        for phase in PHASES[: None if stage.contract else -1]:
            requests(database, folder, "old")
            cli.ok("run", phase, "--plan", plan, "--stage", stage.stage, "--kind", "rehearsal")
            requests(database, folder, "old")
            if phase != PHASES[0]:
                requests(database, folder, "new")
    cli.ok("rollback", "--yes", "--plan", plan)
    same(database.schema_dump(OURS), before, "after rollback")
    requests(database, folder, "old")
    cli.ok("start", plan, "--kind", "rehearsal")
    requests(database, folder, "old")
    requests(database, folder, "new")
    if any(stage.contract for stage in stages):
        cli.ok("retire", plan, "--yes")
        requests(database, folder, "new")


def requests(database: Database, folder: Path, version: str) -> None:
    """What the application of a version asks for, each statement by itself; each must be served."""
    file = folder / f"requests.{version}.sql"
    if file.is_file():
        app = database.connect("app")
        for statement in split(file.read_text()):
            app.execute(statement.text.encode())
        app.close()


def grants(database: Database) -> None:
    """The application may use what is there."""
    database.run(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {database.app_role};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {database.app_role};"
    )
