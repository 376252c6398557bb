"""A database in another encoding than ours: it is installed in, and a plan with words of its language goes there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import sql

from orchestrator.kernel.connections import connect
from tests.support.cli import Cli
from tests.support.database import Database, Databases

OLD = """
CREATE TABLE public."Möbel" (id integer PRIMARY KEY, bezeichnung text, "maß" text, preis money, aufbau interval);
INSERT INTO public."Möbel"
SELECT n, 'Türe ' || n, (ARRAY['groß', 'klein'])[n % 2 + 1], (n * 1.05)::numeric::money, make_interval(hours => n)
  FROM generate_series(1, 300) n;
INSERT INTO public."Möbel" VALUES (301, NULL, 'groß', NULL, NULL);
"""
NEW = """
CREATE TABLE public.stücke (
    id bigint PRIMARY KEY, titel text NOT NULL, ist_groß boolean, preis money, aufbau interval,
    originals jsonb NOT NULL DEFAULT '{}'
);
"""
PLAN = """
plan: moebel
version: 1
title: Möbel werden Stücke
stages:
  - stage: stuecke
    expand: [new.sql]
    checks:
      - {check: long_ones, otherwise: warn, is: empty, query: "SELECT titel, repeat('ü', 300) FROM public.stücke LIMIT 9"}
    mappings:
      - unify: public.stücke
        sources: ["public.\\"Möbel\\""]
        key: {column: id, target: id}
        originals: originals
        types: {bezeichnung: text, maß: text}
        same: [preis, aufbau]
        columns: {titel: s.bezeichnung, ist_groß: "s.\\"maß\\" = 'groß'"}
        reverse: {bezeichnung: t.titel, maß: "CASE WHEN t.ist_groß THEN 'groß' ELSE 'klein' END"}
        rejects: {no_title: s.bezeichnung IS NULL}
"""


def _in(databases: Databases, encoding: str) -> Database:
    """A database of this encoding, and of an empty collation, which every encoding has."""
    database = databases.create()
    name, owner = sql.Identifier(database.name), sql.Identifier(databases.server.owner)
    text = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'"
    with connect(databases.server.admin_dsn()) as admin:
        text += " LOCALE_PROVIDER libc" if admin.info.server_version >= 150_000 else ""
        admin.execute(sql.SQL("DROP DATABASE {}").format(name))
        admin.execute(sql.SQL(text).format(name, owner, encoding))
    return database


@pytest.mark.newest
@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_plan_goes_there_and_back_in_another_encoding(databases: Databases, tmp_path: Path, encoding: str) -> None:
    database = _in(databases, encoding)
    database.run(OLD)
    (tmp_path / "new.sql").write_text(NEW)
    (tmp_path / "plan.yaml").write_text(PLAN)
    plan, cli, before = str(tmp_path), Cli(database.dsn), database.schema_dump()
    cli.ok("init")
    cli.ok("start", plan, "--until", "verify")
    # The text of a money depends on the session; what our functions compare and keep must not.
    pinned = "SELECT count(*) FROM pg_proc WHERE proconfig::text LIKE '%%bytea_output%%' AND proconfig::text LIKE %s"
    assert database.value(pinned, ["%lc_monetary%"]) == database.value(pinned, ["%"]) > 0
    database.run("UPDATE public.\"Möbel\" SET bezeichnung = 'Große Tür', preis = (-5)::money WHERE id = 7")
    database.run("UPDATE public.stücke SET titel = 'Überbau', ist_groß = true WHERE id = 8")
    assert all(each["clean"] for each in cli.ok("verify", "--plan", plan, "--json").json)
    assert database.value("SELECT titel FROM public.stücke WHERE id = 7") == "Große Tür"
    assert database.rows('SELECT bezeichnung, "maß" FROM public."Möbel" WHERE id = 8') == [("Überbau", "groß")]
    assert cli.ok("rejects", "list", "--json").json[0]["row"]["maß"] == "groß"
    assert "ü" in cli.ok("status").out
    cli.ok("rollback", "--yes", "--plan", plan, "--reason", "zurück")
    assert database.schema_dump(["changeover"]) == before
