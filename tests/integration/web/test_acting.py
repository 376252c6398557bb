"""Acting from the page: in whose name, past which guards, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import LEGACY
from tests.support.cli import Cli
from tests.support.database import Database, Databases
from tests.support.page import ANN, BOB, Served, Visitor, approved_plan, served

FLAG = "USE_UNIFIED_CUSTOMERS"


@pytest.fixture
def ann(page: Served) -> Visitor:
    visitor = page.visitor()
    assert visitor.sign_in(ANN).status == 303
    return visitor


def test_nothing_is_changed_without_a_session_a_secret_and_the_right_origin(
    page: Served, ann: Visitor, verified: Database
) -> None:
    nobody = page.visitor()
    kill = {"flag": FLAG, "reason": "x"}
    assert nobody.get("/do/kill", flag=FLAG).headers["location"] == "/session"
    assert nobody.post("/do/kill", **kill, csrf="").status == 403
    assert nobody.sign_in("wrong").status == 403
    assert nobody.sign_in("").status == 403
    assert ann.post("/do/kill", **kill).status == 403
    assert ann.post("/do/kill", **kill, csrf="guessed").status == 403
    secret = _secret(ann)
    for said in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{page.port + 1}"},
    ):
        other = Visitor(page.port, ann.cookie, said)
        assert other.post("/do/kill", **kill, csrf=secret).status == 403
    for host in ("evil.example", f"evil.example:{page.port}", "", "127.0.0.1.evil.example"):
        assert Visitor(page.port, ann.cookie, {"Host": host}).get("/").status == 400
    assert ann.get("/do/kill", flag=FLAG).status == 200  # a GET changes nothing
    assert verified.value("SELECT stage FROM changeover.feature_flags") == "dualwrite"
    assert verified.value("SELECT count(*) FROM changeover.flag_history WHERE kind = 'kill'") == 0
    # Bob's secret is not Ann's.
    bob = page.visitor()
    bob.sign_in(BOB)
    assert ann.post("/do/kill", **kill, csrf=_secret(bob)).status == 403
    assert ann.post("/session/end", csrf=secret).status == 303
    assert ann.post("/do/kill", **kill, csrf=secret).status == 403


def _secret(visitor: Visitor) -> str:
    return visitor.get("/").text.partition('name="csrf" value="')[2].partition('"')[0]


def test_the_cookie_is_for_this_site_and_no_script(page: Served, verified: Database) -> None:
    said = page.visitor().sign_in(ANN).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in said.split(";")}
    with served(verified, https=True, hosts=["co.example"]) as secure:
        visitor = secure.visitor()
        assert "Secure" in visitor.sign_in(ANN).headers["set-cookie"]
        visitor.said = {"Host": "co.example"}
        assert "strict-transport-security" in visitor.get("/").headers


def test_without_open_reading_nobody_looks_before_signing_in(verified: Database) -> None:
    with served(verified, open_reading=False) as page:
        nobody = page.visitor()
        for path in ("/", "/rejects", "/plan?plan=example"):
            assert nobody.get(path).headers["location"] == "/session"
            assert nobody.get(f"/live{path}").status == 204
        assert nobody.get("/nothing").status == 404
        nobody.sign_in(ANN)
        assert nobody.get("/rejects").status == 200


def test_a_flag_moves_in_the_name_of_who_has_signed_in(ann: Visitor, verified: Database) -> None:
    done = ann.do("promote", {"reason": "first look"}, flag=FLAG, version=2)
    assert f"{FLAG} is shadow, 100 %." in done.text
    asked = ann.do("promote", {"reason": "go"}, flag=FLAG, version=3)
    assert asked.status == 409
    assert "This moves readers of a production database." in asked.text
    assert "shadow 100 % -&gt; live 1 %" in asked.text
    assert verified.value("SELECT stage FROM changeover.feature_flags") == "shadow"
    assert "is live, 1 %" in ann.do("promote", {"confirmed": "yes"}, flag=FLAG, version=3).text
    stale = ann.do("promote", {"confirmed": "yes"}, flag=FLAG, version=3)
    assert stale.status == 409
    assert "version 3 was expected" in stale.text
    assert "everybody reads the old tables" in ann.do("kill", {"reason": "<b>p99</b>"}, flag=FLAG).text
    held = ann.do("promote", {}, flag=FLAG, version=verified.value("SELECT version FROM changeover.feature_flags"))
    assert "it is held" in held.text
    rows = verified.rows("SELECT actor, reason FROM changeover.flag_history ORDER BY id DESC LIMIT 1")
    assert rows == [("ann", "<b>p99</b>")]
    assert "&lt;b&gt;p99" in ann.get("/flag", flag=FLAG).text


def test_a_second_person_agrees(page: Served, ann: Visitor, verified: Database) -> None:
    cli = Cli(verified.dsn)
    cli.ok("flag", "set", FLAG, "--stage", "shadow")
    cli.ok("flag", "set", FLAG, "--second-person")
    version = cli("flag", "get", FLAG, "--json").json["version"]
    proposed = ann.do("promote", {"confirmed": "yes"}, flag=FLAG, version=version)
    assert "ann has proposed it" in proposed.text
    assert ann.do("agree", {"confirmed": "yes"}, flag=FLAG).status == 409
    bob = page.visitor()
    bob.sign_in(BOB)
    assert "Agree" in bob.get("/flag", flag=FLAG).text
    assert "is live, 1 %" in bob.do("agree", {"confirmed": "yes"}, flag=FLAG).text
    assert cli("flag", "history", FLAG, "--json").json[-1]["proposed_by"] == "ann"


def test_a_job_is_paused_and_throttled_by_name(ann: Visitor, verified: Database) -> None:
    assert "will begin paused" in ann.do("pause", {"reason": "month-end"}, plan="example").text
    assert "paused by ann: month-end" in ann.get("/plan", plan="example").text or "gate" in ann.get("/").text
    row = "SELECT request, changed_by, reason FROM changeover.control"
    assert verified.rows(row) == [("pause", "ann", "month-end")]
    assert (
        "next job will take it in"
        in ann.do("throttle", {"changes": "rest=3  limit.replica_lag_seconds=5"}, plan="example").text
    )
    assert verified.value("SELECT settings ->> 'rest' FROM changeover.control") == "3.0"
    for changes, words in (("", "nothing to set"), ("rest=fast", "rest"), ("nonsense=1", "nonsense")):
        wrong = ann.do("throttle", {"changes": changes}, plan="example")
        assert (wrong.status, words in wrong.text) == (409, True)
    ann.do("resume", {}, plan="example")
    assert verified.rows(row)[0][:2] == ("run", "ann")
    assert ann.do("pause", {}, plan="nothing").status == 409


def test_rejects_are_replayed_and_waived(ann: Visitor, verified: Database) -> None:
    first = verified.value("SELECT min(id) FROM changeover.reject")
    assert "1 replayed: 0 migrated, 1 still rejected" in ann.do("replay", {}, id=first).text
    assert ann.do("waive", {}, id=first).status == 409  # for no reason
    assert "1 reject waived by ann" in ann.do("waive", {"reason": "test data"}, id=first).text
    everything = ann.post("/do/waive", csrf=_secret(ann), reason="all of them")
    assert everything.status == 409
    assert "No rejects were chosen" in everything.text
    assert verified.rows("SELECT waived_by, waived_reason FROM changeover.reject WHERE state = 'waived'") == [
        ("ann", "test data")
    ]


def test_a_gate_of_a_plan_in_a_folder_is_approved(databases: Databases, tmp_path: Path) -> None:
    database = databases.create()
    database.run(LEGACY.read_text())
    cli, folder = Cli(database.dsn), approved_plan(tmp_path / "plan")
    cli.ok("init")
    cli.ok("start", folder, "--until", "verify")
    with served(database, folders={"shops": folder}) as page:
        ann = page.visitor()
        ann.sign_in(ANN)
        text = ann.get("/plan", plan="shops").text
        assert "0 of 1 approval" in text
        done = ann.do("approve", {"reason": "reports agree"}, plan="shops", stage="customers", gate="approval")
        assert "Gate approval of stage customers is approved by ann." in done.text
        assert "1 of 1 approval" in done.text
        (given,) = cli("gate", "explain", folder, "approval", "--json").json[0]["approvals"]
        assert (given["approved_by"], given["reason"]) == ("ann", "reports agree")
        gone = ann.do("revoke", {"reason": "not yet"}, plan="shops", stage="customers", gate="approval")
        assert "0 of 1 approval" in gone.text
