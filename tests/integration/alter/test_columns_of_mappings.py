"""`alter:` says more of columns that a mapping adds: of an earlier stage, or of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.alter.conftest import OLD
from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: grades
version: 1
stages:
  - stage: grades
    alter:
      - table: hr."Staff"
        columns:
          '"Grade No"': {comment: of the grade}
    mappings:
      - in_place: hr."Staff"
        columns:
          Grade No: {type: integer, from: "coalesce(s.rank, 0)"}
        reverse:
          rank: t."Grade No"
  - stage: stricter
    after: grades
    alter:
      - table: hr."Staff"
        columns:
          '"Grade No"': {comment: "of the grade, and no other"}
        indexes:
          staff_by_grade: ("Grade No")
        constraints:
          graded: {check: '"Grade No" >= 0'}
"""


def described(database: Database) -> tuple[object, ...]:
    """Comment, indexes and constraints of the column."""
    return database.rows(
        """
        SELECT col_description(a.attrelid, a.attnum),
               (SELECT count(*) FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum),
               (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.conkey = ARRAY[a.attnum])
        FROM pg_attribute a WHERE a.attrelid = 'hr."Staff"'::regclass AND a.attname = 'Grade No'
        """
    )[0]


def test_a_column_of_a_mapping_is_described_and_made_stricter(database: Database, tmp_path: Path) -> None:
    database.run(OLD)
    (tmp_path / "plan.yaml").write_text(PLAN)
    cli, plan, before = Cli(database.dsn), str(tmp_path), database.schema_dump()
    cli.ok("init")
    cli.ok("plan", "lint", plan)
    cli.ok("plan", "check", plan)
    cli.ok("start", plan, "--stage", "grades", "--until", "verify")
    assert described(database) == ("of the grade", 0, 0)
    cli.ok("start", plan, "--stage", "stricter", "--until", "verify")
    assert described(database) == ("of the grade, and no other", 1, 1)
    database.run('INSERT INTO hr."Staff" ("Name") VALUES (\'somebody\')')
    cli.ok("rollback", "--yes", "--plan", plan, "--stage", "stricter")
    assert described(database) == ("of the grade", 0, 0)
    cli.ok("rollback", "--yes", "--plan", plan)
    cli.ok("uninstall")
    assert database.schema_dump() == before


def test_a_column_that_nobody_adds_is_refused(database: Database, tmp_path: Path) -> None:
    database.run(OLD)
    (tmp_path / "plan.yaml").write_text(
        PLAN.replace("'\"Grade No\"': {comment: of the grade}", "'\"Grade Nr\"': {comment: x}")
    )
    cli = Cli(database.dsn)
    cli.ok("init")
    done = cli("plan", "check", str(tmp_path))
    assert done.code == 5
    assert "there is no column Grade Nr" in done.out


@pytest.mark.parametrize("wrong", ['default: "0"', "nullable: false", "nullable: true, default: null"])
def test_what_a_mapping_says_of_its_column_is_left_to_it(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.replace("{comment: of the grade}", f"{{{wrong}}}"))
    done = Cli(None)("plan", "lint", str(tmp_path))
    assert done.code == 2
    assert 'column "Grade No" of hr."Staff" is a mapping\'s' in done.out
