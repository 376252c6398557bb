"""A plan that was begun here is found by its name: who rolls back at night has `status`, and not the folder in mind."""

from __future__ import annotations

import shutil
from pathlib import Path

import orchestrator
from tests.support.cli import Cli
from tests.support.database import Database

EXAMPLE = Path(orchestrator.__file__).parent / "plans" / "example"


def test_by_the_name_that_status_shows(shops: Database, tmp_path: Path) -> None:
    cli, folder = Cli(shops.dsn), tmp_path / "two shops"
    shutil.copytree(EXAMPLE, folder)
    text = (folder / "plan.yaml").read_text().replace("plan: example", "plan: shops")
    (folder / "plan.yaml").write_text(text)
    cli.ok("init")
    unknown = cli("start", "shops")
    assert (unknown.code, "There is no plan 'shops'" in unknown.err) == (2, True)
    cli.ok("start", str(folder), "--until", "backfill")
    assert "changeover start shops" in cli.ok("status").out
    cli.ok("start", "shops", "--until", "verify")
    assert cli.ok("verify", "--plan", "shops").out.startswith("customers: clean")
    assert "flag" in cli.ok("gate", "list", "shops").out
    # The files have moved: the first command that is given their folder tells the ledger.
    moved = folder.rename(tmp_path / "elsewhere")
    gone = cli("rollback", "--plan", "shops", "--dry-run")
    assert gone.code == 2
    assert f"begun from the folder {folder}" in gone.err
    cli.ok("run", "verify", "--plan", str(moved), "--stage", "customers")
    cli.ok("rollback", "--plan", "shops", "--yes")
    assert shops.value("SELECT to_regclass('public.customers') IS NULL") is True


def test_a_shipped_plan_is_the_shipped_one(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "expand")
    assert shops.value("SELECT folder FROM changeover.run") is None
