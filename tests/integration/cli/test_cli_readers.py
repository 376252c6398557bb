"""The way back waits for those who read what goes."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

import orchestrator
from orchestrator.engine import commands
from orchestrator.engine.session import Terms
from orchestrator.kernel.errors import RetryableError
from orchestrator.kernel.events import Bus, Event
from tests.support.cli import Cli
from tests.support.database import Database

EXAMPLE = Path(orchestrator.__file__).parent / "plans" / "example"
FLAG = "USE_UNIFIED_CUSTOMERS"


def back(database: Database, terms: Terms) -> list[Event]:
    """Take everything back; what was told meanwhile."""
    told: list[Event] = []
    bus = Bus()
    bus.subscribe(told.append)
    commands.rollback(database.dsn, "example", to="expand", bus=bus, operator="ann", terms=terms)
    return told


def live(cli: Cli) -> None:
    for stage in ("shadow", "live"):
        cli.ok("flag", "set", FLAG, "--stage", stage, "--reason", "go on", "--yes")


def test_it_waits_for_the_poll_and_for_open_transactions(verified: Database, cli: Cli) -> None:
    live(cli)
    begun = time.monotonic()
    with verified.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM public.customers")
        threading.Timer(4, lambda: reader.execute("COMMIT")).start()
        told = back(verified, Terms(poll_s=1))
    assert time.monotonic() - begun >= 4
    kinds = [event.kind for event in told]
    assert kinds.index("flag.lowered") < kinds.index("readers.polling") < kinds.index("readers.open")
    assert kinds.index("readers.open") < kinds.index("phase.rolling_back")
    assert [event.fields["seconds"] for event in told if event.kind == "readers.polling"] == [2, 1]


def test_a_reader_that_does_not_end_stops_it_before_anything_is_taken_back(verified: Database, cli: Cli) -> None:
    live(cli)
    with verified.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM public.customers")
        # Killed there, it waits again, although the flag is lowered by now.
        for _ in range(2):
            with pytest.raises(RetryableError, match="may still read"):
                back(verified, Terms(poll_s=0, patient_ms=500))
    assert verified.value("SELECT state FROM changeover.phase WHERE phase = 'verify'") == "done"
    back(verified, Terms(poll_s=0))


def test_nobody_is_waited_for_where_nobody_reads(verified: Database) -> None:
    assert "readers.polling" not in {event.kind for event in back(verified, Terms(poll_s=600))}


def test_until_stops_before_a_stage_that_waits(shops: Database, tmp_path: Path) -> None:
    cli, folder = Cli(shops.dsn), tmp_path / "shops"
    shutil.copytree(EXAMPLE, folder)
    (folder / "sql" / "log.sql").write_text("CREATE TABLE public.visits (id bigint PRIMARY KEY);")
    later = "\n  - stage: visits\n    after: customers\n    expand: [sql/log.sql]\n"
    text = (folder / "plan.yaml").read_text().replace("    contract: {keep_days: 90}", "").rstrip()
    (folder / "plan.yaml").write_text(text.replace("plan: example", "plan: shops") + later)
    cli.ok("init")
    for _ in range(2):
        assert "begins when stage customers is verified" in cli.ok("start", str(folder), "--until", "dual-write").out
    assert shops.value("SELECT to_regclass('public.visits') IS NULL") is True
    cli.ok("start", str(folder), "--until", "verify")
    assert shops.value("SELECT to_regclass('public.visits') IS NULL") is False
    assert "has no contract in the plan" in cli.ok("start", str(folder)).out


def test_rows_without_an_old_form_are_not_dropped(shops: Database, tmp_path: Path) -> None:
    cli, folder = Cli(shops.dsn), tmp_path / "shops"
    shutil.copytree(EXAMPLE, folder)
    (folder / "sql" / "new.sql").write_text(
        """CREATE TABLE public."Visits" (id bigint PRIMARY KEY); CREATE TABLE public.kinds (id int PRIMARY KEY);"""
    )
    (folder / "sql" / "seed.sql").write_text("INSERT INTO public.kinds VALUES (1) ON CONFLICT DO NOTHING;")
    text = (folder / "plan.yaml").read_text().replace("plan: example", "plan: shops")
    text = text.replace(
        "expand: [sql/customers.sql]", "expand: [sql/customers.sql, sql/new.sql]\n    seed: [sql/seed.sql]"
    )
    (folder / "plan.yaml").write_text(text)
    cli.ok("init")
    cli.ok("start", str(folder), "--until", "verify")
    shops.run('INSERT INTO public."Visits" VALUES (1), (2)')
    refused = cli("rollback", "--plan", str(folder), "--json")
    assert refused.code == 5
    assert "public.Visits (2 rows)" in refused.error["what"]
    assert "kinds" not in refused.error["what"]
    assert phases(cli)["verify"] == "done"
    cli.ok("rollback", "--plan", str(folder), "--to", "expand")
    shops.run('DELETE FROM public."Visits"')
    cli.ok("rollback", "--plan", str(folder))
    assert shops.value("SELECT to_regclass('public.kinds') IS NULL") is True


def phases(cli: Cli) -> dict[str, str]:
    (plan,) = cli.ok("status", "--json").json["plans"]
    return {name: phase["state"] for name, phase in plan["stages"][0]["phases"].items()}
