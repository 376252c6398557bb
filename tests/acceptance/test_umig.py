"""The pack umig: the life of every pack, who must say yes before contract, and its document against the catalog."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.documents import unexplained
from tests.support.pack_life import Pack, WithArchive
from tests.support.soak import SOAK, on_every_server_in_soak

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.timeout(3600 if SOAK else 1200)

STATUSES: Final = {
    "migrations_mig": "mig",
    "iterations_ite": "ite",
    "plans_master_plm": "plm",
    "plans_instance_pli": "pli",
    "sequences_instance_sqi": "sqi",
    "phases_instance_phi": "phi",
    "steps_instance_sti": "sti",
    "controls_instance_cti": "cti",
}

UMIG = Pack(
    plan="umig",
    tables=tuple(f"public.{table}" for table in STATUSES),
    rejects={
        ("public.migrations_mig", "no_status"): 3,
        ("public.iterations_ite", "no_status"): 4,
        ("public.plans_master_plm", "no_status"): 1,
        ("public.plans_instance_pli", "no_status"): 4,
        ("public.sequences_instance_sqi", "no_status"): 4,
        ("public.phases_instance_phi", "no_status"): 4,
        ("public.steps_instance_sti", "no_status"): 20,
        ("public.controls_instance_cti", "no_status"): 4,
        ("public.migrations_mig", "empty_status"): 2,
        ("public.migrations_mig", "no_type"): 1,
        ("public.migrations_mig", "type_too_long"): 1,
        ("public.iterations_ite", "empty_status"): 2,
        ("public.steps_instance_sti", "empty_status"): 3,
        ("public.controls_instance_cti", "empty_status"): 1,
    },
)


class UmigLife(WithArchive):
    """Tables that keep their place are judged without their new columns."""

    def data(self) -> dict[str, Counter[str]]:
        new = [*(f"{prefix}_status_id" for prefix in STATUSES.values()), "mig_type_id"]
        columns = ", ".join(f"'{column}'" for column in new)
        return {
            table: Counter(
                row[0] for row in self.database.rows(f"SELECT (to_jsonb(x) - ARRAY[{columns}])::text FROM {table} x")
            )
            for table in self.pack.tables
        }


@on_every_server_in_soak
def test_statuses_are_keys_under_load_and_kills(databases: Databases, tmp_path: Path) -> None:
    UmigLife(databases, UMIG, large=True).under_load(tmp_path)


REASONS: Final = {
    r"column (mig|ite|plm|pli|sqi|phi|sti|cti)_status integer not null": "they are NOT NULL",
    r"comment (mig|ite|plm|pli|sti)_status": "are on the new columns beside them",
    r"FOREIGN KEY \((mig|ite|plm|pli|sqi|phi|sti|cti)_status\)": "new columns `mig_status_id`, `ite_status_id`, … beside the old ones",
    r"INDEX idx_\w+_status_id \(\w+_status\)": "new columns `mig_status_id`, `ite_status_id`, … beside the old ones",
    r"INDEX idx_active_(migrations|iterations)": "the same on the new columns",
    r"pk_stm_itt|pk_stm_tms_impacted|idx_emt_name|idx_migration_types_code": "repeat the index of a key",
    r"stg_steps\(id\)": "there is no column `id`",
}
"""Lines of the document that the catalog does not have, and the words of the README that say why."""


def test_the_catalog_has_what_the_document_has(databases: Databases) -> None:
    """Counted in the document: 50 tables, 74 foreign keys (one impossible), 78 indexes (four of them repeat another)."""
    life = UmigLife(databases, UMIG)
    life.there()
    assert unexplained("umig", life.database, REASONS) == []
    one = life.database.value
    assert one("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 50
    keys = "contype = 'f' AND convalidated AND connamespace = 'public'::regnamespace"
    assert one(f"SELECT count(*) FROM pg_constraint WHERE {keys} AND conname LIKE 'fk\\_%'") == 74
    bare = f"""
    SELECT count(*) FROM pg_constraint c WHERE {keys}
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL)
    """
    assert one(bare) == 0
    partial = """
    SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE i.indpred IS NOT NULL AND c.relnamespace = 'public'::regnamespace
    """
    assert one(partial) == 3
    # A sequence belongs to its column: a table that is dropped takes it along.
    free = """
    SELECT count(*) FROM pg_class s WHERE s.relkind = 'S' AND s.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = s.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)
    """
    assert one(free) == 0
    # Spellings of one status share its key, of the right type; NULL has no key; an unknown one has been made.
    for table, prefix in STATUSES.items():
        assert (
            one(f"SELECT count(*) FROM {table} WHERE {prefix}_status IS NULL AND {prefix}_status_id IS NOT NULL") == 0
        )
        types = f"""
        SELECT count(DISTINCT s.sts_type) FROM {table} t JOIN public.status_sts s ON s.sts_id = t.{prefix}_status_id
        """
        assert one(types) == 1
    spelt = "SELECT count(DISTINCT mig_status) FROM migrations_mig WHERE mig_status_id = "
    assert one(f"{spelt}1") == 3
    assert one(f"{spelt}2") == 3
    assert one("SELECT count(*) FROM status_sts WHERE sts_id >= 100 AND sts_name = 'ON_HOLD'") == 7
    assert one("SELECT count(*) FROM migration_types_mit") == 9
    told = "SELECT count(*) FROM pg_description WHERE description LIKE 'Status ID referencing status_sts table%'"
    assert one(told) == 5
    # One name, two versions: each has the table in a schema of its own, and finds it by its search path.
    old, new = (f"SET LOCAL search_path = {schema}, public; " for schema in ("umig_v1", "umig_v2"))
    mine = "WHERE mig_id = umig_id('mig', 1)"
    life.database.run(f"{old} UPDATE migrations_mig SET mig_status = 'on-hold' {mine}")
    assert one(f"SELECT mig_status FROM umig_v2.migrations_mig {mine}") == one(
        "SELECT sts_id FROM status_sts WHERE sts_name = 'ON_HOLD' AND sts_type = 'Migration'"
    )
    life.database.run(f"{new} UPDATE migrations_mig SET mig_status = 2, mig_type = 1 {mine}")
    assert life.database.rows(f"SELECT mig_status FROM umig_v1.migrations_mig {mine}") == [("IN_PROGRESS",)]
    life.database.run(f"UPDATE migrations_mig SET mig_status = 'planning', mig_type = 'application' {mine}")
    # IT and the business say yes; one person cannot be both.
    yes = ("gate", "approve", "umig", "compared", "--reason", "counts are equal", "--as")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHANGEOVER_ACTOR", "ann")
        life.cli.ok(*yes, "it_validator")
        refused = life.cli(*yes, "biz_validator")
        assert (refused.code, "one person is not two roles" in refused.err) == (5, True)
        patch.setenv("CHANGEOVER_ACTOR", "ben")
        life.cli.ok(*yes, "biz_validator")
    gates = {each["gate"]: each["met"] for each in life.cli.ok("gate", "list", "umig", "--json").json}
    assert gates["compared"] is True
    life.and_back()


STAGED: Final = (Path(__file__).parent / "sql/umig_staged.sql").read_text()
STAGED_REJECTS: Final = {
    "staged_steps": {
        "no_step_id": 1,
        "no_phase": 2,
        "no_step_type": 1,
        "no_owner": 1,
        "negative_duration": 1,
        "unique_violation": 1,
    },
    "staged_instructions": {"no_step": 10, "no_order": 1, "negative_duration": 1},
    "impacted_teams": {"no_team": 33, "repeated": 33, "no_step": 4},
    "iteration_types_of_steps": {"no_iteration_type": 50, "no_step": 3, "id_taken": 1},
}
"""Counted by hand in `umig_staged.sql`."""
ITEMS: Final = {
    "impacted_teams": ("teams_impacted", "steps_master_stm_x_teams_tms_impacted", 271),
    "iteration_types_of_steps": ("iteration_types", "steps_master_stm_x_iteration_types_itt", 254),
}
_REJECTED: Final = """
    SELECT m.name, r.reason, count(*)::int FROM changeover.reject r JOIN changeover.source z ON z.id = r.source_id
    JOIN changeover.mapping m ON m.id = z.mapping_id WHERE m.stage IN ('import', 'lists') GROUP BY 1, 2
"""


def items_are_counted(life: UmigLife) -> Counter[tuple[str, str]]:
    """Items = rows of pairs + rejects, whatever the ledger says of it; gives the rejects."""
    rejects = Counter({(name, reason): number for name, reason, number in life.database.rows(_REJECTED)})
    for mapping, (column, pairs, _) in ITEMS.items():
        items = life.database.value(
            f"SELECT count(*) FROM stg_steps s, regexp_split_to_table(s.{column}, ',') AS i (word) WHERE btrim(i.word) <> ''"
        )
        rejected = sum(number for (name, _), number in rejects.items() if name == mapping)
        assert items == life.database.value(f"SELECT count(*) FROM {pairs}") + rejected, mapping
    return rejects


@on_every_server_in_soak
def test_staged_rows_go_on_or_are_rejected_and_items_are_counted(databases: Databases) -> None:
    """A batch before the mirrors and one after; what is mended goes on; the way back takes out what was made and no more."""
    life = UmigLife(databases, UMIG)
    run, rows = life.database.run, life.database.rows
    life.cli.ok("init")
    before, data = life.database.schema_dump(exclude_schemas=["changeover"]), life.data()
    steps = "SELECT to_jsonb(s)::text FROM public.steps_master_stm s ORDER BY stm_id"
    known = rows(steps)
    life.cli.ok("start", "umig", "--stage", "tables", "--until", "verify")
    run(STAGED)
    for stage in ("import", "lists"):
        life.cli.ok("start", "umig", "--stage", stage, "--until", "verify")
    life.verified()
    wanted = Counter({(name, reason): n for name, each in STAGED_REJECTS.items() for reason, n in each.items()})
    assert items_are_counted(life) == wanted
    assert len(rows(steps)) == len(known) + 200
    assert life.database.value("SELECT count(*) FROM instructions_master_inm") == 290
    for mapping, (_, pairs, items) in ITEMS.items():
        assert life.database.value(f"SELECT count(*) FROM {pairs}") == items - sum(STAGED_REJECTS[mapping].values())
    # The first step of the second batch has other numbers, and so do its instructions; its rejects come by the mirrors.
    later = STAGED.replace("(1001, 1200)", "(3001, 3200)").replace("'DB-' || 1001 +", "'DB-' || 3001 +")
    run(
        later.replace("1, 1001, 5, 'DB'", "1, 3001, 5, 'DB'")
        .replace("'DB-1001'", "'DB-3001'")
        .replace(" 2001", " 4001")
    )
    life.verified()
    assert items_are_counted(life).total() > wanted.total()
    # What somebody mends goes on: a phase, an unknown team that is made, a list of which an item goes.
    run("UPDATE stg_steps SET phase_id = umig_id('phm', 2)::text WHERE step_id = 'APP-1' AND stg_id < 300")
    run("INSERT INTO teams_tms (tms_name) VALUES ('team 9'), ('Team 9')")
    run("UPDATE stg_steps SET iteration_types = 'DR' WHERE step_id = 'DB-1001'")
    life.verified()
    mended = items_are_counted(life)
    assert mended["impacted_teams", "no_team"] == 0
    teams = """
    SELECT s.stm_code, t.tms_name FROM steps_master_stm_x_teams_tms_impacted x JOIN steps_master_stm s USING (stm_id)
    JOIN teams_tms t USING (tms_id) WHERE s.stm_code IN ('APP-1', 'DB-1003', 'DB-1005') ORDER BY 1, 2
    """
    assert rows(teams) == [
        ("APP-1", "Team 1"),
        ("DB-1003", "Team 2"),
        ("DB-1003", "Team 3"),
        ("DB-1005", "Team 2"),
        ("DB-1005", "team 9"),
    ]
    life.back()
    assert rows(steps) == known
    assert life.data() == data
    assert life.database.schema_dump(exclude_schemas=["changeover"]) == before


@pytest.mark.newest
def test_words_go_at_retire_and_keys_get_their_names(databases: Databases) -> None:
    life = UmigLife(databases, UMIG)
    life.cli.ok("init")
    refused = life.cli("start", "umig", "--kind", "rehearsal")
    for table, prefix in STATUSES.items():
        assert f"without public.{table}.{prefix}_status_id" in " ".join(refused.err.split())
    for statement in life.script.mend:
        life.database.run(statement)
    life.cli.ok("start", "umig", "--kind", "rehearsal")
    words = Counter(life.database.rows("SELECT mig_id, mig_status FROM migrations_mig"))
    life.cli.ok("retire", "umig", "--yes")
    required = """
    SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND column_name LIKE '%\\_status' AND is_nullable = 'NO'
    AND data_type = 'integer'
    """
    assert life.database.value(required) == 8
    kinds = """
    SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'integer'
    AND column_name IN ('mig_type', 'mig_status', 'ite_status', 'plm_status', 'pli_status', 'sqi_status', 'phi_status', 'sti_status', 'cti_status')
    """
    assert life.database.value(kinds) == 9
    assert life.database.value("SELECT count(*) FROM pg_views WHERE schemaname LIKE 'umig\\_v_'") == 0
    assert Counter(life.database.rows("SELECT mig_id, mig_status FROM archive.migrations_mig_columns_run1")) == words
