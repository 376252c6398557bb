"""The time of a phase in `status` is that of the work at it, also where it lay for days in between."""

from __future__ import annotations

import pytest

from orchestrator.kernel import failpoints
from tests.support.cli import Cli
from tests.support.database import Database


def _seconds(cli: Cli) -> float:
    (plan,) = cli.ok("status", "--json").json["plans"]
    return float(plan["stages"][0]["phases"]["backfill"]["seconds"])


def test_idle_days_are_not_work(shops: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "dual-write")
    with monkeypatch.context() as patched:
        patched.setenv(failpoints.VARIABLE, "engine.action.executed=raise")
        assert cli("start", "example", "--until", "backfill").code != 0
    first = _seconds(cli)
    assert first > 0
    shops.run(
        "UPDATE changeover.phase SET started_at = started_at - interval '3 days', ended_at = ended_at - interval '3 days'"
    )
    cli.ok("start", "example", "--until", "backfill")
    assert first < _seconds(cli) < 3600
    cli.ok("rollback", "--yes", "--plan", "example", "--to", "dual-write")
    shown = cli.ok("status").out
    assert "backfill rolled_back" in shown.replace("rolled back", "rolled_back")
    assert "days" not in shown
