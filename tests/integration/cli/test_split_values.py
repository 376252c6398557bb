"""A split of columns of any type: what the new application writes, changes and deletes stands in the old columns too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import Cli

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.database import Database

pytestmark = pytest.mark.every

PLAN = """
plan: visits
version: 1
stages:
  - stage: facts
    flag: USE_FACTS
    expand: [new.sql]
    mappings:
{mappings}    contract: {{archive: none, keep_days: 0}}
"""
MAPPING = """
      - split: public.facts_{n}
        sources: [public.visits_{n}]
        key: {{column: id, target: visit}}
        item: fact
        except: [id]
        when: {when}
        columns: {{said: "{said}"}}
        value: t.said
{more}"""
OLD = 'CREATE TABLE public.visits_{n} (id bigint PRIMARY KEY, first {old}, "Second\'s" {old})'
NEW = """
CREATE TABLE public.facts_{n} (
    visit bigint NOT NULL REFERENCES public.visits_{n} ON DELETE CASCADE, fact text NOT NULL, said {new},
    PRIMARY KEY (visit, fact)
);
"""


@dataclass(frozen=True)
class Values:
    """Old and new type, how the new one is made, four values as the new side shows them, and what a deleted one becomes."""

    old: str
    new: str
    said: str
    values: tuple[str, str, str, str]
    gone: str | None = None
    when: str = "v.text IS NOT NULL"
    more: str = ""


KINDS = {
    "text": Values("text", "text", "v.text", ("blue", "", "it's; \\ ü", "true")),
    "code": Values("char(4)", "varchar(9)", "v.text", ("ab", "cd", "efgh", "x")),
    "date": Values("date", "date", "v.text::date", ("2024-02-29", "1999-12-31", "2000-01-01", "infinity")),
    "time": Values(
        "timestamptz",
        "timestamptz",
        "v.text::timestamptz",
        ("2024-03-31 01:30:00.000001+00", "1970-01-01 00:00:00+00", "2023-10-29 00:30:00+00", "2020-02-02 02:02:02+00"),
    ),
    "truth": Values("boolean", "boolean", "v.text::boolean", ("t", "f", "t", "f")),
    "truth in words": Values("boolean", "text", "v.text", ("true", "false", "true", "false")),
    "number in words": Values("integer", "text", "v.text", ("7", "-1", "0", "2147483647")),
    "number": Values(
        "numeric(6,2)", "numeric", "v.number", ("1.50", "-2.25", "0.00", "9999.99"), when="v.number IS NOT NULL"
    ),
    "zero": Values("bigint", "bigint", "v.number", ("1", "2", "3", "4"), "0", "v.number > 0", "        absent: 0\n"),
    "a word": Values(
        "text", "text", "v.text", ("a", "b", "c", "d"), "none", "v.text <> 'none'", "        absent: \"'none'\"\n"
    ),
    "document": Values("jsonb", "jsonb", "v.text::jsonb", ('{"a": [1]}', "[]", '"text"', "12")),
    "uuid": Values(
        "uuid",
        "uuid",
        "v.text::uuid",
        tuple(f"{n}0000000-0000-4000-8000-000000000000" for n in range(1, 5)),  # type: ignore[arg-type]
    ),
}


ORDER = list(KINDS.values())


class Side:
    """The two tables of one kind of value."""

    def __init__(self, database: Database, kind: Values) -> None:
        self.database, self.kind, self.n = database, kind, ORDER.index(kind)
        self.facts, self.visits = f"public.facts_{self.n}", f"public.visits_{self.n}"

    def do(self, conn: psycopg.Connection, statement: str, *values: str) -> None:
        conn.execute(statement.replace("facts", self.facts).replace("visits", self.visits).encode(), values)

    def old(self, visit: int, column: str, expected: str | None) -> None:
        """The old column has that value."""
        with self.database.connect() as conn:
            query = f"SELECT {column} IS NOT DISTINCT FROM %s::text::{self.kind.old} FROM {self.visits} WHERE id = %s"
            same = conn.execute(query.encode(), (expected, visit)).fetchone()
            assert same == (True,), (self.kind, visit, column, self.database.rows(f"SELECT * FROM {self.visits}"))

    def new(self, facts: dict[tuple[int, str], str]) -> None:
        """The new table has these rows and no others."""
        assert set(self.database.rows(f"SELECT visit, fact FROM {self.facts}")) == set(facts)
        with self.database.connect() as conn:
            query = f"SELECT said = %s::text::{self.kind.new} FROM {self.facts} WHERE (visit, fact) = (%s, %s)"
            same = {conn.execute(query.encode(), (value, *key)).fetchone() for key, value in facts.items()}
            assert same == {(True,)}, self.kind


def test_both_sides_have_what_the_new_application_wrote(database: Database, tmp_path: Path) -> None:
    sides = [Side(database, kind) for kind in ORDER]
    mappings = [
        MAPPING.format(n=n, when=kind.when, said=kind.said, more=kind.more).removeprefix("\n")
        for n, kind in enumerate(ORDER)
    ]
    (tmp_path / "plan.yaml").write_text(PLAN.format(mappings="".join(mappings)))
    (tmp_path / "new.sql").write_text("".join(NEW.format(n=n, new=kind.new) for n, kind in enumerate(ORDER)))
    for side in sides:
        database.run(OLD.format(n=side.n, old=side.kind.old))
        with database.connect() as conn:
            a, b, *_ = side.kind.values
            side.do(conn, "INSERT INTO visits VALUES (1, %s, %s), (2, %s, NULL), (3, NULL, NULL)", a, b, b)
    cli, plan = Cli(database.dsn), str(tmp_path)
    cli.ok("init")
    before = database.schema_dump(["changeover"])
    cli.ok("start", plan, "--until", "verify")
    for side in sides:
        _, _, third, fourth = side.kind.values
        with database.connect() as new:
            side.do(new, "UPDATE facts SET said = %s WHERE visit = 1 AND fact = 'first'", third)
            side.do(new, "INSERT INTO facts VALUES (3, 'Second''s', %s)", fourth)
            side.do(new, "DELETE FROM facts WHERE visit = 2 AND fact = 'first'")
    for _ in range(2):
        for side in sides:
            _, second, third, fourth = side.kind.values
            side.old(1, "first", third)
            side.old(1, '"Second\'s"', second)
            side.old(2, "first", side.kind.gone)
            side.old(3, '"Second\'s"', fourth)
            side.new({(1, "first"): third, (1, "Second's"): second, (3, "Second's"): fourth})
        cli.ok("drain")
        cli.ok("verify", "--plan", plan)
    # What waits in the queue says the same: a mirror that could not reach the old table leaves both values there.
    with database.connect() as holder, database.connect() as new, holder.transaction():
        for side in sides:
            side.do(holder, "LOCK TABLE visits IN ACCESS EXCLUSIVE MODE")
        new.execute("SET lock_timeout = '20ms'")
        for side in sides:
            side.do(new, "UPDATE facts SET said = %s WHERE visit = 1 AND fact = 'first'", side.kind.values[0])
            side.do(new, "DELETE FROM facts WHERE visit = 3")
    cli.ok("drain")
    for side in sides:
        side.old(1, "first", side.kind.values[0])
        side.old(3, '"Second\'s"', side.kind.gone)
    cli.ok("verify", "--plan", plan)
    cli.ok("rollback", "--plan", plan)
    assert database.schema_dump(["changeover"]) == before


def test_a_column_that_must_have_a_value_needs_a_word_for_none(database: Database, tmp_path: Path) -> None:
    mapping = MAPPING.format(n=0, when="v.text <> ''", said="v.text", more="")
    (tmp_path / "plan.yaml").write_text(PLAN.format(mappings=mapping))
    (tmp_path / "new.sql").write_text(NEW.format(n=0, new="text"))
    database.run("CREATE TABLE public.visits_0 (id bigint PRIMARY KEY, first text NOT NULL, second text)")
    cli = Cli(database.dsn)
    cli.ok("init")
    refused = cli("plan", "check", str(tmp_path))
    assert refused.code == 5
    assert "public.visits_0.first is NOT NULL" in " ".join(refused.out.split())
    (tmp_path / "plan.yaml").write_text(PLAN.format(mappings=mapping + "        absent: \"''\"\n"))
    cli.ok("plan", "check", str(tmp_path))
