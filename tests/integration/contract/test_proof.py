"""`compat.<table>` is the old table less the rejects, whatever the session has set, from dual-write to retire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.integration.contract.conftest import Shop

SETTINGS = {
    "TimeZone": "Pacific/Auckland",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "extra_float_digits": "-5",
    "bytea_output": "escape",
}
DIFFER = """
SELECT count(*) FROM ((SELECT * FROM public.parcels EXCEPT ALL SELECT * FROM compat.parcels)
    UNION ALL (SELECT * FROM compat.parcels EXCEPT ALL SELECT * FROM public.parcels)) x
"""


@pytest.mark.parametrize("phase", ["backfill", "contract"])
def test_it_is_the_old_table_in_a_session_with_other_settings(shop: Shop, phase: str) -> None:
    shop.until(phase)
    shop.database.run("INSERT INTO public.shipments (id, label, kilos, left_at, customer) "
                      "VALUES (90, 'new', 2, '2024-07-01 23:30:00+00', 'cem')")  # fmt: skip
    with shop.database.connect("app") as app:
        for name, value in SETTINGS.items():
            app.execute("SELECT set_config(%s, %s, false)", (name, value))
        assert app.execute(DIFFER).fetchone() == (0,)
        assert app.execute("SELECT count(*) FROM compat.parcels").fetchone() == (4,)
        shown = "SELECT sent::text, pg_collation_for(code), pg_typeof(weight)::text, grams FROM {} WHERE code = 'new'"
        old, new = (app.execute(shown.format(f"{s}.parcels").encode()).fetchone() for s in ("public", "compat"))
        assert old == new
        assert new is not None
        assert new[1] == '"C"'
        # Who has lost his right to the table has lost it to the view.
        shop.database.run(f'REVOKE SELECT ON {"archive" if phase == "contract" else "public"}.parcels '
                          f'FROM "{shop.database.app_role}"')  # fmt: skip
        assert app.execute("SELECT count(*) FROM compat.parcels").fetchone() == (0,)


def test_nobody_but_the_owner_calls_its_function_who_may_not_read_the_table(shop: Shop) -> None:
    shop.database.run(f'REVOKE ALL ON public.parcels FROM "{shop.database.app_role}"')
    shop.database.run(f'GRANT SELECT (code) ON public.parcels TO "{shop.database.app_role}"')
    shop.until("backfill")
    shop.database.run(f'GRANT USAGE ON SCHEMA changeover TO "{shop.database.app_role}"')
    with shop.database.connect("app") as app:
        for statement in (
            "SELECT code FROM compat.parcels",
            "SELECT changeover.m1_old('(0,1)', 'public.shipments'::regclass)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement.encode())


@pytest.mark.parametrize("as_role", [False, True])
def test_its_function_gives_nothing_to_who_has_lost_the_right_to_the_table(shop: Shop, *, as_role: bool) -> None:
    shop.until("backfill")
    role = shop.database.app_role
    shop.database.run(f'GRANT USAGE ON SCHEMA changeover TO "{role}"')
    call = "SELECT count(changeover.m1_old(t.ctid, 'public.shipments'::regclass)) FROM unnest(ARRAY['(0,1)', '(0,2)', '(0,3)']::tid[]) t (ctid)"
    with shop.database.connect("app") as app:
        if as_role:
            app.execute(f'SET ROLE "{role}"'.encode())
        given = app.execute(call.encode()).fetchone()
        assert given is not None
        assert given[0] > 0
        shop.database.run(f'REVOKE SELECT ON public.parcels FROM "{role}"')
        assert app.execute(call.encode()).fetchone() == (0,)


def test_it_stands_until_retire(shop: Shop) -> None:
    shop.until()
    assert shop.database.value(DIFFER) == 0
    shop.cli.ok("retire", shop.plan, "--yes")
    assert shop.database.value("SELECT to_regclass('compat.parcels') IS NULL AND to_regclass('public.parcels') IS NULL")
