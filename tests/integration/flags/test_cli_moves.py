"""`flag promote`, `demote`, `kill`, `rules` from the command line."""

from __future__ import annotations

import psycopg
import pytest

from flags import store
from flags.stages import Stage
from tests.integration.flags.conftest import FLAG
from tests.support.cli import Cli, Done, spawn
from tests.support.database import Database


def test_the_whole_way_up_and_back(installed: Database, verified: store.Flag, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = Cli(installed.dsn)
    refused = cli("flag", "promote", FLAG, "--to", "live", "--json")
    assert (refused.code, refused.error["todo"]) == (2, "Add --yes if it is meant.")
    seen = []
    for _ in range(7):
        moved = cli.ok("flag", "promote", FLAG, "--yes", "--reason", "no mismatch", "--json").json
        seen.append((moved["stage"], moved["rollout"]))
    steps = [("live", share) for share in (1, 10, 50, 100)]
    assert seen == [("shadow", 100), *steps, ("rampdown", 100), ("complete", 100)]
    assert cli("flag", "promote", FLAG, "--yes").code == 2
    stale = cli(
        "flag", "promote", FLAG, "--rollout", "50", "--expect-version", str(verified.version), "--yes", "--json"
    )
    assert stale.code == 5
    assert cli.ok("flag", "demote", FLAG, "--to", "live", "--json").json["rollout"] == 100
    assert cli.ok("flag", "demote", FLAG, "--json").json["stage"] == "shadow"
    killed = cli.ok("flag", "kill", FLAG, "--reason", "p99 doubled", "--json").json
    assert killed["stage"] == Stage.DUALWRITE
    assert cli("flag", "promote", FLAG, "--yes").code == 5
    assert cli.ok("flag", "promote", FLAG, "--yes", "--release", "--json").json["hold"] is None
    monkeypatch.setenv("USE_UNIFIED_AUDITS", "true")
    assert "live (environment)" in cli.ok("flag", "list").out


def test_rules(installed: Database, verified: store.Flag) -> None:
    cli = Cli(installed.dsn)
    rules = '[{"name": "pilots", "if": {"tenant": ["acme"]}}]'
    cli.ok("flag", "rules", FLAG, rules)
    assert cli.ok("flag", "rules", FLAG).json == [{"name": "pilots", "if": {"tenant": ["acme"]}}]
    assert cli("flag", "rules", FLAG, "nonsense").code == 2
    assert cli("flag", "rules", FLAG, "@/no/such/file").code == 2
    assert verified.rules == []


def test_a_second_person_agrees(installed: Database, verified: store.Flag, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = Cli(installed.dsn)

    def as_(name: str, *arguments: str) -> Done:
        monkeypatch.setenv("CHANGEOVER_ACTOR", name)
        return cli("flag", *arguments, "--json")

    assert as_("ann", "set", FLAG, "--second-person").json["second_person"] is True
    assert as_("ann", "promote", FLAG, "--yes").json["stage"] == "shadow"
    assert as_("ann", "approve", FLAG).code == 2
    refused = as_("ann", "set", FLAG, "--stage", "live", "--rollout", "1", "--one-person", "--yes")
    assert (refused.code, refused.error["todo"]) == (3, f"Somebody else agrees with `changeover flag approve {FLAG}`.")
    assert as_("ann", "promote", FLAG, "--yes", "--reason", "a clean day").code == 3
    assert as_("ann", "get", FLAG).json["proposal"]["proposed_by"] == "ann"
    assert "ann proposes live, 1 %" in cli("flag", "get", FLAG).err
    assert as_("ann", "approve", FLAG, "--yes").code == 3
    assert as_("bob", "approve", FLAG).error["todo"] == "Add --yes if it is meant."
    moved = as_("bob", "approve", FLAG, "--yes", "--reason", "seen it").json
    assert (moved["stage"], moved["rollout"], moved["updated_by"]) == ("live", 1, "bob")
    assert as_("bob", "approve", FLAG, "--yes").code == 2
    assert as_("bob", "demote", FLAG).json["stage"] == "shadow"
    assert [e["reason"] for e in as_("ann", "history", FLAG).json].count("second person on") == 1
    last, back = as_("ann", "history", FLAG).json[-2:]
    assert (last["actor"], last["proposed_by"], last["reason"]) == ("bob", "ann", "a clean day; seen it")
    assert back["proposed_by"] is None
    assert verified.second_person is False


def test_limits_are_changed_in_somebodys_name(
    installed: Database, conn: psycopg.Connection, verified: store.Flag, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANGEOVER_ACTOR", "ann")
    cli = Cli(installed.dsn)
    assert cli.ok("flag", "guard", FLAG).json["enabled"] is True
    for name, wrong in {"least": "0", "window": "0", "mismatches": "-1", "errors": "2", "slower": "0"}.items():
        assert cli("flag", "guard", FLAG, f"--{name}", wrong).code == 2
    assert cli.ok("flag", "guard", FLAG, "--off", "--slower", "2").json["slower"] == 2
    events = "SELECT actor, plan, detail FROM changeover.event WHERE kind = 'flag.limits'"
    assert conn.execute(events).fetchall() == [("ann", "cqms", {"flag": FLAG, "enabled": False, "slower": 2.0})]
    assert verified.plan


def test_production_is_asked_about_by_every_command_that_lets_readers_in(
    installed: Database, verified: store.Flag
) -> None:
    cli = Cli(installed.dsn)
    cli.ok("flag", "set", FLAG, "--stage", "shadow")
    for refused in (
        cli("flag", "promote", FLAG, "--json"),
        cli("flag", "set", FLAG, "--enabled", "--json"),
        cli("flag", "set", FLAG, "--stage", "live", "--rollout", "1", "--json"),
    ):
        assert refused.error["todo"] == "Add --yes if it is meant."
    cli.ok("flag", "set", FLAG, "--stage", "live", "--rollout", "1", "--yes")
    assert cli("flag", "rules", FLAG, '[{"if": {"tenant": "acme"}}]').code == 2
    cli.ok("flag", "set", FLAG, "--rollout", "0")
    cli.ok("flag", "set", FLAG, "--disabled")
    assert verified.stage == "dualwrite"


def test_the_shell_completes_the_flags_there_are(installed: Database, verified: store.Flag) -> None:
    env = {"_CHANGEOVER_COMPLETE": "complete_bash", "COMP_WORDS": "changeover flag kill USE", "COMP_CWORD": "3"}
    for dsn, found in ((installed.dsn, [FLAG]), ("host=/no/such/place", [])):
        process = spawn(dsn, env=env)
        assert process.communicate(timeout=60)[0].split() == found
    assert verified.plan
