"""The plan of each page about a key of a stage is carried out on the tables of the page, and taken back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.lifecycle import same

OURS = ["changeover", "archive"]


@pytest.mark.newest
@pytest.mark.parametrize("page", ["alter", "rename"])
def test_the_plan_of_a_page_can_be_carried_out(database: Database, tmp_path: Path, page: str) -> None:
    text = (ROOT / "docs/plan" / f"{page}.md").read_text()
    for block in re.findall(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        database.run(block)
    (plan,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "plan.yaml").write_text(plan)
    before, cli = database.schema_dump(OURS), Cli(database.dsn)
    cli.ok("init")
    cli.ok("plan", "lint", str(tmp_path))
    cli.ok("start", str(tmp_path), "--kind", "rehearsal")
    assert database.schema_dump(OURS) != before
    cli.ok("rollback", "--yes", "--plan", str(tmp_path))
    same(database.schema_dump(OURS), before, "after rollback")
