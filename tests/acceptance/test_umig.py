"""The pack umig: the life of every pack, who must say yes before contract, and its document against the catalog."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.pack_life import Pack, PackLife

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.timeout(600)

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
    old=(
        "UPDATE public.migrations_mig SET mig_status = 'in-progress' WHERE mig_id = public.umig_id('mig', 1 + {n} % 15)",
        "UPDATE public.migrations_mig SET mig_type = ' network ' WHERE mig_id = public.umig_id('mig', 1 + {n} % 15)",
        "INSERT INTO public.migrations_mig (usr_id_owner, mig_name, mig_type, mig_status) VALUES (1, 'Old {n}', 'Database', 'Planning')",
        """
        UPDATE public.steps_instance_sti SET sti_status = 'Waits for ' || {n} % 5, sti_end_time = now()
        WHERE sti_id = public.umig_id('sti', 1 + {n} % 90)
        """,
        """
        INSERT INTO public.steps_instance_sti (phi_id, stm_id, sti_name, sti_status)
        VALUES (public.umig_id('phi', 1), public.umig_id('stm', 1), 'Old {n}', 'completed')
        """,
        "DELETE FROM public.steps_instance_sti WHERE sti_name = 'Old {n}' AND {n} % 2 = 0",
        "UPDATE public.controls_instance_cti SET cti_status = NULL WHERE cti_id = public.umig_id('cti', 1 + {n} % 20)",
    ),
    new={
        "tables": (
            "INSERT INTO public.labels_lbl (mig_id, lbl_name) VALUES (public.umig_id('mig', 1), 'Label {n}')",
            "DELETE FROM public.labels_lbl WHERE lbl_name = 'Label {n}'",
        ),
        "status": (
            "UPDATE public.migrations_mig SET mig_status_id = 1 + {n} % 4 WHERE mig_id = public.umig_id('mig', 16 + {n} % 15)",
            """
            INSERT INTO public.migrations_mig (usr_id_owner, mig_name, mig_type_id, mig_status_id)
            SELECT 2, 'New {n}', m.mit_id, 2 FROM public.migration_types_mit m WHERE m.mit_code = 'SECURITY'
            """,
            """
            INSERT INTO public.steps_instance_sti (phi_id, stm_id, sti_name, sti_status_id)
            VALUES (public.umig_id('phi', 2), public.umig_id('stm', 2), 'New {n}', 22)
            """,
            "UPDATE public.steps_instance_sti SET sti_status_id = 24 WHERE sti_name = 'New {n}'",
            "UPDATE public.controls_instance_cti SET cti_status_id = 29 WHERE cti_id = public.umig_id('cti', 21 + {n} % 20)",
        ),
    },
    rejects={
        ("public.migrations_mig", "empty_status"): 2,
        ("public.migrations_mig", "no_type"): 1,
        ("public.migrations_mig", "type_too_long"): 1,
        ("public.iterations_ite", "empty_status"): 2,
        ("public.steps_instance_sti", "empty_status"): 3,
        ("public.controls_instance_cti", "empty_status"): 1,
    },
)


class UmigLife(PackLife):
    """Tables that keep their place are judged without their new columns, and two validators are asked."""

    def data(self) -> dict[str, Counter[str]]:
        new = [*(f"{prefix}_status_id" for prefix in STATUSES.values()), "mig_type_id"]
        columns = ", ".join(f"'{column}'" for column in new)
        return {
            table: Counter(
                row[0] for row in self.database.rows(f"SELECT (to_jsonb(x) - ARRAY[{columns}])::text FROM {table} x")
            )
            for table in self.pack.tables
        }

    def finish(self) -> None:
        """IT and the business say yes; one person cannot be both."""
        yes = ("gate", "approve", "umig", "compared", "--reason", "counts are equal", "--as")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CHANGEOVER_ACTOR", "ann")
            self.cli.ok(*yes, "it_validator")
            assert self.cli(*yes, "biz_validator").code != 0
            patch.setenv("CHANGEOVER_ACTOR", "ben")
            self.cli.ok(*yes, "biz_validator")
        super().finish()


def test_statuses_survive_kills_and_go_back(databases: Databases) -> None:
    UmigLife(databases, UMIG).killed_there_and_back()


def test_statuses_are_contracted_under_load(databases: Databases) -> None:
    UmigLife(databases, UMIG).contracted_under_load()


def test_the_catalog_has_what_the_document_has(databases: Databases) -> None:
    """Counted in the document: 50 tables, 74 foreign keys (one impossible), 78 indexes (four of them repeat another)."""
    life = UmigLife(databases, UMIG)
    life.cli.ok("init")
    life.forward()
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
