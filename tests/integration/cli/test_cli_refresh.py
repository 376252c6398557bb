"""A plan with a materialized view: refreshed beside its readers, by the plan's clock, and gone with a rollback."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.cases import SHIPPED
from tests.support.cli import Cli
from tests.support.database import Database

VIEW = """
-- How many customers each shop has.
CREATE MATERIALIZED VIEW public.customers_per_shop AS
SELECT shop, count(*) AS customers FROM public.customers GROUP BY shop WITH NO DATA;
"""
UNIQUE = "\nCREATE UNIQUE INDEX customers_per_shop_key ON public.customers_per_shop (shop);\n"
REFRESH = "    refresh:\n      - {view: public.customers_per_shop, every_minutes: 30}\n"
SHOWN = "SELECT sum(customers) FROM public.customers_per_shop"
AGE = 'changeover_refresh_age_seconds{plan="example",view="public.customers_per_shop"}'


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The example plan, with statistics."""
    folder = Path(shutil.copytree(str(SHIPPED / "example"), tmp_path / "plan"))
    for file, more in (("plan.yaml", REFRESH), ("sql/customers.sql", VIEW), ("sql/customers_indexes.sql", UNIQUE)):
        (folder / file).write_text((folder / file).read_text() + more)
    return folder


def states(cli: Cli, *arguments: str) -> list[str]:
    return [each["state"] for each in cli.ok("refresh", *arguments, "--json").json]


def test_a_view_is_refreshed_when_it_is_due_and_rolled_back_with_its_stage(shops: Database, plan: Path) -> None:
    cli, name = Cli(shops.dsn), str(plan)
    cli.ok("plan", "lint", name)
    before = shops.schema_dump(exclude_schemas=["changeover"])
    cli.ok("init")
    cli.ok("plan", "check", name)
    assert states(cli, name) == ["absent"]
    assert cli("start", name, "--until", "verify").code == 0
    assert states(cli, name, "--if-due") == ["refreshed"]
    rows = shops.value("SELECT count(*) FROM public.customers")
    assert shops.value(SHOWN) == rows > 0
    assert states(cli, name, "--if-due") == ["young"]

    # A reader in the middle of its transaction neither waits nor is waited for.
    with shops.connect("owner", autocommit=False) as reader:
        reader.execute(SHOWN)
        shops.run("INSERT INTO public.customers_old (id, mail, name) VALUES (77, 'r@x.org', 'r')")
        assert states(cli, name) == ["refreshed"]
    assert shops.value(SHOWN) == rows + 1
    assert "young enough" in cli.ok("refresh", name, "--if-due", "--stage", "customers").out

    (age,) = [line for line in cli.ok("metrics").out.splitlines() if line.startswith(AGE)]
    assert 0 <= float(age.removeprefix(AGE)) < 60
    assert "view.refreshed" in cli.ok("history").out
    cli.ok("rollback", "--yes", "--plan", name)
    assert shops.schema_dump(exclude_schemas=["changeover"]) == before
    assert AGE not in cli.ok("metrics").out


def test_without_a_unique_index_its_readers_come_first(shops: Database, plan: Path) -> None:
    indexes = plan / "sql" / "customers_indexes.sql"
    indexes.write_text(indexes.read_text().replace(UNIQUE, "\n"))
    cli, name = Cli(shops.dsn), str(plan)
    cli.ok("init")
    cli.ok("start", name, "--until", "verify")
    assert states(cli, name) == ["refreshed"], "nobody can have read it yet"
    refused = cli("refresh", name)
    assert (refused.code, "no unique index" in refused.err) == (5, True), refused.err


def test_a_plan_without_any_has_nothing_to_do(cli: Cli) -> None:
    assert "nothing to refresh" in cli.ok("refresh", "example").out
    assert cli.ok("refresh", "example", "--json").json == []
