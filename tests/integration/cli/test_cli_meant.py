"""A mistyped name of a plan, a stage, a phase, a flag, a table or a column is told with the one that was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import Cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

pytestmark = pytest.mark.newest

LEGACY = """
CREATE SCHEMA depot;
CREATE TABLE depot.parcels (id integer PRIMARY KEY, weight text, sender text, region text);
CREATE TABLE depot.regions (id integer PRIMARY KEY, code text UNIQUE);
"""
NEW = """\
CREATE TABLE public.shipments (id integer PRIMARY KEY, weight text, sender text, region_id integer, o jsonb NOT NULL DEFAULT '{}');
"""
PLAN = """\
plan: depot
version: 1
stages:
  - stage: shipments
    flag: USE_SHIPMENTS
    expand: [new.sql]
    mappings:
      - unify: public.shipments
        sources: [depot.parcels]
        key: {column: id}
        originals: o
        same: [weight, sender]
        types: {region: text}
        columns: {region_id: region.id}
        reverse: {region: region.code}
        lookups: {region: {table: depot.regions, match: region.code = s.region, join: region.id = t.region_id}}
  - stage: later
    after: shipments
    alter: [{table: public.shipments, columns: {sender: {default: "''"}}}]
"""


@pytest.fixture
def folder(database: Database, tmp_path: Path) -> Path:
    database.run(LEGACY)
    (tmp_path / "new.sql").write_text(NEW)
    (tmp_path / "plan.yaml").write_text(PLAN)
    Cli(database.dsn).ok("init")
    return tmp_path


@pytest.mark.parametrize(
    ("right", "wrong", "meant"),
    [
        ("unify: public.shipments", "unify: public.shipmnets", "public.shipments"),
        ("sources: [depot.parcels]", "sources: [depot.parcel]", "depot.parcels"),
        ("table: depot.regions", "table: depot.region", "depot.regions"),
        ("key: {column: id}", "key: {column: idd}", "id"),
        ("same: [weight, sender]", "same: [weight, sendr]", "sender"),
        ("types: {region: text}", "types: {regoin: text}", "regoin"),
        ("columns: {region_id: region.id}", "columns: {regionid: region.id}", "region_id"),
        ("region.code = s.region", "region.cod = s.region", "region.code"),
        ("columns: {sender: {default", "columns: {sendre: {default", "sender"),
        ("table: public.shipments, columns", "table: public.shipment, columns", "public.shipments"),
    ],
)
def test_of_the_database(database: Database, folder: Path, right: str, wrong: str, meant: str) -> None:
    assert right in PLAN
    (folder / "plan.yaml").write_text(PLAN.replace(right, wrong))
    done = Cli(database.dsn)("plan", "check", str(folder))
    said = " ".join((done.out + done.err).split())
    assert f"did you mean `{meant}`?" in said or f'reference the column "{meant}"' in said, said


def test_of_a_command(database: Database, folder: Path) -> None:
    cli, plan = Cli(database.dsn), str(folder)
    for arguments, meant in (
        (("start", plan, "--stage", "shipmets"), "shipments"),
        (("start", plan, "--until", "verfy"), "verify"),
        (("plan", "lint", "umgi"), "umig"),
    ):
        done = cli(*arguments)
        assert done.code != 0
        assert f"did you mean `{meant}`?" in " ".join(done.err.split())
    cli.ok("start", plan, "--kind", "rehearsal", "--until", "expand")
    assert "did you mean `USE_SHIPMENTS`?" in cli("flag", "get", "use_shipment").err
