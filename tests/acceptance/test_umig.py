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
    # Spellings of one status share its key, of the right type; NULL stays NULL; an unknown one has been made.
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


@pytest.mark.newest
def test_words_go_at_retire_and_keys_get_their_names(databases: Databases) -> None:
    life = UmigLife(databases, UMIG)
    life.cli.ok("init")
    life.cli.ok("start", "umig", "--kind", "rehearsal")
    words = Counter(life.database.rows("SELECT mig_id, mig_status FROM migrations_mig"))
    life.cli.ok("retire", "umig", "--yes")
    kinds = """
    SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'integer'
    AND column_name IN ('mig_type', 'mig_status', 'ite_status', 'plm_status', 'pli_status', 'sqi_status', 'phi_status', 'sti_status', 'cti_status')
    """
    assert life.database.value(kinds) == 9
    assert life.database.value("SELECT count(*) FROM pg_views WHERE schemaname LIKE 'umig\\_v_'") == 0
    assert Counter(life.database.rows("SELECT mig_id, mig_status FROM archive.migrations_mig_columns_run1")) == words
