"""Row-level security of an old table holds for every role, through every name, in every phase; or it is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from orchestrator.engine.contract import old_name
from tests.integration.contract.parcels import POLICY

if TYPE_CHECKING:
    from tests.integration.contract.conftest import Shop

pytestmark = pytest.mark.every

ON = "ALTER TABLE public.parcels ENABLE ROW LEVEL SECURITY"
WHERE = "SELECT oid::regclass::text, relkind FROM pg_class WHERE relname = 'parcels' ORDER BY 1"


def _judge(shop: Shop) -> None:
    """The reader sees and changes Ann's parcels, makes none for others, and learns nothing from the proof."""
    before = shop.database.rows("SELECT code, weight FROM public.parcels WHERE owner <> 'ann' ORDER BY 1")
    with shop.database.connect("app") as app:
        assert app.execute("SELECT DISTINCT owner FROM public.parcels").fetchall() == [("ann",)]
        assert app.execute("UPDATE public.parcels SET weight = weight + 1").rowcount == 2
        assert app.execute("DELETE FROM public.parcels WHERE owner = 'bob'").rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("INSERT INTO public.parcels (code, owner) VALUES ('forged', 'bob')")
        if shop.database.value("SELECT to_regclass('compat.parcels') IS NOT NULL"):
            with suppress(psycopg.errors.InsufficientPrivilege):
                assert app.execute("SELECT * FROM compat.parcels").fetchall() == []
    assert shop.database.rows("SELECT code, weight FROM public.parcels WHERE owner <> 'ann' ORDER BY 1") == before


def test_policies_hold_in_every_phase(shop: Shop) -> None:
    shop.database.run(POLICY.format(app=shop.database.app_role))
    dump = shop.database.schema_dump(["changeover"])
    for phase in ("expand", "dual-write", "backfill", "verify", "contract"):
        shop.until(phase)
        _judge(shop)
    shop.cli.ok("verify", "--plan", shop.plan)
    shop.back()
    _judge(shop)
    shop.cli.ok("rollback", "--yes", "--plan", shop.plan)
    assert shop.database.schema_dump(["changeover"]) == dump


@pytest.mark.parametrize("phase", ["dual-write", "verify"])
def test_policies_that_come_in_the_middle_hold_from_then_on(shop: Shop, phase: str) -> None:
    shop.until(phase)
    role = shop.database.app_role
    shop.database.run(f'GRANT USAGE ON SCHEMA changeover TO "{role}"')
    with shop.database.connect("app") as app:
        assert app.execute("SELECT count(*) FROM compat.parcels").fetchone() != (0,) or phase == "dual-write"
    shop.database.run(POLICY.format(app=role))
    _judge(shop)
    with shop.database.connect("app") as app:
        (made,) = app.execute(
            'SELECT count(m."#there") FROM generate_series(1, 9) n, '
            "changeover.m1_old(format('(0,%s)', n)::tid, 'public.shipments'::regclass) m"
        ).fetchone() or (None,)
        assert made == 0
    shop.until()
    _judge(shop)
    shop.cli.ok("verify", "--plan", shop.plan)


def test_policies_that_come_after_contract_are_told_to_be_behind_a_view(shop: Shop) -> None:
    shop.until()
    shop.database.run("ALTER TABLE archive.parcels ENABLE ROW LEVEL SECURITY")
    told = shop.cli.ok("doctor", "--plan", shop.plan).out
    assert "policies behind a view" in told
    assert "ALTER VIEW … SET (security_invoker = true)" in told
    shop.database.run("ALTER VIEW public.parcels SET (security_invoker = true)")
    assert "policies behind a view" not in shop.cli.ok("doctor", "--plan", shop.plan).out


@pytest.mark.parametrize("made", [ON + "; ALTER TABLE public.parcels FORCE ROW LEVEL SECURITY"])
def test_what_hides_rows_from_the_owner_is_refused_before_anything_is_changed(shop: Shop, made: str) -> None:
    shop.database.run(made)
    before = shop.database.schema_dump()
    checked, started = shop.cli("plan", "check", shop.plan), shop.cli("start", shop.plan, "--kind", "rehearsal")
    assert (checked.code, started.code) == (5, 5)
    assert "hides rows of it from the role that runs the plan" in checked.out + started.err
    assert shop.database.schema_dump() == before


def test_what_hides_rows_from_the_owner_in_the_middle_loses_none(shop: Shop) -> None:
    shop.until("verify")
    shop.database.run(POLICY.format(app=shop.database.app_role) + ON.replace("ENABLE", "FORCE"))
    with shop.database.connect("app") as app:
        app.execute("UPDATE public.parcels SET weight = 5 WHERE code = 'a'")  # the mirror cannot read it back
    assert shop.database.value("SELECT count(*) FROM public.shipments") == 3
    assert shop.database.value("SELECT count(*) FROM changeover.queue") == 1
    before = shop.database.rows(WHERE)
    assert shop.cli("start", shop.plan, "--kind", "rehearsal").code != 0
    assert "row-level security was switched on or forced" in shop.cli("drain").err
    assert shop.database.rows(WHERE) == before
    shop.database.run(ON.replace("ENABLE", "NO FORCE"))
    shop.until()
    shop.cli.ok("verify", "--plan", shop.plan)
    assert shop.database.value("SELECT kilos FROM public.shipments WHERE label = 'a'") == 5


def test_a_server_without_such_views_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.until("verify")
    monkeypatch.setattr(old_name, "INVOKER_VIEWS", 990000)
    shop.database.run(ON)
    refused = shop.cli("start", shop.plan, "--kind", "rehearsal")
    assert refused.code == 5
    assert "only keep from PostgreSQL 15 on" in refused.err
    assert shop.database.value("SELECT relkind FROM pg_class WHERE oid = 'public.parcels'::regclass") == "r"
    shop.cli.ok("rollback", "--yes", "--plan", shop.plan)
    assert shop.cli("plan", "check", shop.plan).code == 5
