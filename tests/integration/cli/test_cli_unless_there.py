"""Schemas, sequences, tables, columns and indexes that a database may have already: they stay as they are, there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import Cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

PLAN = """\
plan: visits
version: 1
stages:
  - stage: visits
    expand: [visits.sql]
    alter:
      - table: public.visits
        add:
          priority: {type: text, default: "'normal'", unless_there: true}
          note: {type: text, unless_there: true}
          doctor: text
        constraints:
          known_priority: {check: "priority <> '' AND length(coalesce(doctor_code, '')) < 9"}
    mappings:
      - in_place: public.visits
        exempt_column: let_through
        columns: {doctor_code: {type: text, from: upper(s.note)}}
        exempt: {known_priority: s.priority = ''}
    indexes: [indexes.sql]
    contract: {archive: none, gates: {flag: none}}
"""
VISITS = """
CREATE SCHEMA IF NOT EXISTS clinic;
CREATE SEQUENCE IF NOT EXISTS clinic.beds;
CREATE TABLE IF NOT EXISTS public.visits (id serial PRIMARY KEY, patient text);
"""
INDEXES = "CREATE INDEX IF NOT EXISTS by_patient ON public.visits (patient); CREATE INDEX by_doctor ON public.visits (doctor_code);"
THERE = """
CREATE SCHEMA clinic;
CREATE SEQUENCE clinic.beds START 7;
CREATE TABLE public.visits (id bigint PRIMARY KEY, patient text, note varchar(20), extra json);
CREATE INDEX by_patient ON public.visits (patient, id);
INSERT INTO public.visits (id, patient, note) SELECT g, 'p' || g, 'n' || g FROM generate_series(1, 40) g;
"""


@pytest.fixture
def plan(tmp_path: Path) -> str:
    for name, text in (("plan.yaml", PLAN), ("visits.sql", VISITS), ("indexes.sql", INDEXES)):
        (tmp_path / name).write_text(text)
    return str(tmp_path)


def test_what_is_there_stays(database: Database, plan: str) -> None:
    database.run(THERE)
    before, cli = database.schema_dump(), Cli(database.dsn)
    cli.ok("init")
    cli.ok("plan", "check", plan)
    cli.ok("start", plan)
    types = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'public.visits'::regclass AND attnum > 0"
    assert dict(database.rows(types)) == {
        "id": "bigint", "patient": "text", "note": "character varying(20)", "extra": "json", "priority": "text",
        "doctor": "text", "doctor_code": "text", "let_through": "text[]",
    }  # fmt: skip
    assert database.value("SELECT pg_get_indexdef('public.by_patient'::regclass)").endswith("(patient, id)")
    assert database.rows("SELECT count(doctor_code), min(priority) FROM public.visits") == [(40, "normal")]
    database.run("UPDATE public.visits SET priority = 'high', note = 'mine' WHERE id = 7")
    done = cli.ok("rollback", "--yes", "--plan", plan)
    assert "archive.visits_columns_run1" in done.out + done.err
    assert database.rows("SELECT priority FROM archive.visits_columns_run1") == [("high",)]
    assert database.rows("SELECT note FROM public.visits WHERE id = 7") == [("mine",)]
    database.run("DROP SCHEMA archive CASCADE")
    cli.ok("uninstall")
    assert database.schema_dump() == before


def test_what_is_not_there_is_made_and_goes_again_with_its_rows_kept(database: Database, plan: str) -> None:
    before, cli = database.schema_dump(), Cli(database.dsn)
    cli.ok("init")
    cli.ok("plan", "check", plan)
    cli.ok("start", plan)
    cli.ok("start", plan)
    database.run("INSERT INTO public.visits (patient, note) VALUES ('a', 'x')")
    assert database.rows("SELECT doctor_code, priority FROM public.visits") == [("X", "normal")]
    cli.ok("rollback", "--yes", "--plan", plan)
    assert database.rows("SELECT patient FROM archive.visits") == [("a",)]
    database.run("DROP SCHEMA archive CASCADE")
    cli.ok("uninstall")
    assert database.schema_dump() == before
