"""A table in use with names of every kind, and a plan that changes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

OLD = """\
CREATE SCHEMA hr;
CREATE TABLE hr."Staff" (id serial PRIMARY KEY, "Name" text NOT NULL, dept text DEFAULT 'none', boss integer,
                         pay numeric(8, 2) NOT NULL DEFAULT 10.5, code text, rank integer DEFAULT 3);
CREATE TABLE public.team (id integer PRIMARY KEY, label text);
CREATE TABLE public.club (id integer PRIMARY KEY);
ALTER TABLE hr."Staff" ADD COLUMN team integer;
ALTER TABLE hr."Staff" ADD CONSTRAINT staff_team FOREIGN KEY (team) REFERENCES public.team (id) DEFERRABLE;
COMMENT ON CONSTRAINT staff_team ON hr."Staff" IS 'it''s the team';
COMMENT ON COLUMN hr."Staff".dept IS 'where';
COMMENT ON TABLE hr."Staff" IS 'people';
INSERT INTO public.team SELECT g, 't' || g FROM generate_series(1, 5) g;
INSERT INTO hr."Staff" ("Name", boss, code, team) SELECT 'n' || g, 1, 'c' || g, 1 + g % 5 FROM generate_series(1, 500) g;
"""
PLAN = """\
plan: staff
version: 1
stages:
  - stage: more
    alter:
      - table: hr."Staff"
        comment: everybody
        add:
          phone: text
          "\\"Grade\\"": {type: smallint, default: "1", nullable: false, check: "\\"Grade\\" BETWEEN 1 AND 9", comment: pay grade}
          Note: {type: varchar(20), default: "'it''s new'"}
        columns:
          dept: {default: "'all'", comment: null, nullable: false}
          pay: {nullable: true, default: "20"}
          rank: {default: null}
          '"Name"': {nullable: true, comment: full name}
        indexes:
          staff_by_dept: (dept, pay DESC)
          '"Staff Code"': {of: '(lower(code)) WHERE code <> ''''', unique: true}
        constraints:
          staff_team: {foreign_key: (team) REFERENCES public.team (id) ON DELETE SET NULL, replaces: staff_team}
          staff_boss: {foreign_key: '(boss) REFERENCES hr."Staff" (id)'}
          staff_code: {unique: [code]}
          paid: {check: pay >= 0, when: contract}
    contract:
      archive: none
      gates: {flag: none}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a plan of one stage whose keys are given."""

    def make(keys: str) -> Path:
        body = "\n".join(f"    {line}" for line in keys.strip("\n").splitlines())
        (tmp_path / "plan.yaml").write_text(f"plan: staff\nversion: 1\nstages:\n  - stage: more\n{body}\n")
        return tmp_path

    return make
