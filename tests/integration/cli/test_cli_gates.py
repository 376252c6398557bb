"""The gates of contract look at what waits, and what people have said lasts no longer than the run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import orchestrator
from orchestrator.engine.contract import archiving
from orchestrator.engine.gates.gates import Facts, decide
from orchestrator.ledger.runs import Run
from orchestrator.plan.controls import Control
from orchestrator.plan.model import Contract, Gates, Stage
from tests.support.cli import Cli
from tests.support.database import Database

EXAMPLE = Path(orchestrator.__file__).parent / "plans" / "example"
FLAG = "USE_UNIFIED_CUSTOMERS"
BAD = "INSERT INTO public.customers_old (id, mail, name) VALUES ({}, NULL, 'nobody')"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The example, whose contract wants an approval and no flag."""
    folder = tmp_path / "shops"
    shutil.copytree(EXAMPLE, folder)
    text = (folder / "plan.yaml").read_text().replace("plan: example", "plan: shops")
    text = text.replace("keep_days: 90", "keep_days: 90, gates: {flag: none, approvals: 1}")
    (folder / "plan.yaml").write_text(text)
    return folder


def kind_of(database: Database, name: str) -> str:
    return str(database.value(f"SELECT relkind::text FROM pg_class WHERE oid = '{name}'::regclass"))


def stopped(cli: Cli, plan: Path, gate: str) -> None:
    done = cli("start", str(plan), "--json")
    assert done.code == 3, done.err
    assert f"gate {gate}" in done.error["what"]


def test_waivers_by_reason_are_given_listed_and_taken_back(verified: Database, cli: Cli) -> None:
    given = ("rejects", "waive", "--all", "--of-reason", "no_mail", "--from-now-on", "--reason", "agreed")
    assert cli.ok(*given, "--json").json["from_now_on"] is True
    verified.run(BAD.format(901))
    verified.run("UPDATE public.customers_old SET name = 'somebody' WHERE id = 901")
    (waiver,) = cli.ok("rejects", "waivers", "--json").json
    assert (waiver["plan"], waiver["reason"], waiver["waived_reason"]) == ("example", "no_mail", "agreed")
    assert "no_mail" in cli.ok("rejects", "waivers").out
    states = {r["key"]: r["state"] for r in cli.ok("rejects", "list", "--json").json if r["reason"] == "no_mail"}
    assert states["901"] == "waived"
    assert set(states.values()) == {"waived"}
    opened = cli.ok("rejects", "revoke", "--plan", "example", "--of-reason", "no_mail", "--reason", "no", "--json").json
    assert len(opened["opened"]) == len(states)
    verified.run(BAD.format(902))
    found = [r["state"] for r in cli.ok("rejects", "list", "--json").json if r["reason"] == "no_mail"]
    assert set(found) == {"open"}
    assert "No reason" in cli.ok("rejects", "waivers").out
    assert "No waiver" in cli.ok("rejects", "revoke", "--all", "--reason", "again").out


def test_none_to_waive_is_no_error_and_a_reason_is_named(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    assert "No open reject" in cli.ok("rejects", "waive", "--all", "--reason", "in case there are some").out
    assert cli("rejects", "waive", "--all", "--from-now-on", "--reason", "x").code == 2
    assert cli("rejects", "waive", "--all", "--of-reason", "no_mail", "--from-now-on", "--reason", "x").code == 5
    assert cli("rejects", "revoke", "--reason", "x").code == 2


def test_an_approval_belongs_to_a_run_and_a_version(shops: Database, plan: Path) -> None:
    cli, path = Cli(shops.dsn), str(plan)
    approve = ("gate", "approve", path, "approval", "--reason", "compared")
    revoke = ("gate", "revoke", *approve[2:])
    cli.ok("init")
    assert cli(*approve).code == 5, "there is no run"
    cli.ok("start", path, "--until", "verify")
    cli.ok("rejects", "waive", "--all", "--reason", "seen")
    stopped(cli, plan, "approval")
    assert cli("gate", "approve", path, "aproval", "--reason", "x").code == 2
    cli.ok(*approve)
    assert cli.ok(*revoke, "--json").json["revoked"] is True
    assert "there is none" in cli.ok(*revoke).out
    stopped(cli, plan, "approval")
    cli.ok(*approve)
    # A part of the way back is a way back.
    cli.ok("rollback", "--plan", path, "--to", "backfill")
    cli.ok("start", path, "--until", "verify")
    stopped(cli, plan, "rejects")
    cli.ok("rejects", "waive", "--all", "--reason", "seen")
    stopped(cli, plan, "approval")
    cli.ok(*approve)
    cli.ok("rollback", "--plan", path)
    text = (plan / "plan.yaml").read_text()
    (plan / "plan.yaml").write_text(
        text.replace("version: 1", "version: 2").replace("name: s.name", "name: trim(s.name)")
    )
    cli.ok("start", path, "--until", "verify")
    cli.ok("rejects", "waive", "--all", "--reason", "seen")
    stopped(cli, plan, "approval")
    cli.ok(*approve)
    cli.ok("start", path)
    assert kind_of(shops, "public.customers_old") == "v"


def test_a_reject_that_comes_before_the_lock_stops_contract(
    shops: Database, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli, path = Cli(shops.dsn), str(plan)
    cli.ok("init")
    cli.ok("start", path, "--until", "verify")
    cli.ok("rejects", "waive", "--all", "--reason", "seen")
    cli.ok("gate", "approve", path, "approval", "--reason", "compared")
    before = archiving._free_schema  # called when the gates are met and no lock is held

    def meanwhile(*arguments: Any) -> str:
        shops.run(BAD.format(4711))
        monkeypatch.undo()
        return before(*arguments)

    monkeypatch.setattr(archiving, "_free_schema", meanwhile)
    stopped(cli, plan, "rejects")
    assert kind_of(shops, "public.customers_old") == "r"
    cli.ok("rejects", "waive", "--all", "--of-reason", "no_mail", "--from-now-on", "--reason", "agreed")
    shops.run(BAD.format(4712))
    cli.ok("start", path)
    assert kind_of(shops, "public.customers_old") == "v"


def test_a_key_that_waits_is_judged_before_contract(shops: Database, plan: Path) -> None:
    """The mirror could not store the row; only the drain learns that it is a reject."""
    cli, path = Cli(shops.dsn), str(plan)
    rule = "        rejects:\n          no_mail: changeover.fold(s.mail) IS NULL\n"
    text = (plan / "plan.yaml").read_text()
    assert rule in text
    (plan / "plan.yaml").write_text(text.replace(rule, ""))
    cli.ok("init")
    cli.ok("start", path, "--until", "verify")
    cli.ok("rejects", "waive", "--all", "--reason", "seen")
    cli.ok("gate", "approve", path, "approval", "--reason", "compared")
    shops.run(BAD.format(4711))
    stopped(cli, plan, "rejects")
    assert kind_of(shops, "public.customers_old") == "r"
    assert shops.value("SELECT count(*) FROM public.customers_old WHERE id = 4711") == 1


def test_a_gate_that_is_met_has_no_to_do(a_run: Run) -> None:
    stage = Stage(
        stage="s",
        flag=FLAG,
        controls=[Control(control="signed", roles=["it", "business"])],
        contract=Contract(gates=Gates(flag="live", soak_hours=24, approvals=2)),
    )
    nothing = Facts(
        verified=False, verified_at=None, flag=FLAG, flag_stage="dualwrite", open_rejects={"x": 3}, now=a_run.started_at
    )
    unmet = decide(nothing, stage, a_run, a_run.checksum)
    assert [gate.gate for gate in unmet] == ["verified", "flag", "rejects", "soak", "signed", "approval"]
    assert all(not gate.met and gate.todo for gate in unmet)
    rehearsed = decide(nothing, stage, replace(a_run, kind="rehearsal"), a_run.checksum)
    assert [gate.met for gate in rehearsed] == [False, True, True, True, True, True]
    assert all(not gate.todo and "not asked of a rehearsal" in gate.words for gate in rehearsed[1:])


@pytest.fixture
def a_run() -> Run:
    """A run of a plan, for functions that ask nobody else."""
    return Run(1, "p", 1, "abc", "cutover", "active", "ann", datetime.now(UTC), None)
