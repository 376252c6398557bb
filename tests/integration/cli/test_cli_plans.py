from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.cli.conftest import LEGACY
from tests.support.cli import Cli
from tests.support.database import Database

EXAMPLE = LEGACY.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "plan"
    shutil.copytree(EXAMPLE, copy)
    return copy


def test_list_and_schema_and_lint_need_no_database() -> None:
    cli = Cli(None)
    assert {plan["plan"] for plan in cli.ok("plan", "list", "--json").json} == {
        "cqms",
        "dvc",
        "dvc_workflow",
        "example",
        "solar",
        "umig",
    }
    assert "properties" in cli.ok("plan", "schema").json
    assert cli.ok("plan", "lint", "example", "--json").json == {"ok": True, "complaints": []}
    shown = cli.ok("plan", "show", "example", "--json").json
    assert shown["compiled"] is False
    assert "example" in cli.ok("plan", "show", "example").out


def test_lint_names_the_line_and_ends_with_2(folder: Path) -> None:
    text = (folder / "plan.yaml").read_text()
    (folder / "plan.yaml").write_text(text.replace("changeover.fold(s.mail)\n", "s.male\n", 1))
    line = 1 + text[: text.index("changeover.fold(s.mail)")].count("\n")
    done = Cli(None)("plan", "lint", str(folder))
    assert done.code == 2
    assert f"plan.yaml:{line}: error: s.male" in done.out
    as_json = Cli(None)("plan", "lint", str(folder), "--json")
    assert as_json.json["complaints"][0]["line"] == line
    assert as_json.error["exit_code"] == 2


@pytest.mark.parametrize("command", [("plan", "lint"), ("plan", "show"), ("start",)])
def test_a_typo_in_the_plan_is_the_users_mistake_with_its_line(folder: Path, command: tuple[str, ...]) -> None:
    text = (folder / "plan.yaml").read_text()
    (folder / "plan.yaml").write_text(text.replace("discriminator:", "diskriminator:", 1))
    done = Cli(None)(*command, str(folder))
    line = 1 + text[: text.index("discriminator:")].count("\n")
    assert done.code == 2
    assert (f"line {line}" in done.err) or ("No database" in done.err)
    assert "Traceback" not in done.err


def test_show_sql_prints_what_will_run_and_changes_nothing(shops: Database) -> None:
    before = shops.schema_dump()
    done = Cli(shops.dsn).ok("plan", "show", "example", "--sql")
    assert shops.schema_dump() == before
    for words in (
        "CREATE TABLE public.customers",
        "phase dual-write",
        "CREATE OR REPLACE TRIGGER",
        "-- lock: ",
        "CONCURRENTLY",
    ):
        assert words in done.out
    items = Cli(shops.dsn).ok("plan", "show", "example", "--sql", "--json").json["items"]
    assert [i["phase"] for i in items] == sorted(
        (i["phase"] for i in items), key=["expand", "dual-write", "backfill", "verify", "contract"].index
    )
    assert all(item["sql"].rstrip().rstrip(";") in done.out for item in items)


def test_show_sql_without_a_database_says_what_is_missing() -> None:
    done = Cli(None)("plan", "show", "example", "--sql")
    assert done.code == 2
    assert "CHANGEOVER_DSN" in done.err


def test_check_says_what_the_plan_finds_and_changes_nothing(shops: Database) -> None:
    shops.run("ALTER TABLE public.customers_west DROP COLUMN credit; ALTER TABLE public.customers_west ADD credit text")
    shops.run("ALTER TABLE public.customers_old DROP COLUMN joined")
    before = shops.schema_dump()
    found = Cli(shops.dsn).ok("plan", "check", "example", "--json").json
    assert found["ok"] is True
    (mapping,) = found["mappings"]
    old, west = mapping["sources"]
    assert mapping["target_state"] == "new"
    assert old["missing"] == ["joined"]
    assert west["extra"] == {"loyalty_card": "packed into extra"}
    assert west["converted"] == {"credit": "text read as numeric"}
    assert shops.schema_dump() == before


def test_check_knows_its_own_tables(cli: Cli) -> None:
    found = cli.ok("plan", "check", "example", "--json").json
    assert [m["target_state"] for m in found["mappings"]] == ["ours"]


def test_check_ends_with_5_where_the_place_is_taken(shops: Database) -> None:
    shops.run("CREATE TABLE public.customers (id integer)")
    done = Cli(shops.dsn)("plan", "check", "example", "--json")
    assert done.code == 5
    assert any("is there already" in problem for problem in done.json["mappings"][0]["problems"])
    assert done.error["exit_code"] == 5


def test_check_ends_with_5_where_nothing_is_found(shops: Database) -> None:
    shops.run("ALTER TABLE public.customers_old RENAME COLUMN id TO number; DROP TABLE public.customers_west")
    done = Cli(shops.dsn)("plan", "check", "example")
    assert done.code == 5
    assert "no column id, the key" in done.out
    assert "no_table" in done.out
    other = Cli(shops.dsn)("plan", "check", "cqms", "--json")
    assert other.code == 5
    assert json.loads(other.out)["ok"] is False


@pytest.mark.parametrize(
    ("of_the_table", "now", "complaint"),
    [
        ("id            uuid PRIMARY KEY", "id            uuid", "a primary key or unique constraint on (id)"),
        (
            "legacy        jsonb NOT NULL DEFAULT '{}'::jsonb",
            "legacy        text",
            "(originals) is text and must be jsonb",
        ),
        ("extra         jsonb NOT NULL DEFAULT '{}'::jsonb", "extra         hstore_", "hstore_"),
        ("legacy_exempt text[]", "legacy_exempt varchar[]", "(exempt_column) is character varying[]"),
    ],
)
def test_a_table_that_does_not_fit_its_mapping_is_refused_in_words(
    shops: Database, folder: Path, of_the_table: str, now: str, complaint: str
) -> None:
    before = shops.schema_dump()
    path = folder / "sql" / "customers.sql"
    path.write_text(path.read_text().replace(of_the_table, now))
    done = Cli(shops.dsn)("plan", "check", str(folder))
    assert complaint in done.out + done.err
    assert done.code == 5
    assert "Traceback" not in done.err
    assert shops.schema_dump() == before


def test_a_database_without_any_of_the_tables_is_refused_in_words(database: Database) -> None:
    cli = Cli(database.dsn)
    cli.ok("init")
    done = cli("start", "example")
    assert done.code == 5
    assert "mapping customers: none of its tables is in this database" in done.err
    assert "Traceback" not in done.err
