from __future__ import annotations

import io

import pytest

from tests.support.cli import Cli
from tests.support.database import Database


def test_init_may_be_repeated_and_uninstall_leaves_nothing(database: Database) -> None:
    cli = Cli(database.dsn)
    before = database.schema_dump()
    assert cli.ok("init", "--json").json == {"installed": True}
    assert cli.ok("init", "--json").json == {"installed": False}
    assert cli.ok("uninstall", "--json").json == {"removed": True}
    assert cli.ok("uninstall", "--json").json == {"removed": False}
    assert database.schema_dump() == before


class _Person(io.StringIO):
    """Somebody who sits at a terminal and answers."""

    def isatty(self) -> bool:
        return True


def test_uninstall_asks_somebody_who_sits_there(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = Cli(database.dsn)
    cli.ok("init")
    monkeypatch.setattr("sys.stdin", _Person("n\n"))
    kept = cli("uninstall")
    assert kept.code == 2
    assert "flags, rejects and history" in kept.err
    assert "Not confirmed" in kept.err
    assert cli.ok("uninstall", "--yes", "--json").json == {"removed": True}


def test_uninstall_refuses_while_mirrors_are_on(cli: Cli) -> None:
    done = cli("uninstall", "--json")
    assert done.code == 5
    assert done.out == ""
    assert "in use" in done.error["what"]
    assert cli.ok("uninstall", "--force").code == 0
    assert cli.ok("status", "--json").json == {"installed": False, "plans": []}


def test_prune_counts_and_deletes(database: Database) -> None:
    cli = Cli(database.dsn)
    assert cli("prune").code == 5, "there is no ledger"
    cli.ok("init")
    database.run("INSERT INTO changeover.event (at, plan, kind) VALUES (now() - interval '9 days', 'p', 'x')")
    assert "1 row would go" in cli.ok("prune", "--older-than", "7", "--dry-run").out
    assert set(cli.ok("prune", "--older-than", "10", "--json").json["rows"].values()) == {0}
    assert cli.ok("prune", "--older-than", "7", "--json").json["rows"]["event"] == 1
    assert set(cli.ok("prune", "--older-than", "7", "--dry-run", "--json").json["rows"].values()) == {0}
    assert cli("prune", "--older-than", "0").code == 2
    assert "ledger.pruned" in cli.ok("history").out


def test_a_ledger_of_a_newer_program_is_left_alone(verified: Database) -> None:
    verified.run("UPDATE changeover.meta SET version = version + 1")
    before = verified.schema_dump()
    cli = Cli(verified.dsn)
    for command in (
        ("init",),
        ("status",),
        ("start", "example"),
        ("verify", "--plan", "example", "--repair"),
        ("rejects", "replay", "--all"),
        ("plan", "check", "example"),
        ("rollback", "--plan", "example"),
        ("uninstall",),
    ):
        done = cli(*command)
        assert (done.code, "this program knows" in done.err) == (5, True), (command, done.err)
    assert verified.schema_dump() == before


def test_a_ledger_of_another_version_is_told_by_what_to_do(verified: Database) -> None:
    """An older ledger lacks columns that this program asks for; `init` brings them."""
    cli = Cli(verified.dsn)
    verified.run(
        "UPDATE changeover.meta SET checksum = 'of an earlier day'; ALTER TABLE changeover.action DROP COLUMN role"
    )
    refused = cli("rollback", "--plan", "example")
    assert refused.code != 0
    assert "run `changeover init` once" in " ".join(refused.err.split())
