"""A plan is started and rolled back from the page: in whose name, past which guards, and what must be read before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.ledger import leases
from orchestrator.ledger.store import Ledger
from tests.integration.cli.conftest import LEGACY
from tests.support.cli import Cli
from tests.support.database import Database, Databases
from tests.support.page import ANN, Served, Visitor, approved_plan, served, streamed
from tests.support.running import eventually

VERIFIED = "SELECT count(*) FROM changeover.phase WHERE phase = 'verify' AND state = 'done'"
STARTED = "SELECT DISTINCT actor FROM changeover.event WHERE kind LIKE 'phase.%'"


def _legacy(database: Database) -> None:
    database.run(LEGACY.read_text())
    Cli(database.dsn).ok("init")


@pytest.fixture
def installed(databases: Databases) -> Database:
    """The example's old schema and the ledger; nothing was run."""
    return databases.clone("shops-installed", _legacy)


@pytest.fixture
def shops(installed: Database, tmp_path: Path) -> Iterator[Served]:
    """The page, which was told of a plan of one's own."""
    with served(installed, folders={"shops": approved_plan(tmp_path / "plan")}) as serving:
        yield serving


@pytest.fixture
def ann(shops: Served) -> Visitor:
    return _ann(shops)


def _ann(page: Served) -> Visitor:
    visitor = page.visitor()
    assert visitor.sign_in(ANN).status == 303
    return visitor


def test_a_plan_without_a_run_is_started_and_taken_back_in_the_persons_name(
    shops: Served, ann: Visitor, installed: Database
) -> None:
    assert "/do/start?plan=shops" not in shops.visitor().get("/").text
    assert "/do/start?plan=shops" in ann.get("/").text
    assert ann.do("start", {"until": "verify"}, plan="shops").status == 200
    eventually(lambda: installed.value(VERIFIED) == 1)
    assert installed.rows(STARTED) == [("ann",)]
    # What goes is named, and nothing goes unread.
    form = ann.get("/do/rollback", plan="shops").text
    for words in ("takes back verify, backfill, dual-write, expand of customers", "public.customers", "schema archive"):
        assert words in form, words
    unread = ann.do("rollback", {"reason": "too early", "to_phase": "", "stage": ""}, plan="shops")
    assert unread.status == 409
    assert "Tick the box" in unread.text
    ticked = {"reason": "too early", "stage": "", "confirmed": "yes"}
    other = ann.do("rollback", {**ticked, "to_phase": "expand"}, plan="shops")
    assert other.status == 409
    assert "not what you have read" in other.text
    assert "takes back verify, backfill, dual-write of customers." in other.text
    assert "Dropped" not in other.text
    assert installed.value("SELECT state FROM changeover.run") == "active"
    assert ann.do("rollback", {**ticked, "to_phase": ""}, plan="shops").status == 200
    eventually(lambda: installed.value("SELECT state FROM changeover.run") == "rolled_back")
    assert installed.rows("SELECT actor, detail->>'reason' FROM changeover.event WHERE kind = 'rollback.begun'") == [
        ("ann", "too early")
    ]
    nothing = ann.do("rollback", {**ticked, "to_phase": ""}, plan="shops")
    assert "left to take back" in nothing.text


def test_a_plan_that_has_only_begun_is_shown_as_soon_as_it_has_a_run(
    shops: Served, installed: Database, tmp_path: Path
) -> None:
    """However slowly its process starts, who has begun it stays on a page that follows."""
    visitor = shops.visitor()
    before = visitor.get("/plan", plan="shops")
    assert (before.status, "No run yet." in before.text, 'data-live="/live/plan?plan=shops"' in before.text) == (
        200,
        True,
        True,
    )
    assert "No run yet." in streamed(shops.port, "/live/plan?plan=shops")
    assert visitor.get("/plan", plan="nothing").status == 404
    Cli(installed.dsn).ok("start", str(tmp_path / "plan"), "--until", "expand")
    eventually(lambda: "No run yet." not in visitor.get("/plan", plan="shops").text)


def test_contract_must_be_read_and_its_gates_hold(ann: Visitor, installed: Database) -> None:
    unread = ann.do("start", {"until": "contract", "stage": "", "kind": "rehearsal"}, plan="shops")
    assert unread.status == 409
    assert "old tables of customers to schema archive" in unread.text
    assert installed.value("SELECT count(*) FROM changeover.run") == 0
    assert ann.post("/do/start", **_fields(unread.text), until="contract", confirmed="yes").status in {303, 409}
    eventually(lambda: installed.value("SELECT count(*) FROM changeover.phase WHERE state = 'done'") == 4)
    assert installed.value("SELECT to_regclass('archive.customers_old')") is None


@pytest.mark.parametrize(
    ("plan", "fields", "words"),
    [
        ("--dsn=x", {}, "does not know where plan"),
        ("../../etc", {}, "does not know where plan"),
        ("shops", {"stage": "nobody"}, "nobody"),
        ("shops", {"until": "--yes"}, "There is no phase"),
        ("shops", {"kind": "--force"}, "There is no kind"),
    ],
)
def test_what_is_no_name_never_becomes_a_command(
    ann: Visitor, installed: Database, plan: str, fields: dict[str, str], words: str
) -> None:
    secret = _fields(ann.get("/do/start", plan="shops").text)["csrf"]
    answer = ann.post("/do/start", csrf=secret, plan=plan, **{"until": "expand", **fields})
    assert answer.status == 409
    assert words in answer.text
    assert installed.value("SELECT count(*) FROM changeover.run") == 0


def test_what_is_refused_is_told_to_who_asked(ann: Visitor, installed: Database) -> None:
    """On the form, or as a note where it took longer than one waits for a form."""
    leases.acquire(Ledger(installed.connect(), "bob"), "shops", "bob pid 7 on somewhere")
    answer = ann.do("start", {"until": "expand", "stage": "", "kind": ""}, plan="shops")
    told = "bob pid 7 on somewhere" in answer.text
    assert told == (answer.status == 409)
    eventually(lambda: told or "bob pid 7 on somewhere" in ann.get("/").text)


def test_a_page_without_jobs_begins_none(installed: Database, tmp_path: Path) -> None:
    with served(installed, folders={"shops": approved_plan(tmp_path / "plan")}, jobs=False) as page:
        visitor = _ann(page)
        assert "/do/start" not in visitor.get("/").text
        assert visitor.get("/do/start", plan="shops").status == 404


def test_nobody_starts_without_a_session(shops: Served, installed: Database) -> None:
    nobody = shops.visitor()
    assert nobody.get("/do/start", plan="shops").headers["location"] == "/session"
    assert nobody.post("/do/start", plan="shops", until="expand", csrf="").status == 403
    assert installed.value("SELECT count(*) FROM changeover.run") == 0


def _fields(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
