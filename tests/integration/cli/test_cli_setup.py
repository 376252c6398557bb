from __future__ import annotations

import pytest

from tests.support.cli import Cli
from tests.support.database import Database


def levels(done_json: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {check["name"]: check["level"] for check in done_json["checks"]}


def test_init_may_be_repeated_and_uninstall_leaves_nothing(database: Database) -> None:
    cli = Cli(database.dsn)
    before = database.schema_dump()
    assert cli.ok("init", "--json").json == {"installed": True}
    assert cli.ok("init", "--json").json == {"installed": False}
    assert cli.ok("uninstall", "--json").json == {"removed": True}
    assert cli.ok("uninstall", "--json").json == {"removed": False}
    assert database.schema_dump() == before


def test_uninstall_refuses_while_mirrors_are_on(cli: Cli) -> None:
    done = cli("uninstall", "--json")
    assert done.code == 5
    assert done.out == ""
    assert "in use" in done.error["what"]
    assert cli.ok("uninstall", "--force").code == 0
    assert cli.ok("status", "--json").json == {"installed": False, "plans": []}


def test_doctor_finds_an_ordinary_database_healthy(shops: Database) -> None:
    found = Cli(shops.dsn).ok("doctor", "--plan", "example", "--json").json
    assert found["healthy"] is True
    assert set(levels(found).values()) == {"ok"}
    assert {"version", "ledger", "pooler", "tables", "disk", "connections"} <= levels(found).keys()


def test_doctor_refuses_where_row_level_security_hides_rows(shops: Database) -> None:
    shops.run("ALTER TABLE public.customers_old ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    done = Cli(shops.dsn)("doctor", "--plan", "example", "--json")
    assert done.code == 5
    assert levels(done.json)["row-level security"] == "fail"
    assert done.error["exit_code"] == 5
    assert "row-level security" in done.error["what"]


def test_doctor_lets_the_owner_pass_row_level_security_that_binds_others(shops: Database) -> None:
    shops.run("ALTER TABLE public.customers_old ENABLE ROW LEVEL SECURITY")
    Cli(shops.dsn).ok("doctor", "--plan", "example")


def test_doctor_refuses_a_role_that_does_not_own_the_tables(shops: Database) -> None:
    done = Cli(shops.app_dsn)("doctor", "--plan", "example", "--json")
    assert done.code == 5
    found = levels(done.json)
    assert found["ownership"] == "fail"
    assert found["rights"] == "fail"
    assert found["ledger"] == "fail"


@pytest.mark.parametrize(
    ("statement", "name", "level"),
    [
        ("ALTER TABLE public.customers_old SET UNLOGGED", "unlogged tables", "warn"),
        ("CREATE TABLE public.part () INHERITS (public.customers_old)", "discovery", "warn"),
        ("CREATE TABLE public.notes (customer integer REFERENCES public.customers_old)", "foreign keys", "warn"),
        ("CREATE VIEW public.active AS SELECT id FROM public.customers_old", "views", "warn"),
        ("CREATE RULE lost AS ON DELETE TO public.customers_old DO INSTEAD NOTHING", "rules", "warn"),
        ("CREATE PUBLICATION p FOR TABLE public.customers_old", "publications", "warn"),
        (
            (
                "CREATE TRIGGER mail BEFORE UPDATE ON public.customers_old "
                "FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            ),
            "triggers",
            "warn",
        ),
    ],
)
def test_doctor_sees_what_hangs_on_a_source(shops: Database, statement: str, name: str, level: str) -> None:
    shops.run(statement)
    done = Cli(shops.dsn)("doctor", "--plan", "example", "--json")
    assert levels(done.json)[name] == level
    assert done.code == (5 if level == "fail" else 0)


def test_doctor_sees_event_triggers_and_roles_without_triggers(shops: Database) -> None:
    admin = shops.connect("admin")
    admin.execute(
        "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.watch();"
    )
    admin.execute(f"ALTER DATABASE {shops.name} SET session_replication_role = replica".encode())
    done = Cli(shops.dsn)("doctor", "--json")
    assert done.code == 5
    assert levels(done.json)["event triggers"] == "warn"
    assert levels(done.json)["triggers fire"] == "fail"


def test_doctor_sees_a_plan_for_another_database(shops: Database) -> None:
    done = Cli(shops.dsn)("doctor", "--plan", "cqms")
    assert done.code == 5
    assert "the plan finds none of its tables here" in done.out


def test_prune_counts_and_deletes(database: Database) -> None:
    cli = Cli(database.dsn)
    assert cli("prune").code == 5, "there is no ledger"
    cli.ok("init")
    database.run("INSERT INTO changeover.event (at, plan, kind) VALUES (now() - interval '9 days', 'p', 'x')")
    assert "1 row would go" in cli.ok("prune", "--older-than", "7", "--dry-run").out
    assert set(cli.ok("prune", "--older-than", "10", "--json").json["rows"].values()) == {0}
    assert cli.ok("prune", "--older-than", "7", "--json").json["rows"]["event"] == 1
    assert set(cli.ok("prune", "--older-than", "7", "--dry-run", "--json").json["rows"].values()) == {0}
    assert cli("prune", "--older-than", "0").code == 2
    assert "ledger.pruned" in cli.ok("history").out
