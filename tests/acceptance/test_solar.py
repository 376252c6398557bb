"""The pack solar: the life of every pack, and its document against the catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.pack_life import Pack, PackLife

if TYPE_CHECKING:
    from tests.support.database import Databases

pytestmark = pytest.mark.timeout(600)

SOLAR = Pack(
    plan="solar",
    tables=('public."Projects"', 'public."Users"'),
    old=(
        """
        INSERT INTO public."Projects" ("ProjectName", "Address", "ProjectManagerId", "CreatedById", "Inverter80kw")
        SELECT 'old {n}', 'x', md5('user 3')::uuid, md5('nobody {n}')::uuid, {n} % 3
        """,
        """UPDATE public."Projects" SET "Inverter125kw" = NULLIF({n} % 5, 0), "Status" = {n} % 4 WHERE "ProjectName" = 'old {n}'""",
        """
        UPDATE public."Projects" SET "UpdatedAt" = timestamptz '2024-06-01 00:00+00', "Status" = "Status" + 1
        WHERE "TotalCapacityKw" BETWEEN {n} % 400 AND {n} % 400 + 15
        """,
        """UPDATE public."Projects" SET "Inverter40kw" = NULL WHERE "ProjectId" = md5('project ' || (1 + {n} % 300))::uuid""",
        """INSERT INTO public."Users" ("Username", "Email", "FullName") VALUES ('o{n}', 'o{n}@solar.example', 'Old {n}')""",
        """DELETE FROM public."Users" WHERE "Username" = 'o{n}'""",
        """DELETE FROM public."Projects" WHERE "ProjectName" = 'old ' || ({n} - 3)""",
    ),
    new={
        "projects": (
            """INSERT INTO public."Users" ("UserId", "Username", "Email", "FullName") VALUES (md5('n{n}')::uuid, 'n{n}', 'n', 'New')""",
            """
            INSERT INTO public."Projects" ("ProjectName", "Address", "ProjectManagerId", "CreatedById", "CompletionPercentage", "Region")
            VALUES ('new {n}', 'x', md5('n{n}')::uuid, md5('n{n}')::uuid, {n} % 100, 'northern')
            """,
            # The document's promise: a manager may be deleted.
            """DELETE FROM public."Users" WHERE "Username" = 'n{n}'""",
            """
            UPDATE public."Projects" SET "ProjectManagerId" = md5('user 4')::uuid, "Version" = "Version" + 1
            WHERE "ProjectManagerId" IS NULL AND "ProjectName" = 'new {n}'
            """,
        ),
        "realtime": (
            """
            INSERT INTO public."ProjectStatusHistory" ("ProjectId", "OldStatus", "NewStatus")
            SELECT "ProjectId", 0, 1 FROM public."Projects" WHERE "ProjectName" = 'new {n}'
            """,
            """INSERT INTO public."DashboardStatsCache" ("CacheKey", "CacheType", "ExpiresAt") VALUES ('k{n}', 't', now())""",
            # What only the new version has keeps `rollback` from dropping the tables: so it goes by itself.
            """DELETE FROM public."ProjectStatusHistory" WHERE "OldStatus" = 0""",
            """DELETE FROM public."DashboardStatsCache" WHERE "CacheKey" = 'k{n}'""",
        ),
    },
)
KEPT = """(SELECT "ProjectId", "ProjectName", "Address", "Status", "CreatedAt", "UpdatedAt", "ProjectManagerId", "TotalCapacityKw"
    FROM public."Projects")"""
"""What neither the plan fills nor rollback takes away."""
NEW_ROWS = """SELECT count(*) FROM public."Projects" WHERE "ProjectName" LIKE 'new %'"""


class WithArchive(PackLife):
    """Rollback keeps what the new version wrote into columns that go, in schema `archive`."""

    def back(self) -> None:
        super().back()
        kept = self.database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'archive'")
        assert kept
        assert all(name.startswith("Projects_columns_run") for (name,) in kept)
        count = f"""SELECT count(*) FROM archive."{kept[0][0]}" WHERE "Region" = 'northern'"""
        assert self.database.value(count) == self.database.value(NEW_ROWS)
        self.database.run("DROP SCHEMA archive CASCADE")


def test_projects_survive_kills_and_go_back_to_the_very_nulls(databases: Databases) -> None:
    life = PackLife(databases, SOLAR)
    one = life.database.value
    missing = """SELECT count(*) FROM public."Projects" WHERE "Inverter125kw" IS NULL"""
    strangers = """
    SELECT count(*) FROM public."Projects" p WHERE "CreatedById" IS NOT NULL
    AND NOT EXISTS (SELECT FROM public."Users" u WHERE u."UserId" = p."CreatedById")
    """
    assert (one(missing), one(strangers)) == (100, 12)
    life.killed_there_and_back()
    assert (one(missing), one(strangers)) == (100, 12)


def test_projects_are_contracted_under_load(databases: Databases) -> None:
    WithArchive(databases, replace(SOLAR, tables=(KEPT, 'public."Users"'))).contracted_under_load()


def test_the_catalog_has_what_the_document_has(databases: Databases) -> None:
    """Counted in the document: 13 tables, 13 columns, 22 indexes, 19 foreign keys, 4 + 5 + 9 rows; and what it forgets."""
    life = PackLife(databases, SOLAR)
    one, cli = life.database.value, life.cli
    before = {
        row[0] for row in life.database.rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    }
    cli.ok("init")
    told = cli.ok("plan", "check", "solar").out
    assert "creators_who_are_gone: 12 rows" in told
    assert "inverters_not_counted: 180 rows" in told
    life.forward()
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
    refused = cli("rollback", "--yes", "--plan", "solar")
    assert refused.code == 5, refused.err
    assert "ProjectManagerId" in refused.err
    life.database.run(
        """UPDATE public."Projects" SET "ProjectManagerId" = md5('user 6')::uuid WHERE "ProjectManagerId" IS NULL"""
    )
    cli.ok("rollback", "--yes", "--plan", "solar")
