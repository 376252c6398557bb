"""The databases that the budgets are measured on: migrated, a twin without mirrors, and one after contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

from flags import store as flag_store
from flags.stages import Stage as FlagStage
from orchestrator.engine import commands
from orchestrator.kernel.connections import connect
from orchestrator.kernel.events import Bus

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.demo.databases import Server

OPERATOR: Final = "bench"
_OUR_TRIGGERS: Final = """
SELECT t.tgname, t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND p.pronamespace = 'changeover'::regnamespace AND c.relnamespace <> p.pronamespace
"""


def migrate(dsn: str, plan: str) -> None:
    """Up to verify: mirrored, copied, compared."""
    commands.init(dsn)
    commands.start(dsn, plan, until="verify", bus=Bus(), operator=OPERATOR)
    with connect(dsn) as conn:
        conn.execute("VACUUM (ANALYZE)")


def unmirror(dsn: str) -> None:
    """Drop our triggers from the application's tables, old and new."""
    with connect(dsn) as conn:
        for trigger, table in conn.execute(_OUR_TRIGGERS).fetchall():
            conn.execute(sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(trigger), sql.SQL(table)))


def contract(dsn: str, plan: str, stage: str | None = None) -> None:
    """Meet the gates and take a migrated database, or one of its stages, through contract."""
    with connect(dsn) as conn:
        for (flag,) in conn.execute("SELECT flag FROM changeover.feature_flags").fetchall():
            by = flag_store.By(OPERATOR, "the bench moves the reads")
            for step in (FlagStage.DUALWRITE, FlagStage.SHADOW, FlagStage.LIVE):
                flag_store.set_flag(conn, flag, flag_store.Change(stage=step), by)
    commands.rejects_waive(dsn, reason="the bench", operator=OPERATOR)
    commands.start(dsn, plan, stage=stage, bus=Bus(), operator=OPERATOR)
    with connect(dsn) as conn:
        conn.execute("VACUUM (ANALYZE)")


def twin(server: Server, name: str) -> str:
    """A copy of a migrated database without mirrors; its name."""
    made = f"{name}_plain"
    server.create_database(made, name)
    unmirror(server.owner_dsn(made))
    return made


def contracted(server: Server, name: str, plan: str) -> str:
    """A copy of a migrated database, taken through contract; its name."""
    made = f"{name}_contracted"
    server.create_database(made, name)
    contract(server.owner_dsn(made), plan)
    return made


NARROW_OLD: Final = """
CREATE TABLE public.accounts (id bigint PRIMARY KEY, name text, points integer NOT NULL);
INSERT INTO public.accounts SELECT i, 'account ' || i, i % 1000 FROM generate_series(1, {rows}) AS i;
"""
_NARROW_NEW: Final = """
CREATE TABLE public.members (
    id bigint PRIMARY KEY, name text, cents integer NOT NULL, originals jsonb NOT NULL DEFAULT '{}'
);
"""
_NARROW_PLAN: Final = """
plan: narrow
version: 1
title: A bigint key and one computed column
stages:
  - stage: members
    flag: USE_MEMBERS
    expand: [new.sql]
    mappings:
      - unify: public.members
        discover: sources.sql
        key: {column: id, target: id}
        originals: originals
        types: {name: text, points: integer}
        columns: {name: s.name, cents: s.points * 10}
        reverse: {name: t.name, points: t.cents / 10}
    contract: {keep_days: 0}
"""
_SOURCE: Final = "SELECT 'accounts' AS table_name, 'accounts' AS discriminator, 1 AS rank\n"

_MANY_NEW: Final = """
CREATE TABLE public.everything (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), origin text NOT NULL, name text, extra jsonb NOT NULL DEFAULT '{}',
    originals jsonb NOT NULL DEFAULT '{}'
);
"""
_MANY_PLAN: Final = """
plan: many
version: 1
title: Many small tables
stages:
  - stage: everything
    flag: USE_EVERYTHING
    expand: [new.sql]
    mappings:
      - unify: public.everything
        discover: sources.sql
        key: {column: id}
        discriminator: origin
        originals: originals
        types: {name: text}
        columns: {name: s.name}
        reverse: {name: t.name}
        pack: {rest: extra}
    contract: {keep_days: 0}
"""
_MANY_SOURCES: Final = """
SELECT 'small_' || i AS table_name, 'small_' || i AS discriminator, 1 AS rank FROM generate_series(1, {tables}) AS i ORDER BY i
"""
_MANY_OLD: Final = """
DO $$BEGIN FOR i IN 1..{tables} LOOP
    EXECUTE format('CREATE TABLE public.small_%s (id integer PRIMARY KEY, name text, a text, b integer, c numeric, d date)', i);
    EXECUTE format('INSERT INTO public.small_%s SELECT g, ''n'' || g, ''a'', g, 1.5, ''2024-01-01'' FROM generate_series(1, 20) g', i);
END LOOP; END$$
"""


def narrow(dsn: str, folder: Path, rows: int) -> str:
    """A table with a bigint key and one computed column, and its plan's folder."""
    with connect(dsn) as conn:
        conn.execute(NARROW_OLD.format(rows=rows).encode())
    return _plan(folder / "narrow", _NARROW_PLAN, _NARROW_NEW, _SOURCE)


def many(dsn: str, folder: Path, tables: int) -> str:
    """Many small tables, and their plan's folder."""
    with connect(dsn) as conn:
        conn.execute(_MANY_OLD.format(tables=tables).encode())
    return _plan(folder / "many", _MANY_PLAN, _MANY_NEW, _MANY_SOURCES.format(tables=tables))


def _plan(folder: Path, plan: str, new: str, sources: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "plan.yaml").write_text(plan)
    (folder / "new.sql").write_text(new)
    (folder / "sources.sql").write_text(sources)
    return str(folder)
