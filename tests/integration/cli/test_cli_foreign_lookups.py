"""Tables that are looked up and that another role owns: what is not followed is told, what cannot be taken off is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: parcels
version: 1
stages:
  - stage: parcels
    flag: USE_PARCELS
    expand: [new.sql]
    mappings:
      - unify: public.parcels_new
        sources: [public.parcels]
        key: {{column: id}}
        originals: originals
        types: {{town: text}}
        lookups:
          town: {{table: public.towns, match: town.name = s.town{join}}}
        columns: {{town_id: town.id}}
        rejects: {{no_town: town.id IS NULL}}
{reverse}
"""
LEGACY = """
    CREATE TABLE public.parcels (id integer PRIMARY KEY, town text);
    INSERT INTO public.parcels VALUES (1, 'Bath'), (2, 'Bonn'), (3, 'Bern');
"""
NEW = (
    "CREATE TABLE public.parcels_new (id integer PRIMARY KEY, town_id integer, originals jsonb NOT NULL DEFAULT '{}');"
)


def plan(folder: Path, *, back: bool) -> str:
    folder.mkdir()
    (folder / "new.sql").write_text(NEW)
    join, reverse = (", join: town.id = t.town_id", "        reverse: {town: town.name}") if back else ("", "")
    (folder / "plan.yaml").write_text(PLAN.format(join=join, reverse=reverse))
    return str(folder)


@pytest.fixture
def towns(database: Database) -> Database:
    """The towns are the administrator's; the plan's owner may read them and even put a trigger there."""
    database.run(LEGACY)
    owner = database.value("SELECT current_user")
    with database.connect("admin") as admin:
        admin.execute("CREATE TABLE public.towns (id integer PRIMARY KEY, name text UNIQUE)")
        admin.execute("INSERT INTO public.towns VALUES (1, 'Bath'), (2, 'Bonn')")
        admin.execute(f"GRANT SELECT, TRIGGER ON public.towns TO {owner}".encode())
    return database


def test_what_only_goes_forward_is_not_followed_and_it_is_told(towns: Database, tmp_path: Path) -> None:
    cli, folder, before = Cli(towns.dsn), plan(tmp_path / "plan", back=False), towns.schema_dump()
    cli.ok("init")
    assert "rows of public.towns that change later are not followed" in cli.ok("plan", "check", folder).out
    cli.ok("start", folder, "--until", "verify")
    with towns.connect("admin") as admin:
        admin.execute("INSERT INTO public.towns VALUES (3, 'Bern')")
        admin.execute("UPDATE public.towns SET id = 20 WHERE name = 'Bonn'")
    told = cli("verify", "--plan", folder)
    assert told.code == 4, told.out
    cli.ok("verify", "--plan", folder, "--repair")
    cli.ok("rejects", "replay", "--plan", "parcels")
    cli.ok("verify", "--plan", folder)
    assert towns.rows("SELECT id, town_id FROM public.parcels_new ORDER BY 1") == [(1, 1), (2, 20), (3, 3)]
    cli.ok("rollback", "--plan", folder, "--yes")
    assert towns.schema_dump(["changeover"]) == before


def test_what_the_way_back_reads_has_to_be_followed_and_is_refused(towns: Database, tmp_path: Path) -> None:
    cli, folder, before = Cli(towns.dsn), plan(tmp_path / "plan", back=True), towns.schema_dump()
    cli.ok("init")
    refused = cli("start", folder, "--until", "verify")
    assert refused.code == 5
    owner = towns.value("SELECT current_user")
    assert 'triggers on "public"."towns"' in refused.out + refused.err
    owns = towns.value("SELECT tableowner FROM pg_tables WHERE tablename = 'towns'")
    assert f"only an owner may take them off again. GRANT {owns} TO {owner}" in refused.out + refused.err
    assert towns.schema_dump(["changeover"]) == before
    with towns.connect("admin") as admin:
        admin.execute(f"ALTER TABLE public.towns OWNER TO {owner}".encode())
    cli.ok("start", folder, "--until", "verify")
    cli.ok("rollback", "--plan", folder, "--yes")
