"""The pack dvc: the life of every pack, and its document line by line against the catalog."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.documents import unexplained
from tests.support.pack_life import Pack, PackLife, WithArchive
from tests.support.soak import SOAK, on_every_server_in_soak

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.timeout(3600 if SOAK else 1200)

CASES = Pack(
    plan="dvc",
    tables=('"case".hoso', "tthc.thu_tuc", "identity.user_profile", "workflow.workflow_instance"),
    rejects={
        ("case.hoso", "unknown_state"): 1,
        ("case.hoso", "no_day"): 3,
        ("case.hoso", "due_before_it_began"): 1,
        ("case.hoso", "no_procedure"): 1,
    },
    without_actions=("expand", "contract"),
)


@on_every_server_in_soak
def test_cases_are_tracked_under_load_and_kills(databases: Databases, tmp_path: Path) -> None:
    WithArchive(databases, CASES, large=True).under_load(tmp_path)


class StageByStage(PackLife):
    """One migration after the other; each goes back alone, to the catalog that it has found."""

    def forward(self) -> None:
        self.found: dict[str, str] = {}
        for stage in self.stages:
            self.found[stage.stage] = self._catalog()
            self.cli.ok("start", self.pack.plan, "--stage", stage.stage, "--until", "verify")

    def back_alone(self, stage: str) -> None:
        self.cli.ok("rollback", "--yes", "--plan", self.pack.plan, "--stage", stage)
        assert self._catalog() == self.found[stage]

    def _catalog(self) -> str:
        return self.database.schema_dump(exclude_schemas=["changeover", "compat", "archive"])


REASONS: Final = {
    r"system.migration_log": "view `system.migration_log` of the ledger",
    r"column configurationjson": "`ConfigurationJSON` is `jsonb`",
    r"sp_executemigrations": "`sp_updatestats`, `sp_ExecuteMigrations`",
    r"ix_hoso_tthc_status|ix_sla_track_breach_risk|ix_citizen_feedback_sentiment": "Indexes on columns that nobody defines",
    r"ix_shipment_status_provider|ix_lgsp_sync_status|ix_workflow_inst_": "Indexes on columns that nobody defines",
    r"ix_hoso_duedate_status|ix_task_assign_overdue": "Filters by the current date, which no index can have",
    r"ix_sla_track_warning": "`IX_SLA_TRACK_Warning` has the words that 009 writes",
}
"""Lines of the document that the catalog does not have, and the words of the README that say why."""


def test_the_catalog_has_what_the_document_has(databases: Databases) -> None:
    """Counted in the document: 24 tables, 592 columns, 42 indexes (22 filtered), 25 foreign keys, seeds, a view."""
    life = StageByStage(databases, CASES)
    one, rows = life.database.value, life.database.rows
    tables = one("SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
    life.there()
    assert unexplained("dvc", life.database, REASONS) == []
    schemas = "('case', 'postal', 'notification', 'system', 'json_normalized', 'identity', 'document', 'workflow', 'tthc', 'audit')"
    assert one(f"SELECT count(*) FROM pg_tables WHERE schemaname IN {schemas}") == tables + 24
    ours = f"schemaname IN {schemas} AND indexname LIKE 'ix\\_%'"
    assert one(f"SELECT count(*) FROM pg_indexes WHERE {ours}") == 42
    assert one(f"SELECT count(*) FROM pg_indexes WHERE {ours} AND indexdef LIKE '% WHERE %'") == 22
    foreign = "contype = 'f' AND convalidated AND connamespace <> 'changeover'::regnamespace"
    assert one(f"SELECT count(*) FROM pg_constraint WHERE {foreign}") == 25
    bare = f"""
    SELECT count(*) FROM pg_constraint c WHERE {foreign}
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])
    """
    assert one(bare) == 0
    seeds = (
        '"case".status_definition',
        '"case".status_transition',
        "postal.postal_provider",
        "system.lgsp_configuration",
    )
    assert [one(f"SELECT count(*) FROM {table}") for table in seeds] == [5, 5, 3, 5]
    assert one("SELECT count(*) FROM system.migration_log WHERE migrationversion = '009' AND status = 'SUCCESS'") > 0

    # Three tasks and four answers are three and four.
    life.database.run(
        """
        INSERT INTO "case".task_assignment (hosoid, taskcode, taskname, assigneduserid, assignedby, duedate)
        SELECT 7, 'T' || n, 'Task', 1, 2, now() FROM generate_series(1, 3) AS n;
        INSERT INTO "case".citizen_feedback (hosoid, citizenid, feedbackcode, feedbacktype, feedbackchannel, overallrating, title, content)
        SELECT 7, 1, 'F' || n, 'X', 'WEB', 1 + n, 'Title', 'Content' FROM generate_series(1, 4) AS n
        """
    )
    seen = rows("SELECT activetasks, feedbackcount, averagerating FROM dbo.v_casestatuscomplete WHERE hosoid = 7")
    assert [tuple(map(float, row)) for row in seen] == [(3, 4, 3.5)]
    assert one("SELECT sum(issuecount) FROM dbo.sp_systemhealthcheck()") == 0
    assert rows("SELECT message FROM dbo.sp_validatedataintegrity()") == [
        ("Data integrity validation passed - no issues found",)
    ]

    # Two vocabularies are one: each history begins with a state that is seeded.
    words = """SELECT count(DISTINCT tinhtrangxuly) FROM "case".hoso WHERE hosoid IN (SELECT hosoid FROM "case".status_history)"""
    unknown = 'tostatus NOT IN (SELECT statuscode FROM "case".status_definition)'
    assert one(f'SELECT count(*) FROM "case".status_history WHERE {unknown}') == 0
    assert one(words) > one('SELECT count(DISTINCT tostatus) FROM "case".status_history') > 1

    # A derived row that is deleted takes no case along, and 009 goes back alone, with its own rows only.
    cases = one('SELECT count(*) FROM "case".hoso')
    life.database.run("INSERT INTO \"case\".status_history (hosoid, tostatus) VALUES (8, 'HUY_BO')")
    life.database.run('DELETE FROM "case".status_history WHERE hosoid = 9')
    assert one('SELECT count(*) FROM "case".hoso') == cases
    for stage in ("m010_final", "m009_data"):
        life.back_alone(stage)
    assert rows('SELECT hosoid, tostatus FROM "case".status_history') == [(8, "HUY_BO")]
    assert one('SELECT count(*) FROM "case".sla_tracking') == 0
    assert one('SELECT count(*) FROM "case".task_assignment') == 3
    # The others too, 008 to 001; what the application wrote into tables that go is kept in `archive`.
    for each in reversed(life.stages[:8]):
        life.back_alone(each.stage)
    assert life.data() == life.rows_before
    assert one("SELECT count(*) FROM archive.task_assignment") == 3


def test_both_packs_say_the_same_of_an_instance() -> None:
    """The baseline of one pack is the table that the other defines."""
    texts = [
        files("orchestrator.plans").joinpath(name).read_text(encoding="utf-8")
        for name in ("dvc/legacy.sql", "dvc_workflow/sql/instances.sql")
    ]
    here, there = (
        re.findall(
            r"^    ([a-z]+ [^\n]*?),?(?: *--.*)?$",
            text.split("CREATE TABLE workflow.workflow_instance (")[1].split("\n);")[0],
            re.MULTILINE,
        )
        for text in texts
    )
    assert here == [each for each in there if not each.startswith("legacy")]
