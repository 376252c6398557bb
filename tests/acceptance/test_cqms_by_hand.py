"""The shipped plan on a CQMS database that was written by hand: its whole life, judged by plain SQL (A1, A3, P4)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from orchestrator.plan.loader import load
from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = [pytest.mark.newest, pytest.mark.timeout(900)]

LEGACY = Path(__file__).parent / "sql" / "cqms_by_hand.sql"
AUDITS = (("public", "typed"), ("qa", 'We"ird; Náme %s'), ("public", "nobody_audits"))
TABLES = (*AUDITS, ("public", "people"), ("public", "users"))

OLD = (
    "UPDATE public.typed SET employee_email = 'P{n}@x.com', average_score = '7{n}.50' WHERE id = 'T-{n}'",
    "UPDATE public.typed SET interaction_date = 'never' WHERE id = 'T-5{n}'",
    "DELETE FROM public.typed WHERE id = 'T-10{n}'",
    """
    INSERT INTO public.typed (id, employee_email, auditor_email, interaction_date, key)
    VALUES ('N-{n}', 'new{n}@x.com', 'p2@x.com', '2024-05-05', 4), ('B-{n}', 'bad', 'p2@x.com', '2024-05-05', 1)
    """,
    "UPDATE qa.\"We\"\"ird; Náme %s\" SET interaction_date = '2024-06-0{n}', passing_status = 'Fail' WHERE id = {n}",
    "INSERT INTO qa.\"We\"\"ird; Náme %s\" (employee_email, auditor_email, interaction_date) VALUES ('p{n}@x.com', 'p2@x.com', '2024-05-05')",
    "UPDATE public.people SET email = 'moved{n}@x.com' WHERE email = 'p2{n}@x.com'",
    "INSERT INTO public.people (email, name) VALUES ('hired{n}@x.com', 'Hired'), ('  ', 'Nobody')",
)
NEW = (
    """
    UPDATE public.audits SET total_score = 61.25, passing_status = 'fail', transcript = 'new {n}'
    WHERE id = (SELECT id FROM public.audits ORDER BY created_at, id OFFSET {n} LIMIT 1)
    """,
    """
    INSERT INTO public.audits (employee_id, auditor_id, scorecard_id, interaction_date, total_score)
    SELECT e.id, a.id, s.id, date '2024-07-0{n}', 90 FROM public.scorecards s, public.employees e, public.employees a
    WHERE s.name IN ('Typed', 'Weird', 'Empty') AND e.email = 'p3@x.com' AND a.email = 'p4@x.com'
    """,
    "UPDATE public.employees SET name = 'Named {n}' WHERE email = 'p{n}@x.com'",
)


class Life:
    """The database, its commands, its writers, the judgement."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.cli = Cli(database.dsn)
        self.conn = database.connect()
        self.turn = 0

    def write(self, *, new: bool) -> None:
        """A turn of the application; no request of it may fail."""
        self.turn += 1
        for statement in (*OLD, *(NEW if new else ())):
            self.conn.execute(statement.format(n=self.turn).encode())
        self.cli.ok("drain", "--plan", "cqms")

    def rows(self, table: sql.Identifier) -> Counter[str]:
        found = self.conn.execute(sql.SQL("SELECT x.*::text FROM {} x").format(table)).fetchall()
        return Counter(row[0] for row in found)

    def rejected(self, schema: str, name: str) -> Counter[str]:
        """The rejects of a table, as rows of it again."""
        printed = self.cli.ok("rejects", "list", "--json").out
        query = sql.SQL(
            "SELECT jsonb_populate_record(NULL::{}, e -> 'row')::text FROM jsonb_array_elements({}::jsonb) e "
            "WHERE e ->> 'source' = {}"
        ).format(sql.Identifier(self._home(name), name), sql.Literal(printed), sql.Literal(f"{schema}.{name}"))
        return Counter(row[0] for row in self.conn.execute(query).fetchall())

    def _home(self, name: str) -> str:
        return str(self.database.value("SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
                                       "WHERE relname = %s AND relkind = 'r'", (name,)))  # fmt: skip

    def judge(self) -> None:
        """A1: old table minus view = rejects, view minus old table = nothing. A3: it adds up."""
        for schema, name in TABLES:
            home = self._home(name)
            view = sql.Identifier("compat", name)
            old, shown, rejects = self.rows(sql.Identifier(home, name)), self.rows(view), self.rejected(schema, name)
            assert (old - shown, shown - old) == (rejects, Counter()), f"{schema}.{name}"
        (verified,) = [
            each for each in self.cli.ok("verify", "--plan", "cqms", "--json").json if each["stage"] == "audits"
        ]
        assert verified["clean"]


def _built(database: Database) -> None:
    database.run(LEGACY.read_text())


def test_a_hand_written_cqms_lives_through_it_all(databases: Any) -> None:
    database = databases.clone("cqms by hand", _built)
    life = Life(database)
    cli, before = life.cli, database.schema_dump()
    cli.ok("init")
    cli.ok("plan", "check", "cqms")
    for stage in ("foundation", "audits"):
        for phase in ("expand", "dual-write", "backfill", "verify"):
            cli.ok("run", phase, "--plan", "cqms", "--stage", stage)
            life.write(new=stage != "foundation" and phase in {"backfill", "verify"})
    cli.ok("start", "cqms", "--until", "verify")  # the other stages: what each does has tests of its own
    life.write(new=True)
    life.judge()
    reasons = {each["reason"] for each in cli.ok("rejects", "list", "--json").json}
    assert reasons >= {"invalid_email", "no_date", "number_too_large", "datetime_field_overflow"}

    for flag in (stage.flag for stage in load("cqms").model.stages if stage.flag is not None):
        cli.ok("flag", "set", flag, "--stage", "live", "--reason", "test", "--yes")
    cli.ok("rejects", "waive", "--all", "--reason", "test")
    cli.ok("start", "cqms")
    life.judge()
    life.write(new=True)
    life.judge()

    last = {table: life.rows(sql.Identifier(*table)) for table in TABLES}
    cli.ok("rollback", "--yes", "--plan", "cqms")
    for table in TABLES:
        assert not last[table] - life.rows(sql.Identifier(*table)), f"lost on the way back: {table}"
    cli.ok("uninstall")
    assert database.schema_dump() == before
    assert json.loads(cli.ok("status", "--json").out)["installed"] is False
