"""Names are changed, taken back and retired with a kill at every commit: it ends as if nobody had been killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.killing import ForkServer, Hunt
from tests.support.database import Database, Databases
from tests.support.lifecycle import same

pytestmark = pytest.mark.newest

OURS = ["changeover", "archive"]
OLD = """\
CREATE TABLE public.perameters (id serial PRIMARY KEY, wieght integer, "Old" text NOT NULL DEFAULT 'x');
CREATE TABLE public.users (id serial PRIMARY KEY, fullname text, fax text NOT NULL);
INSERT INTO public.users (fullname, fax) SELECT 'u' || g, 'f' || g FROM generate_series(1, 50) g;
"""
PLAN = """\
plan: names
version: 1
stages:
  - stage: fax
    alter:
      - {table: public.users, drop: [fax]}
    contract: {archive: none, gates: {flag: none}, keep_days: 0}
  - stage: names
    after: fax
    rename:
      - {table: public.perameters, to: parameters, columns: {wieght: weight}}
      - {table: public.users, columns: {fullname: full_name}, new_names_in: app_v2}
    contract: {archive: none, gates: {flag: none}, keep_days: 0}
"""


def _built(database: Database) -> None:
    database.run(OLD)


def test_at_commits_there_and_back_and_to_the_end(
    databases: Databases, fork_server: ForkServer, tmp_path: Path
) -> None:
    database = databases.clone("chaos rename", _built)
    (tmp_path / "plan.yaml").write_text(PLAN)
    before = database.schema_dump(OURS)
    assert fork_server.run(database.dsn, "init").code == 0
    hunt = Hunt(fork_server, database.dsn, tmp_path / "met", share=7)
    hunt("start", str(tmp_path), "--kind", "rehearsal")
    hunt.share = 4
    hunt("rollback", "--yes", "--plan", str(tmp_path))
    same(database.schema_dump(OURS), before, "after rollback")
    assert fork_server.run(database.dsn, "start", str(tmp_path), "--kind", "rehearsal").code == 0
    hunt.share = 1
    hunt("retire", str(tmp_path), "--yes")
    assert database.value("SELECT count(*) FROM archive.users_columns_run2") == 50
    assert database.value("SELECT count(full_name) FROM public.users") == 50
    assert database.value("SELECT to_regclass('public.perameters')") is None
    assert database.value("SELECT count(weight) FROM public.parameters") == 0
    assert sum(number for _, number in hunt.kills) > 8
