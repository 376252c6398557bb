"""What a command says of rows is the same wherever it is said: copied and rejected, compared, open, waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = pytest.mark.newest

OLD = """\
CREATE TABLE public.parcels (id integer PRIMARY KEY, code text, weight text, sender integer);
CREATE TABLE public.letters (id integer PRIMARY KEY, parcel integer);
INSERT INTO public.parcels SELECT n, 'c' || n, n::text FROM generate_series(1, 40) n;
UPDATE public.parcels SET weight = 'heavy' WHERE id IN (3, 4);
UPDATE public.parcels SET weight = '-1' WHERE id = 5;
INSERT INTO public.letters SELECT n, 20 FROM generate_series(1, 5) n;
"""
NEW = """\
CREATE TABLE public.boxes (
    id integer PRIMARY KEY, code text UNIQUE, weight numeric CHECK (weight > 0), legacy jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE public.notes (id integer PRIMARY KEY, box integer, legacy jsonb NOT NULL DEFAULT '{}');
"""
PLAN = """\
plan: parcels
version: 1
stages:
  - stage: boxes
    flag: USE_BOXES
    expand: [new.sql]
    keys: [keys.sql]
    mappings:
      - unify: public.boxes
        sources: [public.parcels]
        key: {column: id}
        originals: legacy
        types: {code: text, weight: text}
        columns: {code: s.code, weight: changeover.try_numeric(s.weight)}
        reverse: {code: t.code, weight: t.weight::text}
        rejects: {no_weight: changeover.try_numeric(s.weight) IS NULL}
      - unify: public.notes
        sources: [public.letters]
        key: {column: id}
        originals: legacy
        types: {parcel: integer}
        columns: {box: s.parcel}
        reverse: {parcel: t.box}
    contract: {keep_days: 1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "new.sql").write_text(NEW)
    key = "ALTER TABLE public.notes ADD CONSTRAINT notes_box FOREIGN KEY (box) REFERENCES public.boxes (id);"
    (tmp_path / "keys.sql").write_text(key)
    return str(tmp_path)


def test_numbers_are_the_same_wherever_they_are_said(shops: Database, folder: str) -> None:
    cli = Cli(shops.dsn)
    shops.run(OLD)
    assert "public.parcels: no rows, or not counted yet (ANALYZE does)" in cli.ok("plan", "check", folder).out
    shops.run("ANALYZE public.parcels")
    assert "public.parcels: about 40 rows" in cli.ok("plan", "check", folder).out
    cli.ok("init")
    started = cli("start", folder)
    assert started.code == 3
    # A page on which a rule and a constraint reject has both counted; one verification has one number of rows.
    (stage,) = cli.ok("status", "--json").json["plans"][0]["stages"]
    (parcels,) = [each for each in stage["sources"] if each["name"] == "public.parcels"]
    assert (parcels["rows_seen"], parcels["rows_copied"], parcels["rows_rejected"]) == (40, 37, 3)
    (verified,) = cli.ok("verify", "--plan", folder, "--json").json
    (stage,) = cli.ok("status", "--json").json["plans"][0]["stages"]
    assert (verified["rows"], stage["verification"]["rows"]) == (45, 45)
    assert "45 rows" in started.out
    # The gate names the reasons, so that its command can be typed.
    assert "3 rejects open: check_violation, no_weight." in started.err
    assert "--of-reason check_violation --from-now-on --reason …`, and so for no_weight." in started.err

    # An old row that can have no new one, while another table holds the one that it had: the key waits, and it is said for what.
    shops.run("UPDATE public.parcels SET code = 'c21' WHERE id = 20")
    waits = cli("verify", "--plan", folder)
    assert waits.code == 4
    assert "Stage boxes: 1 key could not be drained, and so not be compared." in waits.err
    assert "difference" not in waits.err
    drained = cli("drain", "--plan", folder)
    assert "the old row can have no new row (duplicate key value violates unique constraint" in drained.err
    assert "notes_box" in drained.err
    shops.run("UPDATE public.parcels SET code = 'c20b' WHERE id = 20")
    cli.ok("verify", "--plan", folder)
