"""The pack dvc_workflow: the life of every pack, and its document line by line against the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from tests.support.documents import unexplained
from tests.support.pack_life import Pack, PackLife, WithArchive
from tests.support.soak import SOAK, on_every_server_in_soak

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.timeout(3600 if SOAK else 1200)

WORKFLOW = Pack(
    plan="dvc_workflow",
    tables=("old_workflow.definitions", "old_workflow.steps", "old_workflow.instances", "old_workflow.tasks"),
    rejects={
        ("old_workflow.definitions", "no_code"): 1,
        ("old_workflow.steps", "no_workflow"): 2,
        ("old_workflow.instances", "second_running"): 2,
        ("old_workflow.instances", "no_workflow"): 2,
        ("old_workflow.tasks", "no_instance"): 2,
        ("old_workflow.tasks", "no_step"): 1,
    },
)


@on_every_server_in_soak
def test_workflows_are_moved_under_load_and_kills(databases: Databases, tmp_path: Path) -> None:
    WithArchive(databases, WORKFLOW, large=True).under_load(tmp_path)


REASONS: Final = {
    r": CHECK ": "each lets the rows through that carry its name",
    r"ix_workflow_code|ix_workflow_instance_elsa": "repeat the index of a unique constraint",
    r"UNIQUE \(elsaworkflowinstanceid\)|UNIQUE \(workflowid, stepid, organizationid": "`NULLS NOT DISTINCT`, as T-SQL has it",
}
"""Lines of the document that the catalog does not have, and the words of the README that say why."""


def test_the_catalog_has_what_the_document_has(databases: Databases) -> None:
    """Counted in the document: 7 tables, 382 columns, 46 indexes, 11 foreign keys, 8 CHECKs, 5 UNIQUE, 3 views."""
    life = PackLife(databases, WORKFLOW)
    life.cli.ok("init")
    told = life.cli.ok("plan", "check", "dvc_workflow").out
    assert "second_running_of_a_case: 2 rows; loser=51, state=running, winner=9" in told
    life.there()
    assert unexplained("dvc_workflow", life.database, REASONS) == []
    one = life.database.value
    of_workflow = "connamespace = 'workflow'::regnamespace"
    assert one("SELECT count(*) FROM pg_tables WHERE schemaname = 'workflow'") == 7
    columns = "table_schema = 'workflow' AND column_name NOT IN ('legacy', 'legacy_exempt')"
    assert one(f"SELECT count(*) FROM information_schema.columns WHERE {columns}") == 382
    # 44 of the document, one for a foreign key, one for the running case.
    assert one("SELECT count(*) FROM pg_indexes WHERE schemaname = 'workflow' AND indexname LIKE 'ix%'") == 45
    assert one("SELECT count(*) FROM pg_indexes WHERE indexname = 'uc_workflow_instance_one_running'") == 1
    assert one(f"SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated AND {of_workflow}") == 11
    assert one(f"SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND {of_workflow}") == 8
    assert one(f"SELECT count(*) FROM pg_constraint WHERE contype = 'u' AND {of_workflow}") == 5
    assert one("SELECT count(*) FROM pg_index WHERE indnullsnotdistinct") == 2
    assert one("SELECT count(*) FROM pg_views WHERE viewname LIKE 'v\\_workflow%'") == 3
    # Every foreign key has an index that begins with its columns.
    bare = """
    SELECT count(*) FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'workflow'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])
    """
    assert one(bare) == 0
    tasks = life.database.rows(
        'SELECT instanceid, stepname, stepstatus FROM "case".v_workflowtasks ORDER BY 1, 2 LIMIT 1'
    )
    assert len(tasks) == 1
    # One run of a case is at work: a second one is refused to the new version, unless it says that it is not primary.
    second = """
    UPDATE workflow.workflow_instance SET hosoid = 9, status = 'Running', contextvariables = '{}' WHERE instanceid = 1
    """
    with pytest.raises(psycopg.errors.UniqueViolation):
        life.database.run(second)
    with pytest.raises(psycopg.errors.CheckViolation):
        life.database.run("UPDATE workflow.workflow_instance SET priority = 9 WHERE instanceid = 9")
    # The loser is a reject as long as the winner runs.
    losers = "SELECT key FROM changeover.reject WHERE reason = 'second_running' ORDER BY 1"
    assert life.database.rows(losers) == [("51",), ("52",)]
    life.database.run("UPDATE old_workflow.instances SET state = 'done' WHERE id = 9")
    life.cli.ok("rejects", "replay", "--all", "--plan", "dvc_workflow")
    assert life.database.rows(losers) == [("52",)]
    life.verified()
    life.back()
    life.database.run("UPDATE old_workflow.instances SET state = 'running' WHERE id = 9")
    assert life.data() == life.rows_before
    assert life.database.schema_dump(exclude_schemas=["changeover"]) == life.before
