"""What cannot have an index, or has none and needs one, is said by `plan check`, before anything is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

UNIFY = """\
plan: looks
version: 1
stages:
  - stage: one
    flag: USE_NEW
    expand: [new.sql]
    mappings:
      - unify: public.fresh
        discover: sources.sql
        key: {{column: id, target: id}}
        originals: kept
        types: {{mail: text, at: date}}
        lookups: {{who: {{table: public.people, match: "{match}", join: who.id = t.person}}}}
        columns: {{person: who.id}}
        reverse: {{mail: who.mail}}
        pack: {{rest: extra}}
"""
OLD = """\
CREATE TABLE public.old (id integer PRIMARY KEY, mail text, at date);
CREATE TABLE public.people (id integer PRIMARY KEY, mail text, born date);
INSERT INTO public.people SELECT g, 'm' || g, '2000-01-01' FROM generate_series(1, 3000) g;
ANALYZE public.people;
"""
NEW = "CREATE TABLE public.fresh (id integer PRIMARY KEY, person integer, extra jsonb NOT NULL DEFAULT '{}', kept jsonb NOT NULL DEFAULT '{}');"


@pytest.mark.parametrize(
    ("match", "index", "served"),
    [
        ("who.mail = s.mail", "", False),
        ("who.mail = s.mail", "(mail)", True),
        ("lower(who.mail) = lower(s.mail)", "(mail)", False),
        ("lower(who.mail) = lower(s.mail)", "(lower(mail))", True),
        ("who.mail = s.mail AND who.born <= s.at", "(born, mail)", True),
        ("who.mail || 'who.id' = s.mail", "(mail)", False),
        ("who.id = 7", "", True),
        ("who.mail = d.discriminator", "", False),
    ],
)
def test_a_lookup_that_no_index_serves_is_named_with_its_rows(
    database: Database, tmp_path: Path, match: str, index: str, *, served: bool
) -> None:
    database.run(OLD + (f"CREATE INDEX ON public.people {index};" if index else ""))
    (tmp_path / "plan.yaml").write_text(UNIFY.format(match=match))
    (tmp_path / "new.sql").write_text(NEW)
    (tmp_path / "sources.sql").write_text("SELECT 'old' AS table_name, 'old' AS discriminator, 1 AS rank")
    said = Cli(database.dsn).ok("plan", "check", str(tmp_path)).out
    assert ("no index serves lookup who" not in said) is served, said
    assert ("about 3000 rows" not in said) is served


@pytest.mark.newest
@pytest.mark.parametrize(
    ("match", "index"),
    [
        ("who.mail = s.mail", "(mail)"),
        ("s.mail = lower(btrim(who.mail)) AND who.born BETWEEN s.at AND s.at", "((lower(btrim(mail))))"),
        # Another scan has an index; its row is found by reading all the same.
        (
            "who.mail = s.mail AND NOT EXISTS (SELECT FROM public.people o WHERE o.mail = who.mail AND o.id < who.id)",
            "(mail)",
        ),
        ("who.mail = s.mail AND who.born = s.at AND 'AND who.id = s.id' <> ''", "(mail, born)"),
    ],
)
def test_the_index_that_would_serve_is_given_and_does(
    database: Database, tmp_path: Path, match: str, index: str
) -> None:
    database.run(OLD)
    (tmp_path / "plan.yaml").write_text(UNIFY.format(match=match))
    (tmp_path / "new.sql").write_text(NEW)
    (tmp_path / "sources.sql").write_text("SELECT 'old' AS table_name, 'old' AS discriminator, 1 AS rank")
    cli = Cli(database.dsn)
    said = " ".join(cli.ok("plan", "check", str(tmp_path)).out.split())
    statement = f'CREATE INDEX CONCURRENTLY ON "public"."people" {index}'.replace("(mail", '("mail"').replace(
        "born", '"born"'
    )
    assert statement in said, said
    with database.connect() as conn:
        conn.autocommit = True
        conn.execute(statement.encode())
    assert "no index serves" not in cli.ok("plan", "check", str(tmp_path)).out


def test_of_a_small_table_nothing_is_said(database: Database, tmp_path: Path) -> None:
    database.run(OLD + "DELETE FROM public.people WHERE id > 500; ANALYZE public.people;")
    (tmp_path / "plan.yaml").write_text(UNIFY.format(match="who.mail = s.mail"))
    (tmp_path / "new.sql").write_text(NEW)
    (tmp_path / "sources.sql").write_text("SELECT 'old' AS table_name, 'old' AS discriminator, 1 AS rank")
    assert "no index serves" not in Cli(database.dsn).ok("plan", "check", str(tmp_path)).out


MERGE = """\
plan: merges
version: 1
stages:
  - stage: one
    flag: USE_NEW
    expand: [new.sql]
    mappings:
      - merge: public.merged
        key: k
        originals: kept
        sources:
          l:
            table: public.lines
            key: "{key}"
            order: [s.who]
            types: {{at: timestamptz, who: text}}
            reverse: {{at: t.at, who: t.who}}
        columns: {{at: l.at, who: l.who}}
"""


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        ("concat(s.who, s.at)", True),
        ("s.at::text", True),
        ("s.who || '#' || extract(epoch FROM s.at AT TIME ZONE 'UTC')::bigint::text", False),
        ("upper(s.who) || 's.at'", False),
    ],
)
def test_a_key_that_cannot_be_indexed_is_refused_before_anything_is_changed(
    database: Database, tmp_path: Path, key: str, *, refused: bool
) -> None:
    database.run(
        "CREATE TABLE public.lines (at timestamptz, who text); INSERT INTO public.lines VALUES (now(), 'a'), (now(), 'b')"
    )
    (tmp_path / "plan.yaml").write_text(MERGE.format(key=key))
    (tmp_path / "new.sql").write_text(
        "CREATE TABLE public.merged (k text PRIMARY KEY, at timestamptz, who text, kept jsonb);"
    )
    cli = Cli(database.dsn)
    cli.ok("init")
    before = database.schema_dump(["changeover"])
    for command in (("plan", "check"), ("start", "--kind", "rehearsal", "--until", "verify")):
        done = cli(*command, str(tmp_path))
        said = done.out + done.err
        assert (done.code, "must be IMMUTABLE" in said) == ((5, True) if refused else (0, False)), said
    assert (database.schema_dump(["changeover"]) == before) is refused
