"""A rehearsal on a copy: what it saw is written, registered, predicted by, and opens its gate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import orchestrator
from orchestrator.engine.report.predicting import scaled
from orchestrator.engine.run.lock_watch import LockWatch
from tests.support.cli import Cli
from tests.support.database import Database, Databases

EXAMPLE = Path(orchestrator.__file__).parent / "plans" / "example"


@pytest.fixture
def plan(tmp_path: Path) -> str:
    """The example, whose contract wants a rehearsal and nothing of the flag."""
    folder = tmp_path / "stores"
    shutil.copytree(EXAMPLE, folder)
    text = (folder / "plan.yaml").read_text().replace("plan: example", "plan: stores")
    controls = "controls: [{control: tried, rehearsed: {within_days: 2}}]\n    contract: {gates: {flag: none}, "
    (folder / "plan.yaml").write_text(text.replace("contract: {", controls))
    return str(folder)


def test_a_rehearsal_is_made_registered_and_used(
    shops: Database, databases: Databases, plan: str, tmp_path: Path
) -> None:
    copy = databases.create(shops.name)
    before = copy.schema_dump(["changeover"])
    file = str(tmp_path / "notes.json")
    Cli(shops.dsn).ok("rehearse", plan, "--on", copy.dsn, "--to", file)
    assert copy.schema_dump(["changeover"]) == before
    notes: dict[str, Any] = json.loads(Path(file).read_text())
    phases = [each["phase"] for each in notes["phases"]]
    assert phases == ["expand", "dual-write", "backfill", "verify", "contract"]
    assert [each["phase"] for each in notes["back"]] == phases[::-1]
    assert all(each["wal_bytes"] > 0 for each in notes["phases"])
    assert notes["rollback_seconds"] > 0
    assert notes["rejects"] == {"no_mail": 2}
    assert notes["problems"] == []
    assert notes["database_bytes_most"] >= notes["database_bytes_before"] > 0
    assert {each["name"] for each in notes["sources"]} == {"public.customers_old", "public.customers_west"}

    cli = Cli(shops.dsn)
    cli.ok("init")
    cli.ok("start", plan, "--until", "verify")
    cli.ok("rejects", "waive", "--all", "--reason", "seen")
    assert "no rehearsal of this plan is registered" in cli("start", plan, "--json").error["what"]
    cli.ok("rehearsal", "import", file)
    expected = cli.ok("status", "--json").json["plans"][0]["expected"]
    assert [each["phase"] for each in expected] == phases
    assert "expected by the rehearsal: expand" in cli.ok("status").out
    figures = {each["measure"]: each["met"] for each in cli.ok("report", plan, "--json").json["figures"]}
    assert (figures["rollback"], figures["downtime"]) == (True, True)
    cli.ok("start", plan)


def test_the_original_and_production_are_refused(shops: Database, databases: Databases, tmp_path: Path) -> None:
    cli, file = Cli(shops.dsn), str(tmp_path / "notes.json")
    done = cli("rehearse", "example", "--on", shops.dsn, "--to", file)
    assert done.code == 5
    assert "takes everything back" in done.err
    cli.ok("init")
    cli.ok("start", "example", "--until", "expand")
    elsewhere = Cli(databases.create().dsn)
    done = elsewhere("rehearse", "example", "--on", shops.dsn, "--to", file)
    assert done.code == 5
    assert "runs in production" in done.err
    assert shops.value("SELECT to_regclass('public.customers') IS NOT NULL") is True
    assert not Path(file).exists()


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', '{"format": 2, "plan": "p"}'])
def test_another_file_is_not_registered(shops: Database, tmp_path: Path, text: str) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    (tmp_path / "f.json").write_text(text)
    assert cli("rehearsal", "import", str(tmp_path / "f.json")).code == 2
    assert cli("rehearsal", "import", str(tmp_path / "none.json")).code == 2
    assert shops.value("SELECT count(*) FROM changeover.rehearsal") == 0


def test_copy_and_comparison_are_scaled_by_size() -> None:
    phases = [{"stage": "s", "phase": p, "seconds": 10.0} for p in ("expand", "backfill", "verify")]
    sources = [{"stage": "s", "name": "a", "bytes": 100}, {"stage": "s", "name": "gone", "bytes": 100}]
    assert [each["seconds"] for each in scaled(phases, sources, {"a": 450})] == [10.0, 45.0, 45.0]
    assert [each["seconds"] for each in scaled(phases, sources, {})] == [10.0, 10.0, 10.0]


def test_a_lock_has_its_longest_hold_and_wait() -> None:
    watch = LockWatch("")
    held, waited = ("public.t", "ShareLock", 7, True), ("public.t", "ShareLock", 7, False)
    looks = [(waited, 0.0), (waited, 0.4), (held, 0.5), (held, 0.9), (None, 1.0), (held, 2.0), (held, 2.3)]
    for row, now in looks:
        watch.take([] if row is None else [(*row, 0.25 if now == 0.9 else 0.0)], now)
    (seen,) = watch.locks
    assert (seen.held_s, seen.waited_s, seen.others_waited_s) == (0.4, 0.4, 0.25)
