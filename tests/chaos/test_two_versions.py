"""Two versions of a table, each with its view, and a kill at every commit: no request fails, and it ends as if nobody had been killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.killing import ForkServer, Hunt
from tests.support.database import Databases
from tests.support.lifecycle import same
from tests.support.traffic import Traffic, crew, missing
from tests.support.two_versions import NEW, OLD, OURS, PLAN, as_version, build

pytestmark = pytest.mark.newest


def test_at_commits_there_and_back_and_to_the_end(
    databases: Databases, fork_server: ForkServer, tmp_path: Path
) -> None:
    database = databases.clone("two versions", build)
    (tmp_path / "plan.yaml").write_text(PLAN)
    plan, before = str(tmp_path), database.schema_dump(OURS)
    assert fork_server.run(database.dsn, "init").code == 0
    hunt = Hunt(fork_server, database.dsn, tmp_path / "met", share=9)
    traffic = Traffic()
    old = traffic.add(crew(as_version(database, 1), "old", [OLD], pace=0.01))
    new = traffic.add(crew(as_version(database, 2), "new", [NEW], pace=0.01))
    traffic.allow(old)
    try:
        hunt("start", plan, "--kind", "rehearsal")
        traffic.allow(new)
        traffic.wait_for_more(40)
        traffic.hold(new)
        for each in new:
            each.retire()
        hunt.share = 4
        hunt("rollback", "--yes", "--plan", plan)
        traffic.hold()
        same(database.schema_dump(OURS), before, "after rollback")
        traffic.allow(old)
        assert fork_server.patiently(database.dsn, "start", plan, "--kind", "rehearsal").code == 0
        traffic.hold(old)
        for each in old:
            each.retire()
        new = traffic.add(crew(as_version(database, 2), "new", [NEW, NEW], pace=0.01)[2:])
        traffic.allow(new)
        hunt.share = 1
        hunt("retire", plan, "--yes")
        traffic.wait_for_more(20)
        traffic.hold()
        traffic.check()
        tags = {row[0] for row in database.rows("SELECT tag FROM public.steps")}
        assert not missing(tags, "the table", traffic.writers)
    finally:
        traffic.end()
    assert database.value("SELECT count(*) FROM archive.steps_columns_run2 WHERE status IN ('DONE', ' held ')") >= 150
    assert database.value("SELECT count(status) FROM public.steps WHERE tag LIKE 't%'") == 300
    assert sum(number for _, number in hunt.kills) > 8
