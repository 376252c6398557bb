"""The page in a real Chromium: it moves by itself, a gate is approved, a flag is killed, forty columns are enough.

The pictures of the documents are made here: with CHANGEOVER_PICTURES=1 they are written into docs/.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tests.architecture.source import ROOT
from tests.integration.cli.conftest import LEGACY
from tests.support.cli import Cli
from tests.support.database import Database, Databases
from tests.support.page import ANN, Served, approved_plan, served
from tests.support.running import Running, eventually, slow

pytestmark = pytest.mark.newest

FLAG = "USE_UNIFIED_CUSTOMERS"
WIDE: ViewportSize = {"width": 1180, "height": 800}
NARROW: ViewportSize = {"width": 320, "height": 640}
PICTURES = ROOT / "docs/operations/page"
expect.set_options(timeout=60_000)


@contextmanager
def looking() -> Iterator[Page]:
    """A tab of the system's Chromium, which must not complain about anything. No Chromium, no tested page: it fails.

    Playwright has an event loop running in this thread meanwhile: what asks for one of its own comes before.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "There is no Chromium here, and the page wants to be looked at: install it (apt-get install chromium)."
    complaints: list[str] = []
    with sync_playwright() as playwright:
        # Its own sandbox does not work for root, who runs the tests in CI.
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=os.geteuid() != 0)
        tab = browser.new_page(viewport=WIDE)
        tab.set_default_timeout(60_000)
        tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        yield tab
        tab.goto("about:blank")  # ends its stream
        browser.close()
    assert complaints == []


def _sign_in(tab: Page, served_at: Served) -> None:
    tab.goto(f"{served_at.address}/session")
    tab.get_by_label("Your token").fill(ANN)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("button", name="Sign out")).to_be_visible()


def _picture(tab: Page, name: str, folder: Path) -> None:
    wanted = PICTURES if os.environ.get("CHANGEOVER_PICTURES") else folder
    tab.screenshot(path=wanted / f"{name}.png", full_page=False)
    assert (PICTURES / f"{name}.png").stat().st_size < 150_000, "the documents show it"


def test_a_copy_is_seen_to_move_and_is_paused(mirrored: Database, tmp_path: Path) -> None:
    slow(Cli(mirrored.dsn))
    with served(mirrored) as page, Running(mirrored.dsn, "backfill") as job, looking() as tab:
        job.until("backfill.progress")
        _sign_in(tab, page)
        tab.goto(f"{page.address}/plan?plan=example")
        bar = tab.locator("main progress").first
        expect(tab.locator("[data-beat=on]")).to_have_count(1)
        before = float(bar.get_attribute("value") or 0)
        tab.evaluate("window.untouched = document.querySelector('main progress')")
        Cli(mirrored.dsn).ok("throttle", "set", "example", "rest=50")
        expect(tab.locator(".numbers").first).to_contain_text("rows/s")
        tab.wait_for_function("before => document.querySelector('main progress').value > before + 2", arg=before)
        assert tab.evaluate("window.untouched === document.querySelector('main progress')"), (
            "it was moved, not replaced"
        )
        expect(tab.locator(".chart .line").first).to_be_attached()
        _picture(tab, "plan", tmp_path)
        tab.get_by_role("link", name="Pause").click()
        tab.get_by_label("Reason").fill("month-end closing")
        tab.get_by_role("button", name="Pause the job").click()
        expect(tab.get_by_role("status")).to_contain_text("The job is paused.")
        expect(tab.locator(".callout.paused")).to_contain_text("paused by ann: month-end closing")
        Cli(mirrored.dsn).ok("cancel", "example")
        assert job.ended() == 5


def test_a_gate_is_approved(databases: Databases, tmp_path: Path) -> None:
    database = databases.create()
    database.run(LEGACY.read_text())
    cli, folder = Cli(database.dsn), approved_plan(tmp_path / "plan")
    cli.ok("init")
    cli.ok("start", folder, "--until", "verify")
    with served(database, folders={"shops": folder}) as page, looking() as tab:
        _sign_in(tab, page)
        tab.goto(f"{page.address}/plan?plan=shops")
        gate = tab.locator(".gates li").filter(has_text="approval")
        expect(gate).to_have_class("unmet")
        gate.get_by_role("link", name="Approve").click()
        tab.get_by_label("Reason").fill("reports compared by QA")
        tab.get_by_role("button", name="Approve a gate").click()
        expect(tab.get_by_role("status")).to_contain_text("is approved by ann")
        expect(gate).to_have_class("met")
        # What somebody else does is seen without a click.
        cli.ok("rejects", "waive", "--all", "--reason", "agreed")
        expect(tab.locator(".gates li").filter(has_text="no reject is open")).to_have_class("met")


def test_a_flag_is_killed_on_forty_columns(verified: Database, tmp_path: Path) -> None:
    cli = Cli(verified.dsn)
    cli.ok("flag", "set", FLAG, "--stage", "shadow")
    cli.ok("flag", "set", FLAG, "--stage", "live", "--rollout", "10", "--yes")
    with served(verified) as page, looking() as tab:
        _sign_in(tab, page)
        tab.goto(f"{page.address}/flag?flag={FLAG}")
        _picture(tab, "flag", tmp_path)
        tab.set_viewport_size(NARROW)
        for path in (
            "/",
            "/plan?plan=example",
            "/flags",
            "/rejects?reason=no_mail",
            "/locks",
            "/history",
            f"/flag?flag={FLAG}",
        ):
            tab.goto(page.address + path)
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            # The numbers of a table are seen without pushing it aside.
            hidden = (
                "[...document.querySelectorAll('.sources')].filter(t => t.scrollWidth > t.parentElement.clientWidth)"
            )
            assert tab.evaluate(f"{hidden}.length") == 0, path
        tab.get_by_role("link", name="Kill").click()
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        tab.get_by_label("Reason").fill("p99 doubled")
        tab.get_by_role("button", name="Kill the flag").click()
        expect(tab.get_by_role("status")).to_contain_text("everybody reads the old tables")
        expect(tab.locator(".steps .now")).to_contain_text("dualwrite")
        expect(tab.locator(".pill.held").first).to_be_visible()
    assert cli("flag", "get", FLAG, "--json").json["updated_by"] == "ann"


def test_what_is_open_stays_open_while_the_page_changes(verified: Database) -> None:
    with served(verified) as page, looking() as tab:
        tab.goto(f"{page.address}/rejects?reason=no_mail")
        row = tab.locator("details").first
        row.locator("summary").click()
        expect(row).to_have_attribute("open", "")
        Cli(verified.dsn).ok("rejects", "waive", "--all", "--reason", "agreed")
        expect(row.locator(".pill")).to_have_text("waived")
        expect(row).to_have_attribute("open", "")


def test_what_has_an_id_is_kept_whatever_comes_and_goes_beside_it(verified: Database) -> None:
    forms = [
        "<h1>a</h1> <section id=x><details id=d><summary>s</summary></details></section><section id=y>y</section>",
        "<h1>b</h1> <p>it failed</p> <section id=x><p>new</p><details id=d><summary>t</summary></details></section>",
        "<section id=z></section><section id=x><details id=d><summary>u</summary></details></section><p>late</p>",
        "<p>only</p><section id=y></section><ul><li>1</li></ul><section id=x><details id=d></details></section>",
        "<section id=x><details id=d></details><p>3</p></section><section id=y>y</section><section id=z></section>",
    ]
    with served(verified) as page, looking() as tab:
        tab.goto(f"{page.address}/locks")
        tab.evaluate(
            f"at = document.createElement('div'); at.innerHTML = {forms[0]!r}; [open] = at.getElementsByTagName('details'); open.open = true"
        )
        for form in [*forms[1:], *reversed(forms)]:
            came = tab.evaluate(
                "form => { const next = document.createElement('div'); next.innerHTML = form; children(at, next); return at.innerHTML }",
                form,
            )
            assert came.replace(' open=""', "") == tab.evaluate(
                "form => { const next = document.createElement('div'); next.innerHTML = form; return next.innerHTML }",
                form,
            )
            assert tab.evaluate("at.contains(open) && open.open"), form


def test_a_plan_is_started_and_taken_back(databases: Databases, tmp_path: Path) -> None:
    database = databases.create()
    database.run(LEGACY.read_text())
    Cli(database.dsn).ok("init")
    with served(database, folders={"shops": approved_plan(tmp_path / "plan")}) as page, looking() as tab:
        _sign_in(tab, page)
        tab.get_by_role("link", name="Start").click()
        expect(tab.get_by_label("Up to")).to_have_value("verify")
        tab.get_by_role("button", name="Start the plan").click()
        expect(tab.locator(".steps .done")).to_have_count(4)
        tab.get_by_role("link", name="Roll back").click()
        _picture(tab, "rollback", tmp_path)
        tab.set_viewport_size(NARROW)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        tab.get_by_label("Reason").fill("a second try on Monday")
        tab.get_by_role("button", name="Roll the plan back").click()
        expect(tab.locator("input[name=confirmed]:invalid")).to_have_count(1)  # nothing goes before it is ticked
        tab.get_by_label("I have read this").check()
        tab.get_by_role("button", name="Roll the plan back").click()
        expect(tab.locator(".callout .pill")).to_have_text("rolled back")
        expect(tab.locator(".events")).to_contain_text("a second try on Monday")
        expect(tab.locator(".events")).to_contain_text("ann")


def test_a_tab_that_nobody_sees_asks_nothing_and_one_whose_session_is_over_says_so(verified: Database) -> None:
    seen = """now => {
        Object.defineProperty(document, "hidden", { value: now === "hidden", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with served(verified, open_reading=False) as page, looking() as tab:
        tab.clock.install()
        _sign_in(tab, page)
        tab.goto(f"{page.address}/flags")
        expect(tab.locator("[data-beat=on]")).to_have_count(1)
        with tab.expect_event("requestfailed", lambda request: request.url == f"{page.address}/live/flags"):
            tab.evaluate(seen, "hidden")
        with tab.expect_response(f"{page.address}/live/flags") as first:
            tab.evaluate(seen, "visible")
        assert first.value.status == 200
        tab.context.clear_cookies()
        tab.evaluate(seen, "hidden")
        with tab.expect_response(f"{page.address}/live/flags") as second:
            tab.evaluate(seen, "visible")
        assert second.value.status == 204

        def asked_to_sign_in() -> bool:
            tab.clock.fast_forward(9000)
            return tab.url == f"{page.address}/session"

        eventually(asked_to_sign_in)
