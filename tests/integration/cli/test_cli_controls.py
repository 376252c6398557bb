"""Controls: roles and people by name, a backup that is not too old; one person is not two roles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from orchestrator.engine.gates.controls import Said, decide
from orchestrator.ledger.approvals import Approval
from orchestrator.ledger.rehearsals import Rehearsal
from orchestrator.plan.controls import Control
from tests.support.cli import Cli, Done
from tests.support.database import Database

PLAN = """\
plan: coats
version: 1
stages:
  - stage: coats
    expand: [new.sql]
    mappings:
      - unify: public.coat
        sources: [public.old_coat]
        key: {column: id}
        originals: originals
        types: {size: text}
        columns: {size: upper(s.size)}
        reverse: {size: t.size}
    controls:
      - {control: compared, title: Both have compared, roles: {it: [], business: [Cleo, dan]}}
      - {control: backup, backup: 24h}
      - {control: informed, people: 2, critical: false}
    contract: {keep_days: 0, gates: {flag: none}}
"""
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def plan(database: Database, tmp_path: Path) -> str:
    database.run("CREATE TABLE public.old_coat (id integer PRIMARY KEY, size text)")
    database.run("INSERT INTO public.old_coat VALUES (1, 'm'), (2, 'XL')")
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "new.sql").write_text("CREATE TABLE public.coat (id integer PRIMARY KEY, size text, originals jsonb);")
    return str(tmp_path)


def said(database: Database, monkeypatch: pytest.MonkeyPatch, who: str, *arguments: str) -> Done:
    with monkeypatch.context() as patch:
        patch.setenv("CHANGEOVER_ACTOR", who)
        return Cli(database.dsn)("gate", *arguments, "--reason", "looked", "--json")


def test_contract_waits_for_every_role_by_another_person(
    database: Database, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = Cli(database.dsn)
    cli.ok("init")
    assert said(database, monkeypatch, "ann", "approve", plan, "compared", "--as", "it").code == 5, "no run"
    cli.ok("start", plan, "--until", "verify")
    done = cli("start", plan, "--json")
    assert done.code == 3
    assert "gate compared is not met: it: 0 of 1 approval; business: 0 of 1 approval" in done.error["what"]
    assert "gate backup is not met" in done.error["what"]
    assert "informed" not in done.error["what"]

    def approve(who: str, *arguments: str) -> int:
        return said(database, monkeypatch, who, "approve", plan, *arguments).code

    assert approve("ann", "compared") == 2, "as whom?"
    assert approve("ann", "compared", "--as", "qa") == 2
    assert approve("ann", "nothing") == 2
    assert approve("ann", "compared", "--as", "business") == 5, "only Cleo and dan"
    assert approve("dan", "compared", "--as", "it") == 0
    assert approve(" DAN", "compared", "--as", "business") == 5, "he answers as it"
    assert approve("cleo", "compared", "--as", "business") == 0
    assert approve("dan", "backup") == 0
    states = {each["gate"]: each["met"] for each in cli.ok("gate", "list", plan, "--json").json}
    assert states == {"verified": True, "rejects": True, "compared": True, "backup": True, "informed": False}
    assert "unmet, not critical" in cli.ok("gate", "list", plan).out
    database.run(
        "UPDATE changeover.approval SET created_at = created_at - interval '25 hours' WHERE control = 'backup'"
    )
    done = cli("start", plan, "--json")
    assert done.code == 3
    assert "it is 25.0 hours old, and 24.0 is the most" in done.error["what"]
    assert "gate approve" in done.error["todo"]
    assert said(database, monkeypatch, "dan", "revoke", plan, "compared").json["revoked"] is True
    assert approve("dan", "backup") == 0
    assert cli("start", plan).code == 3
    assert approve("eve", "compared", "--as", "it") == 0
    told = cli.ok("gate", "explain", plan, "compared").out
    assert "Both have compared" in told
    assert "revoked dan" in told
    assert "approved eve as it: looked" in told
    assert cli("gate", "explain", plan, "compare").code == 2
    cli.ok("start", plan)
    assert database.value("SELECT relkind::text FROM pg_class WHERE oid = 'public.old_coat'::regclass") == "v"


@pytest.fixture
def given() -> Approval:
    return Approval(1, "s", "c", "ann", "it", "sum", "looked", NOW - timedelta(hours=1))


def facts(*approvals: Approval, rehearsal: Rehearsal | None = None) -> Said:
    same = rehearsal if rehearsal is not None and rehearsal.checksum == "sum" else None
    return Said("p", "s", "sum", NOW, approvals, rehearsal, same)


def test_what_does_not_count_says_why(given: Approval) -> None:
    both = Control(control="c", roles=["it", "business"])
    assert not decide(both, facts()).met
    assert decide(both, facts(given, replace(given, approved_by="ben", role="business"))).met
    older = replace(given, approved_by="ben", role="business", checksum="another")
    found = decide(both, facts(given, older))
    assert not found.met
    assert "it is of another version of the plan (checksum another)" in found.words
    # Written by hand: the same person, in another control and under another spelling.
    first = replace(given, control="d", approved_by="Ann ", role="business", created_at=NOW - timedelta(days=1))
    found = decide(both, facts(first, given, replace(given, approved_by="ben", role="business")))
    assert not found.met
    assert "ann answers as business already" in found.words
    named = Control(control="c", roles={"it": ["ben", "cleo"]}, people=2)
    assert "the plan does not name ann for it" in decide(named, facts(given)).words
    assert "2 approvals" in decide(named, facts(replace(given, approved_by="BEN"))).words
    assert decide(Control(control="c", critical=False), facts()).critical is False


def test_a_rehearsal_is_measured(given: Approval) -> None:
    control = Control.model_validate({"control": "c", "rehearsed": {"within_days": 7}})
    made = Rehearsal(1, "p", "sum", NOW - timedelta(days=3), "ann", NOW, {})
    assert "no rehearsal" in decide(control, facts(given)).words
    assert decide(control, facts(rehearsal=made)).words == "rehearsed 3.0 days ago, at most 7 are allowed"
    assert decide(control, facts(rehearsal=made)).met
    assert not decide(control, facts(rehearsal=replace(made, rehearsed_at=NOW - timedelta(days=8)))).met
    assert (
        "the last one is of checksum other" in decide(control, facts(rehearsal=replace(made, checksum="other"))).words
    )
    anyone = Control.model_validate({"control": "c", "rehearsed": {"same_checksum": False}})
    assert decide(anyone, facts(rehearsal=replace(made, checksum="other"))).met
    failed = replace(made, document={"problems": ["3 differences"]})
    assert "it ended with 3 differences" in decide(control, facts(rehearsal=failed)).words


@pytest.mark.parametrize(
    "wrong",
    [
        {"backup": "a day"},
        {"backup": "24h", "rehearsed": {}},
        {"roles": {"it": ["ann"]}, "people": 2},
        {"control": "soak"},
        {"people": 0},
    ],
)
def test_what_a_control_cannot_say_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Control.model_validate({"control": "c", **wrong})
