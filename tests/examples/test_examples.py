"""Every example that has a `schema.sql` goes there and back as its README says, and then phase by phase, both versions at work.

An example is a folder: `plan.yaml`, `schema.sql` (the database before), a README whose commands are typed and whose
output is compared, and requests of the application, each file as often repeatable as one likes: `requests.old.sql` of
the old version, at every moment until `retire`; `requests.new.sql` of the new version, from dual-write on.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from orchestrator.engine.commands import PHASES
from orchestrator.kernel.sqllexer import split
from orchestrator.plan.loader import load
from tests.architecture.source import ROOT
from tests.support.cli import Cli
from tests.support.lifecycle import same

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.database import Database

pytestmark = pytest.mark.newest

EXAMPLES: Final = sorted(path.parent for path in (ROOT / "examples").glob("*/schema.sql"))
OURS: Final = ["changeover", "archive", "compat"]
MOST_LINES: Final = 70


@pytest.mark.parametrize("folder", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_an_example_goes_there_and_back_and_there(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    before = as_the_readme_says(database, folder)
    same(database.schema_dump(OURS), before, "after rollback")
    requests(database, folder, "old")
    plan, cli = str(folder), Cli(database.dsn)
    stages = load(plan).model.stages
    for stage in stages:
        for phase in PHASES[: None if stage.contract else -1]:
            cli.ok("run", phase, "--plan", plan, "--stage", stage.stage, "--kind", "rehearsal")
            requests(database, folder, "old")
            if phase != PHASES[0] and stage is stages[-1]:
                requests(database, folder, "new")
    cli.ok("verify", "--plan", plan)
    if any(stage.contract for stage in stages):
        retired = cli("retire", plan, "--yes")
        assert retired.code == 0 or "archives no tables" in retired.err, retired.err
        requests(database, folder, "new")


def as_the_readme_says(database: Database, folder: Path) -> str:
    """Type its commands, compare what it shows, with both versions at work before the rollback; gives the dump before."""
    before = ""
    for command, shown in typed((folder / "README.md").read_text()):
        program, *argv = shlex.split(command)
        if argv[0] == "rollback":
            requests(database, folder, "old")
            requests(database, folder, "new")
        said = plain(spoken(database, program, argv))
        missing = [line for line in shown if plain(line) not in said]
        assert missing == [], f"$ {command}\n{said}"
        if program == "psql" and argv[0] == "-qf":
            grants(database)
            before = database.schema_dump(OURS)
    assert before, "it begins with the old tables"
    return before


def typed(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of the console blocks of a README, with the lines that are shown under it."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for part in block.split("$ ")[1:]:
            command, *shown = part.splitlines()
            yield command, [line for line in shown if line.strip()]


def spoken(database: Database, program: str, argv: list[str]) -> str:
    """What a program says, which must go well."""
    if program == "changeover":
        done = Cli(database.dsn).ok(*argv)
        return done.out + done.err
    assert program == "psql"
    psql = [database.server.installation.tool("psql"), database.dsn, "-X", *argv]
    return subprocess.run(psql, capture_output=True, text=True, check=True).stdout


def plain(text: str) -> str:
    """Without durations, with single blanks, and without the … that stands for more."""
    return re.sub(r"[ \t]+", " ", re.sub(r"\d+\.\d(?!\d)", "#", text)).replace("…", "").strip()


@pytest.mark.parametrize("folder", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_the_readme_of_an_example_is_a_screen(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert len(text.splitlines()) <= MOST_LINES
    assert f"`examples/{folder.name}`" in (ROOT / "docs/cookbook.md").read_text(), "the cookbook lists it"


def requests(database: Database, folder: Path, version: str) -> None:
    """What the application of a version asks for, each statement by itself; each must be served."""
    file = folder / f"requests.{version}.sql"
    if file.is_file():
        app = database.connect("app")
        for statement in split(file.read_text()):
            app.execute(statement.text.encode())
        app.close()


def grants(database: Database) -> None:
    """The application may use what is there, and what will be."""
    app = database.app_role
    database.run(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {app};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {app};"
        f"ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app};"
        f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {app}"
    )
