"""Names in plans mean what they mean in SQL: folded without quotes, kept with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: names
version: 1
stages:
  - stage: one
    flag: USE_NEW
    expand: [new.sql]
    mappings:
      - unify: '{target}'
        discover: sources.sql
        key: {{column: id, target: id}}
        originals: kept
        types: {{word: text}}
        columns: {{word: s.word}}
        reverse: {{word: t.word}}
        pack: {{rest: extra}}
    indexes: [indexes.sql]
    keys: [keys.sql]
"""
NEW = """\
CREATE TABLE {target} (id integer PRIMARY KEY, word text, extra jsonb NOT NULL DEFAULT '{{}}', kept jsonb NOT NULL DEFAULT '{{}}');
"""


@pytest.mark.parametrize(
    ("in_plan", "in_file", "stored"),
    [
        ('public."New Words"', 'PUBLIC."New Words"', "New Words"),
        ("public.Words", "Public.WORDS", "words"),
        ('"public"."a.b"', 'public."a.b"', "a.b"),
        ('public."say ""x"""', 'public."say ""x"""', 'say "x"'),
    ],
)
def test_a_target_may_be_quoted(database: Database, tmp_path: Path, in_plan: str, in_file: str, stored: str) -> None:
    database.run(
        "CREATE TABLE public.old (id integer PRIMARY KEY, word text); INSERT INTO public.old VALUES (1, 'a'), (2, 'b'), (9, 'c');"
        "CREATE TABLE public.parent (id integer PRIMARY KEY); INSERT INTO public.parent VALUES (1), (2)"
    )
    (tmp_path / "plan.yaml").write_text(PLAN.format(target=in_plan))
    (tmp_path / "new.sql").write_text(NEW.format(target=in_file))
    (tmp_path / "sources.sql").write_text("SELECT 'old' AS table_name, 'old' AS discriminator, 1 AS rank")
    (tmp_path / "indexes.sql").write_text(f"CREATE INDEX By_Word ON {in_file} (word);")
    (tmp_path / "keys.sql").write_text(
        f"ALTER TABLE {in_file} ADD CONSTRAINT FK_Parent FOREIGN KEY (ID) REFERENCES Public.Parent;"
    )
    cli = Cli(database.dsn)
    cli.ok("init")
    before = database.schema_dump(["changeover"])
    cli.ok("plan", "check", str(tmp_path))
    start = ("start", str(tmp_path), "--kind", "rehearsal", "--until", "verify")
    assert cli(*start).code == 5  # one row has no parent
    database.run("INSERT INTO public.parent VALUES (9)")
    cli.ok(*start)
    name = '"' + stored.replace('"', '""') + '"'
    assert database.value(f"SELECT count(*) FROM public.{name}") == 3
    valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'fk_parent' AND conrelid = %s::regclass"
    assert database.value(valid, (f"public.{name}",)) is True
    cli.ok("rollback", "--yes", "--plan", str(tmp_path))
    assert database.schema_dump(["changeover"]) == before
