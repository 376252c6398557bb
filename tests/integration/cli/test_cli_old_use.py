"""The last gate of `retire`: nobody reads or writes the old tables any more; our own looks and the mirrors are no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.engine.contract.usage import OldUse
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.running import counted

PLAN = """\
plan: hats
version: 1
stages:
  - stage: hats
    expand: [new.sql]
    mappings:
      - unify: public.hat
        sources: [public.old_hat]
        key: {column: id}
        originals: originals
        types: {size: text}
        columns: {size: upper(s.size)}
        reverse: {size: t.size}
    contract: {keep_days: 0, quiet_hours: 1, gates: {flag: none}}
"""
LATER = "UPDATE changeover.old_use SET quiet_since = quiet_since - interval '61 minutes', since = since - interval '61 minutes'"


@pytest.fixture
def hats(database: Database, tmp_path: Path) -> tuple[Cli, str]:
    """Contracted, in production; a client that was there before is connected still."""
    database.run("CREATE TABLE public.old_hat (id integer PRIMARY KEY, size text)")
    database.run("INSERT INTO public.old_hat SELECT g, 'm' FROM generate_series(1, 300) g")
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "new.sql").write_text("CREATE TABLE public.hat (id integer PRIMARY KEY, size text, originals jsonb);")
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", str(tmp_path))
    return cli, str(tmp_path)


def speaks_against(cli: Cli, plan: str) -> list[str]:
    found = cli.ok("retire", plan, "--dry-run", "--json").json["unmet"]
    assert isinstance(found, list)
    return found


def test_use_is_seen_and_our_own_is_not(hats: tuple[Cli, str], database: Database) -> None:
    cli, plan = hats
    (words,) = speaks_against(cli, plan)
    assert "public.old_hat has been left alone for 0.0 of 1 hours" in words
    database.run(LATER)
    for _ in range(2):
        cli.ok("verify", "--plan", plan)
    cli.ok("drain")
    counted(database)
    assert speaks_against(cli, plan) == []
    # The new application: its mirror writes the old table.
    database.run("UPDATE public.hat SET size = 'L' WHERE id <= 40")
    counted(database)
    assert speaks_against(cli, plan) == []
    for _ in range(3):
        database.run("SELECT * FROM public.old_hat")
    counted(database)
    (words,) = speaks_against(cli, plan)
    assert "3 reads, 0 writes and no write of a new table" in words
    assert cli("retire", plan, "--yes").code == 3
    database.run(LATER)
    assert speaks_against(cli, plan) == []
    assert cli.ok("retire", plan, "--yes", "--json").json["done"] is True


def test_who_is_at_it_or_has_never_left_is_named(hats: tuple[Cli, str], database: Database) -> None:
    cli, plan = hats
    database.run(LATER)
    with database.connect("app") as old:
        pid = old.info.backend_pid
        database.run("UPDATE changeover.old_use SET since = clock_timestamp()")
        assert (
            speaks_against(cli, plan) == []
        )  # it came before, and is another role's: hidden, and not among those of then
        database.run(f"UPDATE changeover.old_use SET pids = ARRAY[{pid}]")
        # Ours are left out by their name, which this one has from the test's helper.
        old.execute("SET application_name = 'till'")
        (words,) = speaks_against(cli, plan)
        assert f"1 connection from before the switch: till (pid {pid})" in words
    with database.connect("owner", autocommit=False) as reader:
        reader.execute("SELECT count(*) FROM public.old_hat")
        assert any(f"pid {reader.info.backend_pid}" in words for words in speaks_against(cli, plan))


def test_rollback_forgets_what_was_seen(hats: tuple[Cli, str], database: Database) -> None:
    cli, plan = hats
    assert database.value("SELECT count(*) FROM changeover.old_use") == 1
    cli.ok("rollback", "--plan", plan, "--to", "verify")
    assert database.value("SELECT count(*) FROM changeover.old_use") == 0


@pytest.mark.parametrize(
    ("reads", "writes", "new", "used"),
    [
        (0, 0, 0, ""),
        (1, 0, 0, "1 read, 0 writes and no write of a new table"),
        (0, 2, 0, "0 reads, 2 writes and no write of a new table"),
        (10, 2, 1, ""),
        (11, 1, 1, "11 reads, 1 write, 1 write of the new tables"),
        (-1, 0, 0, "the server's counters were reset"),
    ],
)
def test_what_counters_say(reads: int, writes: int, new: int, used: str) -> None:
    found = OldUse(1, "p", "t", 100 + reads, 100 + writes, 100 + new, 100, 100, 100, 3.0, None, None, [])
    assert found.used == used
