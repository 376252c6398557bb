"""Values and names that SQL allows and programs stumble over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

# A name of 63 bytes in which format(), printf, psql, a regular expression and a comment each find something of theirs.
HOSTILE = 'Ro"oms {0} {} {x!r} %s %(a)s $1 :id: :"v" \\1 /* -- ; \' $x$ '
HOSTILE += "z" * (63 - len(HOSTILE))
DIGITS = 20_000


def sql(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def cli(database: Database) -> Cli:
    cli = Cli(database.dsn)
    cli.ok("init")
    return cli


def test_names_are_never_code(database: Database, cli: Cli, tmp_path: Path) -> None:
    old, new = f"public.{sql(HOSTILE)}", f"public.{sql('N' + HOSTILE[1:])}"
    database.run(f"CREATE TABLE {old} (id integer PRIMARY KEY, {sql(HOSTILE)} text, {sql(HOSTILE[:-1])} text)")
    database.run(f"INSERT INTO {old} SELECT g, 'a' || g, 'b' || g FROM generate_series(1, 4) AS g")
    (tmp_path / "new.sql").write_text(
        f"CREATE TABLE {new} (id integer PRIMARY KEY, {sql(HOSTILE)} text, more jsonb, originals jsonb);"
    )

    def word(text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    name, source = word(HOSTILE), f"s.{sql(HOSTILE)}"
    (tmp_path / "plan.yaml").write_text(
        f"plan: rooms\nversion: 1\nstages:\n  - stage: rooms\n    expand: [new.sql]\n    mappings:\n"
        f"      - unify: {word(new)}\n        sources: [{word(old)}]\n        key: {{column: id}}\n"
        f"        originals: originals\n        types: {{{name}: text}}\n"
        f"        columns: {{{name}: {word(f'upper({source})')}}}\n"
        f"        reverse: {{{name}: {word(f'lower(t.{sql(HOSTILE)})')}}}\n        pack: {{rest: more}}\n"
        "    contract: {keep_days: 0, gates: {flag: none}}\n"
    )
    before = database.schema_dump(["changeover", "archive", "compat"])
    cli.ok("plan", "check", str(tmp_path))
    cli.ok("start", str(tmp_path))
    database.run(f"UPDATE {old} SET {sql(HOSTILE)} = 'new' WHERE id = 2; INSERT INTO {new} VALUES (9, 'NINE')")
    cli.ok("verify", "--plan", str(tmp_path))
    assert database.value(f"SELECT string_agg({sql(HOSTILE)}, ' ' ORDER BY id) FROM {old}") == "a1 new a3 a4 nine"
    cli.ok("rollback", "--plan", str(tmp_path))
    assert database.schema_dump(["changeover", "archive", "compat"]) == before


def test_numbers_that_no_program_holds(database: Database, cli: Cli, tmp_path: Path) -> None:
    database.run(
        f"""CREATE TABLE public.star (id integer PRIMARY KEY, mass numeric, seen date);
        INSERT INTO public.star VALUES (1, 1e{DIGITS}, 'infinity'), (2, 'NaN', '0044-03-15 BC'), (3, -1e{DIGITS}, NULL)"""
    )
    (tmp_path / "new.sql").write_text(
        "CREATE TABLE public.body (id integer PRIMARY KEY, mass numeric CHECK (mass > 0), seen date, originals jsonb);"
    )
    (tmp_path / "plan.yaml").write_text(
        """plan: sky
version: 1
measures:
  - {measure: heaviest, query: SELECT max(mass) FROM public.star, at_most: 5}
  - {measure: heavy, query: SELECT mass FROM public.star WHERE id = 1, at_least: 5}
  - {measure: word, query: SELECT 'seven', at_least: 5}
  - {measure: speed, query: SELECT * FROM public.star, runs: 2, p95_ms: 60000}
stages:
  - stage: sky
    expand: [new.sql]
    mappings:
      - unify: public.body
        sources: [public.star]
        key: {column: id}
        originals: originals
        types: {mass: numeric, seen: date}
        columns: {mass: s.mass, seen: s.seen}
        reverse: {mass: t.mass, seen: t.seen}
    checks:
      - {check: stars, query: SELECT s.mass FROM public.star s ORDER BY s.id, otherwise: warn, when: [before, verify]}
      - {check: heaviest, query: SELECT max(mass) FROM public.star, is: {between: [0, 9]}, otherwise: warn}
    contract: {keep_days: 0, gates: {flag: none}}
"""
    )
    plan = str(tmp_path)
    checked = cli.ok("plan", "check", plan).out
    assert "mass=1000" in checked
    assert len(max(checked.splitlines(), key=len)) < 500
    cli.ok("start", plan, "--until", "backfill")
    (reject,) = cli.ok("rejects", "list", "--json").json
    assert str(reject["row"]["mass"]) == f"-1{'0' * DIGITS}"
    database.run("ALTER TABLE public.body DISABLE TRIGGER USER; UPDATE public.body SET mass = mass / 10")
    found = cli("verify", "--plan", plan, "--json")
    assert found.code == 4
    ((one,),) = [each["samples"] for each in found.json]
    assert len(str(one["expected"]["mass"])) == len(str(one["actual"]["mass"])) + 1
    assert "gives 'NaN', which is no number" in cli("verify", "--plan", plan).out
    done = cli("report", plan, "--json")
    figures = {each["measure"]: each for each in done.json["figures"]}
    assert [figures[name]["met"] for name in ("heaviest", "heavy", "word", "speed p95")] == [False, True, False, True]
    assert figures["heavy"]["words"] == f"1.00000e+{DIGITS}"


def test_what_the_server_calls_equal_is_not_taken_for_the_same(database: Database, cli: Cli, tmp_path: Path) -> None:
    """Two boxes of one size are equal to PostgreSQL, and so are a month and thirty days; a point has no equality."""
    shapes = "spot point, floor box, ring circle, term interval, terms interval[]"
    database.run(
        f"""CREATE TABLE public.plot (id integer PRIMARY KEY, {shapes});
        INSERT INTO public.plot VALUES (1, '(1,2)', '(0,0),(2,3)', '<(0,0),1>', '1 mon', '{{1 day}}');
        INSERT INTO public.plot VALUES (2)"""
    )
    (tmp_path / "new.sql").write_text(f"CREATE TABLE public.site (id integer PRIMARY KEY, {shapes}, originals jsonb);")
    names = [each.split()[0] for each in shapes.split(", ")]
    (tmp_path / "plan.yaml").write_text(
        f"""plan: land
version: 1
stages:
  - stage: land
    expand: [new.sql]
    mappings:
      - unify: public.site
        sources: [public.plot]
        key: {{column: id}}
        originals: originals
        same: [{", ".join(names)}]
"""
    )
    cli.ok("start", str(tmp_path))
    other = "floor = '(5,5),(7,8)', ring = '<(4,4),1>', term = '30 days', terms = '{24:00}'"
    database.run(f"UPDATE public.site SET {other} WHERE id = 1")
    assert database.rows("SELECT floor::text, ring::text, term::text, terms::text FROM public.plot WHERE id = 1") == [
        ("(7,8),(5,5)", "<(4,4),1>", "30 days", "{24:00:00}")
    ]
    database.run("ALTER TABLE public.site DISABLE TRIGGER USER")
    database.run("UPDATE public.site SET floor = '(1,1),(3,4)', ring = '<(9,9),1>', term = '720:00', terms = '{1 day}'")
    found = cli("verify", "--plan", str(tmp_path), "--json")
    assert found.code == 4
    samples = {each["key"]: set(each["columns"]) for each in found.json[0]["samples"]}
    assert samples == {"1": {"floor", "ring", "term", "terms"}, "2": {"floor", "ring", "term", "terms"}}
