"""A table in use is changed and taken back with a kill at every commit: it ends as if nobody had been killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.killing import ForkServer, Hunt
from tests.integration.alter.conftest import OLD, PLAN
from tests.support.database import Database, Databases
from tests.support.lifecycle import same

pytestmark = pytest.mark.newest


def _built(database: Database) -> None:
    database.run(OLD)


def test_at_every_commit_there_and_back(databases: Databases, fork_server: ForkServer, tmp_path: Path) -> None:
    database = databases.clone("chaos alter", _built)
    (tmp_path / "plan.yaml").write_text(PLAN)
    before = database.schema_dump(["changeover", "archive"])
    assert fork_server.run(database.dsn, "init").code == 0
    hunt = Hunt(fork_server, database.dsn, tmp_path / "met", share=6)
    hunt("start", str(tmp_path), "--kind", "rehearsal")
    database.run("UPDATE hr.\"Staff\" SET phone = 'kept' WHERE id < 4")
    hunt.share = 3
    hunt("rollback", "--yes", "--plan", str(tmp_path))
    same(database.schema_dump(["changeover", "archive"]), before, "after rollback")
    assert database.value("SELECT count(*) FROM archive.\"Staff_columns_run1\" WHERE phone = 'kept'") == 3
    assert sum(number for _, number in hunt.kills) > 10
