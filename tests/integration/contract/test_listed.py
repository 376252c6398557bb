"""Sources that a plan lists: only plain tables, and after contract every command still means the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.contract.conftest import Shop


def test_every_command_works_after_contract(shop: Shop) -> None:
    shop.until()
    for _ in range(2):
        shop.cli.ok("verify", "--plan", shop.plan)
        shop.cli.ok("plan", "check", shop.plan)
        shop.cli.ok("start", shop.plan, "--kind", "rehearsal")
        shop.back()
        assert shop.database.value("SELECT relkind FROM pg_class WHERE oid = 'public.parcels'::regclass") == "r"
        shop.until()
    shop.database.run("INSERT INTO public.parcels (code) VALUES ('late')")
    assert shop.database.value("SELECT label FROM public.shipments WHERE id = 4") == "late"
    shop.cli.ok("retire", shop.plan, "--dry-run")
    shop.cli.ok("retire", shop.plan, "--yes")
    assert shop.database.value("SELECT to_regclass('public.parcels_id_seq') IS NULL")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("CREATE TABLE public.parcels (id int PRIMARY KEY, code text) PARTITION BY RANGE (id)", "it is partitioned"),
        ("CREATE VIEW public.parcels AS SELECT 1 AS id, 'x' AS code", "it is a view"),
        ("CREATE MATERIALIZED VIEW public.parcels AS SELECT 1 AS id", "it is a materialized view"),
        (
            "CREATE TABLE public.parcels (id int PRIMARY KEY); CREATE TABLE public.sub () INHERITS (public.parcels)",
            "inherit",
        ),
    ],
)
def test_what_is_no_plain_table_is_refused_before_anything_is_changed(shop: Shop, made: str, words: str) -> None:
    shop.database.run(f"DROP TABLE public.parcels; {made}")
    before = shop.database.schema_dump()
    checked, started = shop.cli("plan", "check", shop.plan), shop.cli("start", shop.plan, "--kind", "rehearsal")
    assert (checked.code, started.code) == (5, 5)
    assert words in checked.out
    assert words in started.err
    assert shop.database.schema_dump() == before


def test_a_sequence_that_a_new_table_draws_from_outlives_retire(shop: Shop) -> None:
    new = Path(shop.plan) / "new.sql"
    new.write_text(new.read_text().replace("id bigint", "id bigint DEFAULT nextval('public.parcels_id_seq')"))
    shop.until()
    shop.cli.ok("retire", shop.plan, "--yes")
    assert shop.database.value("INSERT INTO public.shipments (label) VALUES ('next') RETURNING id") == 4


@pytest.mark.parametrize(
    ("hung", "named"),
    [
        ("CREATE VIEW public.heavy AS SELECT * FROM public.parcels", "view heavy depends on view parcels"),
        ("CREATE VIEW public.proofs AS SELECT * FROM compat.parcels", "view proofs depends on view compat.parcels"),
        ("CREATE TABLE public.k (id int REFERENCES archive.parcels)", "on table archive.parcels"),
        ("CREATE FUNCTION public.f(archive.parcels) RETURNS int LANGUAGE sql AS 'SELECT 1'", "on type archive.parcels"),
    ],
)
def test_the_dry_run_names_what_retire_would_refuse(shop: Shop, hung: str, named: str) -> None:
    shop.until()
    shop.database.run(hung)
    shown, refused = shop.cli.ok("retire", shop.plan, "--dry-run"), shop.cli("retire", shop.plan, "--yes")
    assert refused.code == 5
    for text in (shown.out, refused.err):
        assert named in " ".join(text.split())
