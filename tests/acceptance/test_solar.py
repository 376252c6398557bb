"""The pack solar: the life of every pack, and its document against the catalog."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.documents import unexplained
from tests.support.pack_life import Pack, PackLife, WithArchive
from tests.support.soak import SOAK, on_every_server_in_soak

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.timeout(3600 if SOAK else 1200)

SOLAR = Pack(
    plan="solar",
    tables=('public."Projects"', 'public."Users"'),
    without_actions=("contract",),
)
KEPT = """(SELECT "ProjectId", "ProjectName", "Address", "Status", "CreatedAt", "UpdatedAt", "ProjectManagerId", "TotalCapacityKw"
    FROM public."Projects")"""
"""What neither the plan fills nor rollback takes away."""


class Managed(WithArchive):
    """Somebody gives each project a manager before the old key comes back."""

    def mend(self) -> None:
        self.database.run(
            """UPDATE public."Projects" SET "ProjectManagerId" = md5('user 4')::uuid WHERE "ProjectManagerId" IS NULL"""
        )


@on_every_server_in_soak
def test_projects_are_changed_under_load_and_kills(databases: Databases, tmp_path: Path) -> None:
    Managed(databases, replace(SOLAR, tables=(KEPT, 'public."Users"')), large=True).under_load(tmp_path)


REASONS: Final = {
    r"IX_Projects_RealTimeEnabled": "`IX_Projects_RealTimeEnabled` holds only the projects that are *not* enabled"
}
"""Lines of the document that the catalog does not have, and the words of the README that say why."""


def test_the_catalog_has_what_the_document_has(databases: Databases) -> None:
    """Counted in the document: 13 tables, 13 columns, 22 indexes, 19 foreign keys, 4 + 5 + 9 rows; and what it forgets."""
    life = PackLife(databases, SOLAR)
    one, cli = life.database.value, life.cli
    missing = """SELECT count(*) FROM public."Projects" WHERE "Inverter125kw" IS NULL"""
    strangers = """
    SELECT count(*) FROM public."Projects" p WHERE "CreatedById" IS NOT NULL
    AND NOT EXISTS (SELECT FROM public."Users" u WHERE u."UserId" = p."CreatedById")
    """
    assert (one(missing), one(strangers)) == (100, 12)
    before = {
        row[0] for row in life.database.rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    }
    cli.ok("init")
    told = cli.ok("plan", "check", "solar").out
    assert "creators_who_are_gone: 12 rows" in told
    assert "inverters_not_counted: 180 rows" in told
    life.there()
    assert unexplained("solar", life.database, REASONS) == []
    made = life.database.rows("SELECT relkind::text, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert sum(kind == "r" and name not in before for kind, name in made) == 13
    # 22 of the document, 13 for foreign keys.
    assert sum(kind == "i" and name.startswith("IX_") and name not in before for kind, name in made) == 35
    assert (
        one("SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'Projects'")
        == 31
    )
    assert (
        one("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated AND conname LIKE 'FK\\_%'") == 19
    )
    defaults = "table_name = 'Projects' AND column_name LIKE 'Inverter%' AND column_default = '0'"
    assert one(f"SELECT count(*) FROM information_schema.columns WHERE {defaults}") == 4
    names = ("ProjectRegions", "WaterFacilityTypes", "SignalRGroups")
    assert [one(f'SELECT count(*) FROM public."{name}"') for name in names] == [4, 5, 9]
    assert one("""SELECT "Provinces" ->> 0 FROM public."ProjectRegions" WHERE "RegionName" = 'northern'""") == "เชียงใหม่"
    # A manager goes: the document's own statement fails here with 23502.
    life.database.run("""DELETE FROM public."Users" WHERE "UserId" = md5('user 5')::uuid""")
    assert one("""SELECT count(*) FROM public."Projects" WHERE "ProjectManagerId" IS NULL""") == 30
    group = """INSERT INTO public."SignalRGroups" ("GroupName", "GroupType") VALUES ('north', 'region')"""
    life.database.run(group)
    refused = cli("rollback", "--yes", "--plan", "solar")
    assert refused.code == 5, refused.err
    assert "ProjectManagerId" in refused.err
    life.database.run(
        """UPDATE public."Projects" SET "ProjectManagerId" = md5('user 6')::uuid WHERE "ProjectManagerId" IS NULL"""
    )
    cli.ok("rollback", "--yes", "--plan", "solar")
    # The very values are back: no number, and creators who are gone (user 5 has gone since).
    gone = f"""{strangers} AND "CreatedById" <> md5('user 5')::uuid"""
    assert (one(missing), one(gone)) == (100, 12)
    assert one("""SELECT count(*) FROM archive."SignalRGroups" WHERE "GroupName" = 'north'""") == 1
