"""What cannot be done is refused before it begins, the dry run as the real one, and nothing is left behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import orchestrator
from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = pytest.mark.newest

EXAMPLE = Path(orchestrator.__file__).parent / "plans" / "example"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A copy of the example that may be changed."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example"))


def _changed(plan: Path) -> None:
    (plan / "plan.yaml").write_text((plan / "plan.yaml").read_text().replace("no_mail", "without_mail"))


def test_a_dry_run_of_the_way_back_is_refused_as_the_way_back_is(shops: Database, plan: Path) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    both = (("rollback", "--dry-run"), ("rollback", "--yes"))
    for command in both:
        refused = cli(*command, "--plan", str(plan))
        assert (refused.code, "no run that could be taken back" in refused.err) == (2, True), refused
    cli.ok("start", str(plan), "--until", "dual-write")
    assert "dual-write would be taken back" in cli.ok("rollback", "--dry-run", "--plan", str(plan)).out
    _changed(plan)
    for command in both:
        refused = cli(*command, "--plan", str(plan))
        assert (refused.code, "the plan at hand is version 1" in refused.err) == (5, True), refused


def test_a_start_that_is_refused_begins_no_run(shops: Database, plan: Path) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    text = (plan / "plan.yaml").read_text()
    (plan / "plan.yaml").write_text(text.replace("s.joined", "s.joined + 'x'::jsonb"))
    for command in (("start",), ("run", "expand", "--stage", "customers", "--plan")):
        refused = cli(*command, str(plan))
        assert refused.code == 5, refused
        assert cli.ok("status", "--json").json["plans"] == []
    assert shops.value("SELECT count(*) FROM changeover.run") == 0


def test_a_verification_that_has_nothing_to_compare_is_no_success(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "dual-write")
    for options in ((), ("--stage", "customers")):
        refused = cli("verify", "--plan", "example", *options)
        assert (refused.code, "Nothing was compared" in refused.err) == (5, True), refused
    cli.ok("start", "example", "--until", "backfill")
    cli.ok("verify", "--plan", "example")


def test_a_reason_that_no_row_has_is_not_waived(cli: Cli) -> None:
    refused = cli("rejects", "waive", "--of-reason", "no_male", "--reason", "a slip of the pen")
    assert refused.code == 2, refused
    assert "'no_male'" in refused.err
    assert "no_mail" in refused.err
    assert len(cli.ok("rejects", "waive", "--of-reason", "no_mail", "--reason", "seen", "--json").json["waived"]) == 2
    # The plan gives this reason, and no row has it any more that could be waived.
    assert "0 waived" in cli.ok("rejects", "waive", "--of-reason", "no_mail", "--reason", "seen").out


def test_a_reject_or_source_that_is_not_there_is_named(cli: Cli, verified: Database) -> None:
    before = verified.rows("SELECT id, state FROM changeover.reject ORDER BY 1")
    why = ("--reason", "agreed")
    for command in (("replay", "9876"), ("waive", "9876", *why), ("revoke", "9876", *why)):
        refused = cli("rejects", *command)
        assert (refused.code, "There is no reject 9876" in refused.err, "To do" in refused.err) == (5, True, True), (
            refused
        )
    for command in (("replay", "--all"), ("waive", "--all", *why)):
        refused = cli("rejects", *command, "--source", "public.customers_wset")
        assert (refused.code, "public.customers_west" in refused.err) == (5, True), refused
    assert verified.rows("SELECT id, state FROM changeover.reject ORDER BY 1") == before
    told = cli.ok("rejects", "waive", "--all", "--of-reason", "no_mial", "--from-now-on", *why)
    assert "no plan at hand gives that reason" in told.err


def test_rejects_are_counted_by_table_and_reason(cli: Cli, verified: Database) -> None:
    verified.run("INSERT INTO public.customers_west (id, name) VALUES (90, 'Ida Iles')")
    cli.ok("rejects", "waive", "1", "--reason", "seen")
    counted = cli.ok("rejects", "summary", "--plan", "example", "--json").json
    assert [(each["source"], each["reason"], each["open"] + each["waived"]) for each in counted] == [
        ("public.customers_west", "no_mail", 2),
        ("public.customers_old", "no_mail", 1),
    ]
    assert sum(each["waived"] for each in counted) == 1
    assert cli.ok("rejects", "summary", "--source", "public.nothing", "--json").json == []
    shown = cli.ok("rejects", "list").out.splitlines()
    assert shown[0].split() == ["table", "reason", "stage", "open", "waived"]
    assert [line.split()[0] for line in shown[1:3]] == ["public.customers_west", "public.customers_old"]
    assert shown[4].split()[:3] == ["id", "table", "key"]


def test_a_unique_index_that_cannot_be_built_names_the_old_rows(shops: Database, plan: Path) -> None:
    path = plan / "sql/customers_indexes.sql"
    path.write_text("CREATE UNIQUE INDEX one_mail ON public.customers (lower(email)) WHERE status <> 'gone';")
    shops.run("INSERT INTO public.customers_west (id, mail, status) VALUES (7, 'ANN@example.com ', 'active')")
    cli = Cli(shops.dsn)
    cli.ok("init")
    refused = cli("start", str(plan), "--until", "verify")
    assert refused.code == 5
    assert "(ann@example.com,2)" in refused.err
    assert "old rows public.customers_old 1, public.customers_west 7" in refused.err, refused.err
    shops.run("UPDATE public.customers_west SET mail = 'amy@example.com' WHERE id = 7")
    cli.ok("start", str(plan), "--until", "verify")


def test_what_was_seen_adds_up_where_a_mirror_had_written(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "dual-write")
    shops.run("UPDATE public.customers_old SET name = 'Anna Archer' WHERE id = 1")
    shops.run("UPDATE public.customers_old SET mail = '' WHERE id = 2")
    cli.ok("start", "example", "--until", "verify")
    (plan,) = cli.ok("status", "--json").json["plans"]
    sources = plan["stages"][0]["sources"]
    for each in sources:
        assert each["rows_seen"] == each["rows_copied"] + each["rows_there"] + each["rows_rejected"], each
    assert {each["name"]: each["rows_there"] for each in sources} == {
        "public.customers_old": 2,
        "public.customers_west": 0,
    }
    assert "there already" in cli.ok("status").out


def test_times_are_told_to_the_second_and_one_is_no_plural(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    started = cli.ok("start", "example", "--until", "expand").out
    assert "1 actions" not in started
    year = str(shops.value("SELECT extract(year FROM now())::int"))
    for command in (("status",), ("history",), ("flag", "history")):
        told = [line for line in cli.ok(*command).out.splitlines() if f"{year}-" in line]
        assert told
        assert all(" UTC" in line and "+00:00" not in line for line in told), told


def test_phases_that_were_run_one_by_one_end_the_run(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    for phase in ("expand", "dual-write", "backfill", "verify", "contract"):
        kind = ("--kind", "rehearsal")
        cli.ok("run", phase, "--plan", "example", "--stage", "customers", *kind)
    assert cli.ok("status", "--json").json["plans"][0]["state"] == "finished"
    cli.ok("retire", "example", "--yes")
    cli.ok("uninstall")
    assert shops.value("SELECT to_regnamespace('changeover') IS NULL") is True
