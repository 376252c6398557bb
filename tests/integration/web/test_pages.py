"""The page without a browser: what it shows, to whom, and how hostile names look on it."""

from __future__ import annotations

import http.client
import json
import re
from contextlib import ExitStack, closing

import pytest

from orchestrator.kernel.connections import connect
from orchestrator.kernel.words import compared
from orchestrator.web.bounds import Bounds
from orchestrator.web.serving import Wanted
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.page import Served, served, streamed
from tests.support.running import eventually

HOSTILE = "<script>alert('x')</script>\x1b[2J\u202e\"'&{{ 7 * 7 }}"
PATHS = ("/", "/plan?plan=example", "/flags", "/flag?flag=USE_UNIFIED_CUSTOMERS", "/rejects", "/locks", "/history")


def test_every_page_answers_and_lets_a_browser_load_nothing_of_others(page: Served) -> None:
    visitor = page.visitor()
    for path in (*PATHS, "/session", "/rejects?reason=no_mail"):
        answer = visitor.get(path)
        assert answer.status == 200, path
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        for inline in (r"<script(?! src=)", r"\sstyle=", r"\son\w+=", r"<style"):
            assert not re.search(inline, answer.text), (path, inline)
        for address in re.findall(r'(?:src|href)="([^"]*)"', answer.text):
            assert address.startswith(("/", "#")), address
    assert visitor.get("/static/page.css").headers["content-type"].startswith("text/css")
    for path in ("/nothing", "/plan?plan=nothing", "/plan", "/flag?flag=x", "/static/../app.py", "/do/nothing"):
        assert visitor.get(path).status == 404, path
    assert not page.heard


def test_what_is_shown_is_what_the_command_line_says(page: Served, verified: Database) -> None:
    visitor = page.visitor()
    text = visitor.get("/plan", plan="example").text
    status = Cli(verified.dsn)("status", "--plan", "example", "--json").json["plans"][0]
    assert status["waiting"]["state"] == "gate"
    assert "gate flag is not met" in text
    for gate in status["stages"][0]["gates"]:
        assert gate["words"] in text
    (stage,) = status["stages"]
    words = compared(stage["verification"]["rows"], stage["verification"]["differences"])
    assert words in text
    assert words in Cli(verified.dsn).ok("status", "--plan", "example").out
    assert all(f"to {source['mapping']}" in text for source in stage["sources"])
    # A kind of event is words, not a key.
    assert "phase done" in text
    assert "phase.done" not in text
    rejects = visitor.get("/rejects", reason="no_mail").text
    for each in Cli(verified.dsn)("rejects", "list", "--reason", "no_mail", "--json").json:
        assert f'id="reject-{each["id"]}"' in rejects
        assert each["source"] in rejects
    assert "Sign in" in text
    assert "/do/" not in text + rejects + visitor.get("/flags").text


def test_names_and_reasons_of_others_are_text(page: Served, verified: Database) -> None:
    conn = verified.connect()
    conn.execute("UPDATE changeover.reject SET reason = %s, detail = %s, key = %s", (HOSTILE, HOSTILE, HOSTILE))
    conn.execute("UPDATE changeover.source SET name = %s WHERE id = 1", (HOSTILE,))
    conn.execute(
        "INSERT INTO changeover.feature_flags (flag, stage, reason) VALUES (%s, 'off', %s)", (HOSTILE, HOSTILE)
    )
    conn.execute(
        "INSERT INTO changeover.event (actor, plan, kind, detail) VALUES (%s, 'example', %s, '{}')", (HOSTILE, HOSTILE)
    )
    conn.execute("UPDATE changeover.run SET started_by = %s", (HOSTILE,))
    conn.execute(
        "INSERT INTO changeover.warning (plan, stage, code, subject, detail) VALUES ('example', 'customers', 'c', %s, %s)",
        (HOSTILE, HOSTILE),
    )
    visitor = page.visitor()
    for path in (*PATHS, "/rejects?stage=customers"):
        text = visitor.get(path).text
        live = streamed(page.port, f"/live{path}")
        for said in (text, *(json.loads(line[6:]) for line in live.splitlines() if line.startswith("data: "))):
            assert "<script>alert" not in said
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", said), path
            assert "49" not in re.findall(r"alert\(.{0,60}", said)
    flag = visitor.get("/flag", flag=HOSTILE)
    assert flag.status == 200
    assert r"\x1b[2J\u202e" in flag.text
    for odd in ("\0", "a" * 3000, "../../x", "%00", "\ud7ff"):
        assert visitor.get("/plan", plan=odd).status == 404
        assert visitor.get("/rejects", reason=odd, after=odd).status in (200, 404)


def test_a_job_that_has_not_answered_is_at_work_all_the_same(page: Served, verified: Database) -> None:
    verified.connect().execute(
        "UPDATE changeover.lease SET expires_at = now() + interval '1 minute', pids = ARRAY[pg_backend_pid()]"
    )
    verified.connect().execute("UPDATE changeover.control SET answer = '{}'")
    for path in PATHS[:2]:
        text = page.visitor().get(path).text
        assert "at work on ?, pid ?" in text
    Cli(verified.dsn).ok("status")
    assert Cli(verified.dsn).ok("throttle", "show", "example", "--json").json["settings"]["rest"] == 0


def test_a_stream_sends_what_has_changed_and_nothing_else(page: Served, verified: Database) -> None:
    said = streamed(page.port, "/live/flags", words=": still the same")
    assert said.startswith("retry: ")
    assert said.count("event: page") == 1
    assert ": still the same" in said
    verified.connect().execute("UPDATE changeover.feature_flags SET rollout = 37")
    eventually(lambda: "37 %" in page.visitor().get("/flags").text)


def test_more_streams_than_there_are_places_are_short_and_health_is_answered(verified: Database) -> None:
    with served(verified, bounds=Bounds(connections=4)) as page, ExitStack() as stack:
        for _ in range(2):
            conn = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)))
            conn.request("GET", "/live/flags")
            assert b"retry: 1000" in conn.getresponse().read1()
        for _ in range(5):
            said = streamed(page.port, "/live/flags", words=None)
            assert said.startswith("retry: 5000")
            assert said.count("event: page") == 1
        assert page.visitor().get("/healthz").status == 200


def test_a_plan_that_is_gone_while_it_is_looked_at_is_said(page: Served) -> None:
    assert "Not here" in streamed(page.port, "/live/plan?plan=gone")


def test_only_what_reads_is_answered_with_metrics_and_health(page: Served) -> None:
    visitor = page.visitor()
    for path in ("/metrics", "/healthz", "/readyz"):
        assert visitor.post(path).status == 405
    with closing(http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)) as conn:
        conn.request("HEAD", "/live/flags")
        assert conn.getresponse().read() == b"", "who asks for the head waits for no stream"


def test_a_database_that_is_away_is_said_and_what_was_seen_stays(verified: Database) -> None:
    with served(verified) as page:
        visitor = page.visitor()
        eventually(lambda: visitor.get("/readyz").status == 200)
        assert "USE_UNIFIED_CUSTOMERS" in visitor.get("/flags").text
        with connect(verified.server.admin_dsn()) as admin:
            admin.execute(f'ALTER DATABASE "{verified.name}" WITH ALLOW_CONNECTIONS false')
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (verified.name,))
        try:
            eventually(lambda: "cannot be asked" in visitor.get("/flags").text)
            text = visitor.get("/flags").text
            assert "USE_UNIFIED_CUSTOMERS" in text
            assert "What you see is of" in text
            assert "Traceback" not in text
            eventually(lambda: visitor.get("/readyz").status == 503)
            assert visitor.get("/locks").status == 200
        finally:
            with connect(verified.server.admin_dsn()) as admin:
                admin.execute(f'ALTER DATABASE "{verified.name}" WITH ALLOW_CONNECTIONS true')
        eventually(lambda: "cannot be asked" not in visitor.get("/flags").text)


@pytest.mark.newest
def test_the_parts_are_switched_one_by_one(verified: Database) -> None:
    paths = {"page": "/", "metrics": "/metrics", "health": "/healthz", "flags": "/ofrep/v1/evaluate/flags"}
    for part in paths:
        with served(verified, Wanted(**{each: each == part for each in paths})) as only:
            found = {}
            for each, path in paths.items():
                visitor = only.visitor()
                found[each] = (visitor.post(path) if each == "flags" else visitor.get(path)).status
            missing = {each for each, status in found.items() if status == 404}
            assert missing == paths.keys() - {part}


def test_flags_are_answered_beside_the_page_and_counted(page: Served) -> None:
    visitor = page.visitor()
    path = "/ofrep/v1/evaluate/flags"
    visitor.said = {"Content-Type": "application/json"}
    eventually(lambda: visitor.post(f"{path}/USE_UNIFIED_CUSTOMERS").status == 200)
    for _ in range(3):
        assert visitor.post(f"{path}/NO_SUCH_FLAG_{_}").status == 404
    text = visitor.get("/metrics").text
    assert 'changeover_flag_answers_total{flag="USE_UNIFIED_CUSTOMERS",reason="STATIC",variant="dualwrite"}' in text
    assert 'changeover_flag_refusals_total{code="FLAG_NOT_FOUND"} 3.0' in text
    assert "NO_SUCH_FLAG" not in text
    assert 'changeover_gate_met{gate="flag",plan="example",stage="customers"} 0.0' in text


@pytest.mark.newest
def test_what_others_can_reach_wants_people_and_tokens() -> None:
    cli = Cli("postgresql://nobody@127.0.0.1:1/nothing")
    for arguments, words in (
        (("--no-flags",), "nobody could sign in"),
        (("--no-page",), "no token is asked for the flags"),
    ):
        done = cli("serve", "--host", "0.0.0.0", *arguments)  # noqa: S104 - refused
        assert (done.code, words in done.err) == (2, True)
