"""The pack dvc_workflow: the life of every pack, and its document line by line against the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pack_life import Pack, PackLife

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.timeout(600)

WORKFLOW = Pack(
    plan="dvc_workflow",
    tables=("old_workflow.definitions", "old_workflow.steps", "old_workflow.instances", "old_workflow.tasks"),
    old=(
        "UPDATE old_workflow.instances SET state = 'dang_xu_ly', progress = ({n} % 130) || ' %' WHERE id = 1 + {n} % 8",
        "UPDATE old_workflow.instances SET state = 'hoàn thành', finished_at = '2024-01-01' WHERE id = 1 + {n} % 8",
        """
        INSERT INTO old_workflow.instances (definition_id, case_code, title, state, starter, data)
        VALUES (1 + {n} % 3, 'OLD-{n}', 'Hồ sơ cũ {n}', 'running', 'user{n}', '{"n": {n}}')
        """,
        "UPDATE old_workflow.definitions SET hours = {n} % 40, live = 'Y' WHERE id = 1 + {n} % 4",
        "UPDATE old_workflow.tasks SET state = 'done', minutes = {n} % 90, worker = 'User3' WHERE id = 1 + {n} % 60",
        "INSERT INTO old_workflow.tasks (instance_id, step_id, nth, state) VALUES (1 + {n} % 40, 1 + {n} % 15, {n}, 'cho')",
        "DELETE FROM old_workflow.tasks WHERE id = 61 + {n} % 30",
    ),
    new={
        "definitions": (
            "UPDATE workflow.dm_workflow SET workflowname = 'Quy trình {n}', slatargethours = {n} % 100 WHERE workflowid = 2",
            """
            INSERT INTO workflow.dm_workflow_step (workflowid, stepcode, stepname, stepnumber, steptype, estimateddurationminutes, createdby)
            VALUES (1, 'NEW-{n}', 'Bước mới', {n}, 'Task', 15, 3)
            """,
        ),
        "instances": (
            """
            INSERT INTO workflow.workflow_instance (workflowid, instancecode, elsaworkflowinstanceid, initiatedby, status, createdby)
            VALUES (2, 'NEW-{n}', 'elsa-new-{n}', 4, 'Running', 4)
            """,
            "UPDATE workflow.workflow_instance SET status = 'Completed', progresspercentage = 100 WHERE instancecode = 'NEW-{n}'",
            "UPDATE workflow.workflow_instance SET currentassignee = 1 + {n} % 20, slastatus = 'Met' WHERE instanceid = 20 + {n} % 8",
            "UPDATE workflow.workflow_step_instance SET decision = 'Approve', qualityscore = 4.5 WHERE stepinstanceid = 1 + {n} % 50",
            "DELETE FROM workflow.workflow_step_instance WHERE stepinstanceid = 95 + {n} % 5",
        ),
        "support": (
            "INSERT INTO workflow.workflow_assignment_rules (rulename, ruletype, ruleexpression, createdby) VALUES ('R{n}', 'Role', 'x', 1)",
            "DELETE FROM workflow.workflow_assignment_rules WHERE rulename = 'R{n}'",
        ),
    },
    rejects={
        ("old_workflow.definitions", "no_code"): 1,
        ("old_workflow.steps", "no_workflow"): 2,
        ("old_workflow.instances", "second_running"): 2,
        ("old_workflow.instances", "no_workflow"): 2,
        ("old_workflow.tasks", "no_instance"): 2,
        ("old_workflow.tasks", "no_step"): 1,
    },
)


def test_workflows_survive_kills_and_go_back(databases: Databases) -> None:
    PackLife(databases, WORKFLOW).killed_there_and_back()


def test_workflows_are_contracted_under_load(databases: Databases) -> None:
    PackLife(databases, WORKFLOW).contracted_under_load()


def test_the_catalog_has_what_the_document_has(databases: Databases) -> None:
    """Counted in the document: 7 tables, 382 columns, 46 indexes, 11 foreign keys, 8 CHECKs, 5 UNIQUE, 3 views."""
    life = PackLife(databases, WORKFLOW)
    life.cli.ok("init")
    life.forward()
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
