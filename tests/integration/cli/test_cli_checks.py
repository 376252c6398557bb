"""Queries that judge: asked before, with a verification and before contract; what is not good stops or warns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: parts
version: 1
stages:
  - stage: parts
    expand: [new.sql]
    keys: [keys.sql]
    mappings:
      - unify: public.part
        sources: [public.old_part]
        key: {column: id}
        originals: originals
        types: {maker: integer, weight: numeric}
        columns: {maker_id: s.maker, weight: s.weight}
        reverse: {maker: t.maker_id, weight: t.weight}
    contract: {keep_days: 0, gates: {flag: none}}
    checks:
CHECKS
"""
OLD = """\
CREATE TABLE public.maker (id integer PRIMARY KEY);
CREATE TABLE public.old_part (id integer PRIMARY KEY, maker integer, weight numeric(8, 3));
INSERT INTO public.maker SELECT generate_series(1, 5);
INSERT INTO public.old_part SELECT g, g % 5 + 1, g / 10.0 FROM generate_series(1, 40) AS g;
"""
NEW = """\
CREATE TABLE public.part (id integer PRIMARY KEY, maker_id integer, weight numeric, originals jsonb,
                          kind integer REFERENCES public.maker (id));
"""
KEY = "ALTER TABLE public.part ADD CONSTRAINT part_maker FOREIGN KEY (maker_id) REFERENCES public.maker (id);"


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> tuple[Cli, Path]:
    """The command line as the ordinary owner of the old tables, and the folder of a plan."""
    database.run(OLD)
    (tmp_path / "new.sql").write_text(NEW)
    (tmp_path / "keys.sql").write_text(KEY)
    cli = Cli(database.dsn)
    cli.ok("init")
    return cli, tmp_path


def written(folder: Path, *checks: str) -> str:
    (folder / "plan.yaml").write_text(PLAN.replace("CHECKS", "\n".join(f"      - {{{each}}}" for each in checks)))
    return str(folder)


def of(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(each for each in found if name in {each.get("check"), each.get("check_name")})


HEAVY = "query: 'SELECT p.id, p.weight FROM public.old_part p WHERE p.weight > 3.75 ORDER BY p.id'"


def test_what_is_asked_before_stops_plan_check_and_start(shop: tuple[Cli, Path]) -> None:
    cli, folder = shop
    plan = written(
        folder,
        f"check: none_heavy, when: before, {HEAVY}",
        "check: how_many, when: before, query: 'SELECT count(*) FROM public.old_part', is: {between: [39.5, 40]}",
    )
    done = cli("plan", "check", plan)
    assert done.code == 5
    assert "PROBLEM: check none_heavy: 3 rows; id=38, weight=3.800; id=39" in done.out
    assert "good: check how_many: gives 40" in done.out
    done = cli("start", plan, "--json")
    assert done.code == 5
    assert "check none_heavy: 3 rows" in done.error["what"]
    plan = written(folder, f"check: none_heavy, when: [before, verify], otherwise: warn, {HEAVY}")
    assert "warning: check none_heavy" in cli.ok("plan", "check", plan).out
    cli.ok("start", plan, "--until", "verify")
    found = cli.ok("status", "--json").json["plans"][0]["stages"][0]["checks"]
    assert [(each["moment"], each["rows"]) for each in found if each["check_name"] == "none_heavy"] == [
        ("before", 3),
        ("verify", 3),
    ]
    assert "check none_heavy (verify): warning: 3 rows" in cli.ok("status").out


def test_a_verification_is_unclean_and_names_the_rows(shop: tuple[Cli, Path], database: Database) -> None:
    cli, folder = shop
    plan = written(
        folder,
        "check: as_many, query: 'SELECT (SELECT count(*) FROM public.part) - (SELECT count(*) FROM public.old_part)', is: 0",
        "check: light, query: 'SELECT p.id FROM public.part p WHERE p.weight >= 100'",
        "check: slow, query: 'SELECT pg_sleep(5)', timeout_seconds: 0.1, otherwise: warn",
    )
    cli.ok("start", plan, "--until", "verify")
    stored = database.value("SELECT count(*) FROM changeover.check_result WHERE verification_id IS NOT NULL")
    assert stored == 5, "three that are written, and a key of each kind"
    database.run("UPDATE public.old_part SET weight = 4242 WHERE id IN (7, 9)")
    done = cli("verify", "--plan", plan, "--json")
    assert done.code == 4
    checks = done.json[0]["checks"]
    assert of(checks, "light")["sample"] == [{"id": 7}, {"id": 9}]
    assert of(checks, "slow")["ok"] is False
    assert "no answer within 0.1 s" in of(checks, "slow")["words"]
    assert of(checks, "as_many")["ok"] is True
    assert of(checks, "orphans of public.part.part_maker")["ok"] is True
    told = cli("verify", "--plan", plan)
    assert "not met: check light: 2 rows; id=7; id=9" in told.out
    assert "no row differs" in told.err
    assert "says what is not met" in told.err
    assert "--repair" not in told.err


def test_contract_asks_again_and_stops(shop: tuple[Cli, Path], database: Database) -> None:
    cli, folder = shop
    plan = written(folder, f"check: none_heavy, when: contract, {HEAVY}")
    cli.ok("start", plan, "--until", "verify")
    assert "gate check none_heavy: not met: is asked when contract begins" in cli.ok("status", "--plan", plan).out
    done = cli("start", plan, "--json")
    assert done.code == 3
    assert "gate check none_heavy is not met: 3 rows" in done.error["what"]
    assert database.value("SELECT relkind::text FROM pg_class WHERE oid = 'public.old_part'::regclass") == "r"
    database.run("DELETE FROM public.old_part WHERE id > 37")
    cli.ok("start", plan)
    assert database.value("SELECT relkind::text FROM pg_class WHERE oid = 'public.old_part'::regclass") == "v"


def test_orphans_of_keys_are_found_without_being_asked_for(shop: tuple[Cli, Path], database: Database) -> None:
    cli, folder = shop
    plan = written(folder, "check: one, query: 'SELECT 1', is: 1")
    cli.ok("start", plan, "--until", "verify")
    with database.connect("admin") as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("DELETE FROM public.maker WHERE id = 3")
    checks = cli("verify", "--plan", plan, "--json").json[0]["checks"]
    found = of(checks, "orphans of public.part.part_maker")
    assert (found["ok"], found["rows"], found["sample"][0]) == (False, 8, {"maker_id": 3})
    assert len(found["sample"]) == 8
    assert of(checks, "orphans of public.part.part_kind_fkey")["ok"] is True


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("DELETE FROM public.old_part", "a query is a SELECT"),
        ("SELECT 1; SELECT 2", "this is 2 statements"),
        ("SELECT id FROM old_part", "without its schema"),
        ("WITH gone AS (DELETE FROM public.old_part RETURNING id) SELECT id FROM gone", "cannot be asked"),
        ("SELECT nextval('public.numbers')", "cannot be asked"),
        ("SELECT weight > 1 FROM public.old_part LIMIT 1", "no number"),
        ("SELECT id FROM public.old_part", "several rows"),
        ("SELECT max(id) FROM public.old_part WHERE id < 0", "NULL"),
        ("SELECT id FROM public.nowhere", "nowhere"),
    ],
)
def test_a_check_only_looks_and_says_what_it_cannot(
    shop: tuple[Cli, Path], database: Database, query: str, said: str
) -> None:
    cli, folder = shop
    database.run("CREATE SEQUENCE public.numbers")
    plan = written(folder, f'check: one, when: before, query: "{query}", is: 1')
    done = cli("plan", "check", plan)
    assert done.code == 5
    assert said in done.out
    assert database.value("SELECT count(*) FROM public.old_part") == 40
    assert database.value("SELECT is_called FROM public.numbers") is False


@pytest.mark.parametrize("wrong", ["is: {between: [2, 1]}", "when: later", "when: []", "is: some", "otherwise: stop"])
def test_what_a_check_cannot_say_is_refused(tmp_path: Path, wrong: str) -> None:
    done = Cli(None)("plan", "lint", written(tmp_path, f"check: one, query: SELECT 1, {wrong}"))
    assert done.code == 2
    assert "plan.yaml: line 17: " in done.err
