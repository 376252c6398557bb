"""A plan with a materialized view: refreshed beside its readers, by the plan's clock, and gone with a rollback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.cases import SHIPPED
from tests.support.cli import Cli, spawn
from tests.support.database import Database
from tests.support.running import counted

VIEW = """
-- How many customers each shop has.
CREATE MATERIALIZED VIEW public.customers_per_shop AS
SELECT shop, count(*) AS customers FROM public.customers GROUP BY shop WITH NO DATA;

CREATE VIEW public.shops_of_customers AS SELECT shop, status FROM public.customers;

CREATE MATERIALIZED VIEW public.busy_shops AS SELECT DISTINCT shop FROM public.shops_of_customers WITH NO DATA;
"""
UNIQUE = """
CREATE UNIQUE INDEX customers_per_shop_key ON public.customers_per_shop (shop);
CREATE UNIQUE INDEX busy_shops_key ON public.busy_shops (shop);
"""
REFRESH = """\
    refresh:
      - {view: public.customers_per_shop, every_minutes: 30, cron: "0 0 1 1 *"}
      - {view: public.busy_shops, minutes_after_writes: 2}
"""
SHOWN = "SELECT sum(customers) FROM public.customers_per_shop"
AGE = 'changeover_refresh_age_seconds{plan="example",view="public.customers_per_shop"}'
OVERDUE = 'changeover_refresh_overdue_seconds{plan="example",view="public.busy_shops"}'
EARLIER = """
ALTER TABLE changeover.event DISABLE TRIGGER USER;
UPDATE changeover.event SET detail = detail || jsonb_build_object('as_of', (detail ->> 'as_of')::timestamptz - interval '%s')
WHERE kind = 'view.refreshed' AND detail ->> 'view' = 'public.busy_shops'
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The example plan, with statistics."""
    folder = Path(shutil.copytree(str(SHIPPED / "example"), tmp_path / "plan"))
    for file, more in (("plan.yaml", REFRESH), ("sql/customers.sql", VIEW), ("sql/customers_indexes.sql", UNIQUE)):
        (folder / file).write_text((folder / file).read_text() + more)
    return folder


def states(cli: Cli, *arguments: str) -> list[str]:
    return [each["state"] for each in cli.ok("refresh", *arguments, "--json").json]


def metric(cli: Cli, name: str) -> float:
    (found,) = [line for line in cli.ok("metrics").out.splitlines() if line.startswith(name)]
    return float(found.removeprefix(name))


def test_a_view_is_refreshed_when_it_is_due_and_rolled_back_with_its_stage(shops: Database, plan: Path) -> None:
    cli, name = Cli(shops.dsn), str(plan)
    cli.ok("plan", "lint", name)
    before = shops.schema_dump(exclude_schemas=["changeover"])
    cli.ok("init")
    cli.ok("plan", "check", name)
    assert states(cli, name) == ["absent", "absent"]
    assert cli("start", name, "--until", "verify").code == 0
    rows = shops.value("SELECT count(*) FROM public.customers")
    assert shops.value(SHOWN) == rows > 0, "backfill has computed it"
    assert states(cli, name, "--if-due") == ["young", "young"]

    # A reader in the middle of its transaction neither waits nor is waited for.
    with shops.connect("owner", autocommit=False) as reader:
        reader.execute(SHOWN)
        shops.run("INSERT INTO public.customers_old (id, mail, name) VALUES (77, 'r@x.org', 'r')")
        assert states(cli, name) == ["refreshed", "refreshed"]
    assert shops.value(SHOWN) == rows + 1
    assert "not due" in cli.ok("refresh", name, "--if-due", "--stage", "customers").out

    assert 0 <= metric(cli, AGE) < 60
    assert "view.refreshed" in cli.ok("history").out
    cli.ok("rollback", "--yes", "--plan", name)
    assert shops.schema_dump(exclude_schemas=["changeover"]) == before
    assert AGE not in cli.ok("metrics").out


def written(database: Database, statement: str) -> None:
    """A write that the server has counted."""
    database.run(statement)
    counted(database)


def test_a_view_follows_writes_and_rests_when_nobody_writes_by_hand_and_as_a_service(
    shops: Database, plan: Path
) -> None:
    cli, name = Cli(shops.dsn), str(plan)
    cli.ok("init")
    cli.ok("start", name, "--until", "verify")
    counted(shops)  # what the copy has written
    assert states(cli, name) == ["refreshed", "refreshed"]
    shops.run(EARLIER % "1 day")
    assert states(cli, name, "--if-due") == ["young", "young"], "nobody has written for a day"
    assert metric(cli, OVERDUE) == 0
    for statement in (
        "UPDATE public.customers SET status = 'active'",
        "INSERT INTO public.customers_old (id, mail, name) VALUES (78, 's@x.org', 's')",
        "DELETE FROM public.customers_old WHERE id = 78",
    ):
        shops.run(EARLIER % "1 day")
        written(shops, statement)
        assert metric(cli, OVERDUE) > 3600, statement
        assert states(cli, name, "--if-due") == ["young", "refreshed"], statement
        assert metric(cli, OVERDUE) == 0
    written(shops, "TRUNCATE public.customers_old")
    assert states(cli, name, "--if-due") == ["young", "young"], "written, and younger than two minutes"
    shops.run(EARLIER % "2 minutes")
    assert states(cli, name, "--if-due") == ["young", "refreshed"]
    shops.run(EARLIER % "1 hour")
    written(shops, "UPDATE public.customers SET status = 'closed'")
    with spawn(shops.dsn, "refresh", name, "--every", "1", "--json") as process:
        assert process.stdout is not None
        (said,) = json.loads("".join(iter(process.stdout.readline, "]\n")) + "]")
        assert (said["view"], said["state"]) == ("public.busy_shops", "refreshed")
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_without_a_unique_index_its_readers_come_first(shops: Database, plan: Path) -> None:
    indexes = plan / "sql" / "customers_indexes.sql"
    indexes.write_text(indexes.read_text().replace(UNIQUE, "\n"))
    cli, name = Cli(shops.dsn), str(plan)
    cli.ok("init")
    cli.ok("start", name, "--until", "verify")
    refused = cli("refresh", name)
    assert (refused.code, "no unique index" in refused.err) == (5, True), refused.err


def test_a_plan_without_any_has_nothing_to_do(cli: Cli) -> None:
    assert "nothing to refresh" in cli.ok("refresh", "example").out
    assert cli.ok("refresh", "example", "--json").json == []
