"""Tables that one stage makes and later ones fill: what those fill is no row of the application alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

OLD = """\
CREATE TYPE public.side AS ENUM ('port', 'starboard');
CREATE TABLE public.moorings (id integer PRIMARY KEY, tide text, side public.side, price text);
INSERT INTO public.moorings VALUES (1, 'low', 'port', '12,50'), (2, 'HIGH', 'starboard', 'free'), (3, 'low', NULL, '7');
"""
NEW = """\
CREATE TYPE public.tide AS ENUM ('low', 'high');
CREATE TABLE public.berths (id integer PRIMARY KEY, tide public.tide, side public.side, legacy jsonb NOT NULL DEFAULT '{}');
CREATE TABLE public.prices (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cents integer);
CREATE TABLE public.remarks (at public.tide[], word text, side public.side);
"""
PLAN = """\
plan: harbour
version: 1
stages:
  - {stage: tables, expand: [new.sql]}
  - stage: berths
    mappings:
      - unify: public.berths
        sources: [public.moorings]
        key: {column: id}
        originals: legacy
        types: {tide: text, side: public.side}
        columns: {tide: changeover.fold(s.tide)::public.tide, side: s.side}
        reverse: {tide: t.tide::text, side: t.side}
    contract: {keep_days: 1, gates: {flag: none}}
  - stage: prices
    mappings:
      - derive: public.prices
        sources: [public.moorings]
        key: {column: id, target: id}
        types: {price: text}
        columns: {cents: "changeover.try_numeric(replace(s.price, ',', '.')) * 100"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "new.sql").write_text(NEW)
    return str(tmp_path)


def test_the_way_back_takes_them_and_keeps_what_the_application_wrote(shops: Database, folder: str) -> None:
    cli = Cli(shops.dsn)
    shops.run(OLD)
    cli.ok("init")
    before = shops.schema_dump(["changeover", "archive"])
    cli.ok("start", folder)
    shops.run("INSERT INTO public.berths (id, tide, side) VALUES (9, 'high', 'port')")
    shops.run("INSERT INTO public.remarks VALUES ('{low,high}', 'narrow', 'port'), (NULL, 'wide', NULL)")
    # One table for two stages: it is archived for both, and comes back before the rest of either.
    refused = cli("rollback", "--plan", folder, "--stage", "prices", "--yes")
    assert refused.code != 0
    assert "Stage berths has archived tables that stage prices reads as well." in refused.err
    cli.ok("rollback", "--plan", folder, "--yes")
    assert shops.schema_dump(["changeover", "archive"]) == before
    assert shops.rows("SELECT id, tide, side::text FROM public.moorings ORDER BY id") == [
        (1, "low", "port"),
        (2, "HIGH", "starboard"),
        (3, "low", None),
        (9, "high", "port"),
    ]
    # The types that the plan made are gone, their values are words; there is nothing of the tables that mappings filled.
    assert shops.rows("SELECT at, word, side FROM archive.remarks ORDER BY word") == [
        ("{low,high}", "narrow", "port"),
        (None, "wide", None),
    ]
    kept = shops.rows("SELECT relname FROM pg_class WHERE relnamespace = 'archive'::regnamespace AND relkind = 'r'")
    assert kept == [("remarks",)]


def test_their_stage_goes_after_those_that_fill_them(shops: Database, folder: str) -> None:
    cli = Cli(shops.dsn)
    shops.run(OLD)
    cli.ok("init")
    cli.ok("start", folder, "--until", "dual-write")
    refused = cli("rollback", "--plan", folder, "--stage", "tables", "--yes")
    assert refused.code != 0
    assert "Stage berths stands on stage tables." in refused.err
    cli.ok("rollback", "--plan", folder, "--stage", "prices", "--yes")
    cli.ok("rollback", "--plan", folder, "--stage", "berths", "--yes")
    cli.ok("rollback", "--plan", folder, "--stage", "tables", "--yes")
    assert shops.value("SELECT to_regclass('public.berths') IS NULL") is True
