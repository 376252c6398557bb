"""`flag promote`, `demote`, `kill`, `rules` from the command line."""

from __future__ import annotations

import pytest

from flags import store
from flags.stages import Stage
from tests.integration.flags.conftest import FLAG
from tests.support.cli import Cli
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
    assert verified.rules == []
