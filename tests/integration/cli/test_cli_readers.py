"""The way back waits for those who read what goes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
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


def back(database: Database, terms: Terms, then: Mapping[str, Callable[[], object]] | None = None) -> list[Event]:
    """Take everything back; what was told meanwhile, and what is done when something is told."""
    told: list[Event] = []
    bus, wanted = Bus(), dict(then or {})
    bus.subscribe(told.append)

    def answered(event: Event) -> None:
        if event.kind in wanted:
            wanted.pop(event.kind)()

    bus.subscribe(answered)
    commands.rollback(database.dsn, "example", to="expand", bus=bus, operator="ann", terms=terms)
    return told


def live(cli: Cli) -> None:
    for stage in ("shadow", "live"):
        cli.ok("flag", "set", FLAG, "--stage", stage, "--reason", "go on", "--yes")


def test_it_waits_for_the_poll_and_for_open_transactions(verified: Database, cli: Cli) -> None:
    live(cli)
    with verified.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM public.customers")
        told = back(verified, Terms(poll_s=1), {"readers.open": lambda: reader.execute("COMMIT")})
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
        """CREATE TABLE public."Visits" (id bigint PRIMARY KEY, at date);
        CREATE TABLE public.stops (id int PRIMARY KEY, visit bigint REFERENCES public."Visits" (id));
        CREATE TABLE public.kinds (id int PRIMARY KEY);"""
    )
    (folder / "sql" / "seed.sql").write_text("INSERT INTO public.kinds VALUES (1) ON CONFLICT DO NOTHING;")
    text = (folder / "plan.yaml").read_text().replace("plan: example", "plan: shops")
    text = text.replace(
        "expand: [sql/customers.sql]", "expand: [sql/customers.sql, sql/new.sql]\n    seed: [sql/seed.sql]"
    )
    (folder / "plan.yaml").write_text(text)
    cli.ok("init")
    before = shops.schema_dump(["changeover", "archive"])
    cli.ok("start", str(folder), "--until", "verify")
    for round_, place in enumerate(("Visits", "Visits_2"), 1):
        shops.run(
            'INSERT INTO public."Visits" VALUES (1, NULL), (2, current_date); INSERT INTO public.stops VALUES (7, 2)'
        )
        done = cli.ok("rollback", "--plan", str(folder), "--json").json
        (archived,) = [each["detail"]["archived"] for each in done if each["detail"]]
        assert archived == {f"archive.{place}": 2, f"archive.stops{'' if round_ == 1 else '_2'}": 1}
        assert shops.value(f'SELECT count(at) FROM archive."{place}" WHERE id IN (1, 2)') == 1
        assert (
            shops.value("SELECT to_regclass('public.kinds') IS NULL AND to_regclass('archive.kinds') IS NULL") is True
        )
        assert shops.schema_dump(["changeover", "archive"]) == before
        cli.ok("start", str(folder), "--until", "verify")
    shops.run('INSERT INTO public."Visits" VALUES (1, NULL)')
    assert "1 row of archive.Visits_3" in cli.ok("rollback", "--plan", str(folder)).out


def test_rows_that_cannot_be_archived_stop_the_way_back(shops: Database, tmp_path: Path) -> None:
    cli, folder = Cli(shops.dsn), tmp_path / "shops"
    shutil.copytree(EXAMPLE, folder)
    (folder / "sql" / "new.sql").write_text("CREATE TABLE public.visits (id int);")
    text = (folder / "plan.yaml").read_text().replace("plan: example", "plan: shops")
    (folder / "plan.yaml").write_text(
        text.replace("expand: [sql/customers.sql]", "expand: [sql/customers.sql, sql/new.sql]")
    )
    cli.ok("init")
    cli.ok("start", str(folder), "--until", "expand")
    shops.run("INSERT INTO public.visits VALUES (1)")
    shops.run("ALTER TABLE public.visits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    shops.run("CREATE POLICY every_row ON public.visits USING (true)")
    refused = cli("rollback", "--plan", str(folder), "--json")
    assert refused.code == 5
    assert "public.visits (1 row: " in refused.error["what"]
    assert "row-level security" in refused.error["what"]
    assert phases(cli)["expand"] == "done"
    shops.run("DELETE FROM public.visits")
    cli.ok("rollback", "--plan", str(folder))


def phases(cli: Cli) -> dict[str, str]:
    (plan,) = cli.ok("status", "--json").json["plans"]
    return {name: phase["state"] for name, phase in plan["stages"][0]["phases"].items()}


PLAIN = "INSERT INTO public.kinds VALUES (1, 'a'), (2, NULL) ON CONFLICT DO NOTHING;"
ASKS = """INSERT INTO public.kinds (id, word, at)
        SELECT v.id, CASE v.id WHEN 1 THEN 'a' END, clock_timestamp() FROM (VALUES (1), (2)) AS v (id)
        WHERE NOT EXISTS (SELECT FROM public.kinds k WHERE k.id = v.id);"""


@pytest.mark.parametrize(
    ("seed", "writes", "kept"),
    [
        (ASKS, "DELETE FROM public.kinds WHERE id = 1", 0),
        (ASKS, "INSERT INTO public.kinds VALUES (9, 'nine')", 3),
        (PLAIN, "UPDATE public.kinds SET word = 'two' WHERE id = 2", 2),
        (ASKS, "DELETE FROM public.kinds WHERE id = 1; INSERT INTO public.kinds VALUES (9, 'nine')", 2),
    ],
    ids=["nothing", "a row", "a value", "a row for a row"],
)
def test_a_seeded_table_is_kept_where_the_application_wrote(
    shops: Database, tmp_path: Path, seed: str, writes: str, kept: int
) -> None:
    cli, folder = Cli(shops.dsn), tmp_path / "shops"
    shutil.copytree(EXAMPLE, folder)
    (folder / "sql" / "new.sql").write_text(
        "CREATE TABLE public.kinds (id int PRIMARY KEY, word text, at timestamptz);"
    )
    (folder / "sql" / "seed.sql").write_text(seed)
    (folder / "sql" / "more.sql").write_text("INSERT INTO public.kinds (id) VALUES (2) ON CONFLICT DO NOTHING;")
    text = (folder / "plan.yaml").read_text().replace("plan: example", "plan: shops")
    text = text.replace(
        "expand: [sql/customers.sql]",
        "expand: [sql/customers.sql, sql/new.sql]\n    seed: [sql/seed.sql, sql/more.sql]",
    )
    (folder / "plan.yaml").write_text(text)
    cli.ok("init")
    cli.ok("start", str(folder), "--until", "expand")
    shops.run(writes)
    cli.ok("rollback", "--plan", str(folder))
    assert shops.value("SELECT to_regclass('public.kinds') IS NULL") is True
    there = shops.value("SELECT to_regclass('archive.kinds') IS NOT NULL")
    assert (shops.value("SELECT count(*) FROM archive.kinds") if there else 0) == kept
    assert shops.value("SELECT count(*) FROM changeover.seed_row") == 0


def test_a_column_that_a_later_stage_adds_makes_no_row_the_applications(shops: Database, tmp_path: Path) -> None:
    cli = Cli(shops.dsn)
    (tmp_path / "tones.sql").write_text(
        "CREATE TYPE public.tone AS ENUM ('c', 'd'); CREATE TABLE public.tones (t public.tone);"
    )
    (tmp_path / "seed.sql").write_text(
        "INSERT INTO public.tones SELECT 'c' WHERE NOT EXISTS (SELECT FROM public.tones);"
    )
    (tmp_path / "more.sql").write_text("INSERT INTO public.tones SELECT 'd', 440 ON CONFLICT DO NOTHING;")
    (tmp_path / "hertz.sql").write_text("ALTER TABLE public.tones ADD COLUMN hertz integer;")
    (tmp_path / "plan.yaml").write_text(
        """plan: tones
version: 1
stages:
  - {stage: first, expand: [tones.sql], seed: [seed.sql]}
  - {stage: second, after: first, expand: [hertz.sql], seed: [more.sql]}
"""
    )
    cli.ok("init")
    cli.ok("start", str(tmp_path))
    assert shops.value("SELECT count(*) FROM public.tones") == 2
    cli.ok("rollback", "--plan", str(tmp_path))
    assert shops.value("SELECT to_regclass('public.tones') IS NULL AND to_regtype('public.tone') IS NULL") is True
