"""The database changes under the run: what can be taken in is, anything else stops it with words and code 5."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.chaos.killing import KILLED, ForkServer, at
from tests.support.cases import EXAMPLE, SHIPPED, TICKETS
from tests.support.cli import Done
from tests.support.database import Database, Databases

pytestmark = pytest.mark.newest

STAGE = ("--plan", "example", "--stage", "customers")
OLD = "public.customers_old"


class Operator:
    """Gives commands for the example, and expects an answer."""

    def __init__(self, fork_server: ForkServer, database: Database) -> None:
        self._fork_server = fork_server
        self.database = database

    def __call__(self, *argv: str, code: int = 0, env: dict[str, str] | None = None) -> Done:
        done = self._fork_server.patiently(self.database.dsn, *argv, env=env)
        assert done.code == code, f"{argv}: {done.code}\n{done.out}\n{done.err}"
        if code > 0:
            # A job that no person looks at tells it as the last line of its log.
            job = argv[0] == "run"
            words = ('"what": ', '"kept": ', '"todo": ') if job else ("Error: ", "Kept: ", "To do: ")
            assert all(word in done.err for word in words), done.err
        return done

    def phase(self, name: str, *, code: int = 0, env: dict[str, str] | None = None) -> Done:
        """One phase of the example."""
        return self("run", name, *STAGE, code=code, env=env)


def _mirrored(database: Database) -> None:
    EXAMPLE.build(database)
    with ForkServer() as fork_server:
        op = Operator(fork_server, database)
        op("init")
        op("start", "example", "--until", "dual-write")


@pytest.fixture
def mirrored(databases: Databases, fork_server: ForkServer) -> Operator:
    return Operator(fork_server, databases.clone("chaos mirrored", _mirrored))


def test_a_plan_that_was_changed_after_the_start(databases: Databases, fork_server: ForkServer, tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED / "example", tmp_path / "plan")
    op = Operator(fork_server, databases.clone("chaos example", EXAMPLE.build))
    op("init")
    op("start", str(folder), "--until", "expand")
    before = op.database.schema_dump()
    text = (folder / "plan.yaml").read_text()
    (folder / "plan.yaml").write_text(text.replace("coalesce(s.credit, 0)", "coalesce(s.credit, 1)"))
    done = op("start", str(folder), code=5)
    assert "checksum" in done.err
    assert op.database.schema_dump() == before
    (folder / "plan.yaml").write_text(text)
    op("start", str(folder), "--until", "verify")


@pytest.mark.parametrize(
    ("blow", "named"),
    [
        (f"DROP TRIGGER changeover_a000001_upd ON {OLD}", "triggers changeover_a000001"),
        (f"ALTER TABLE {OLD} DISABLE TRIGGER changeover_a000001_del", "triggers changeover_a000001"),
        ("DROP TRIGGER changeover_x1_reverse ON public.customers", "trigger changeover_x1_reverse"),
        (
            "CREATE OR REPLACE FUNCTION changeover.m1_mirror() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql",
            "functions m1",
        ),
    ],
    ids=["dropped", "disabled", "reverse", "function"],
)
def test_a_mirror_that_somebody_broke(mirrored: Operator, blow: str, named: str) -> None:
    mirrored.phase("backfill", code=KILLED, env=at("backfill.batch.committed"))
    mirrored.database.run(blow)
    mirrored.database.run(f"UPDATE {OLD} SET name = 'Unheard' WHERE id = 1")
    done = mirrored.phase("backfill", code=5)
    assert named in done.err
    assert "changeover run dual-write" in done.err
    mirrored.phase("dual-write")
    mirrored.phase("backfill")
    mirrored("verify", "--plan", "example", "--repair")
    mirrored.phase("verify")
    assert mirrored.database.value("SELECT name FROM public.customers WHERE shop = 'main' AND number = 1") == "Unheard"


@pytest.mark.parametrize("phase", ["verify", "contract"])
def test_a_mirror_that_somebody_broke_after_the_copy(mirrored: Operator, phase: str) -> None:
    mirrored("start", "example", "--until", "verify" if phase == "contract" else "backfill")
    mirrored.database.run(f"DROP TRIGGER changeover_a000001_ins ON {OLD}")
    mirrored.database.run(f"INSERT INTO {OLD} (id, mail) VALUES (77, 'unheard@example.com')")
    done = mirrored.phase(phase, code=5)
    assert "triggers changeover_a000001" in done.err
    mirrored.phase("dual-write")
    mirrored.phase("backfill")
    done = mirrored.phase("verify", code=4)
    mirrored("verify", "--plan", "example", "--repair")
    mirrored.phase("verify")
    assert mirrored.database.value("SELECT count(*) FROM public.customers WHERE number = 77") == 1


@pytest.mark.parametrize("phase", ["backfill", "verify", "contract"])
def test_a_column_that_the_plan_reads_is_renamed(mirrored: Operator, phase: str) -> None:
    if phase == "verify":
        mirrored.phase("backfill")
    elif phase == "contract":
        mirrored("start", "example", "--until", "verify")
    rows = mirrored.database.rows("SELECT * FROM public.customers ORDER BY id")
    mirrored.database.run(f"ALTER TABLE {OLD} RENAME COLUMN mail TO e_mail")
    mirrored.database.run(f"UPDATE {OLD} SET name = 'Later' WHERE id = 2")
    done = mirrored.phase(phase, code=5)
    assert f"{OLD}: the plan reads column mail" in done.err
    assert mirrored.database.rows("SELECT * FROM public.customers ORDER BY id") == rows
    mirrored.database.run(f"ALTER TABLE {OLD} RENAME COLUMN e_mail TO mail")
    mirrored("start", "example", "--until", "verify")
    mirrored.phase("verify")
    assert mirrored.database.value("SELECT name FROM public.customers WHERE shop = 'main' AND number = 2") == "Later"


GROWN = """
ALTER TABLE public.billing ADD COLUMN floor integer;
UPDATE public.billing SET floor = 3 WHERE speed = 1;
CREATE TABLE public.retired_queue (id serial PRIMARY KEY, subject text, opened date, tone integer);
INSERT INTO public.retired_queue (subject, opened, tone) SELECT 'late ' || i, '2024-01-01', i % 3 FROM generate_series(1, 50) i;
"""
ARCHIVED = "SELECT min(oid::regclass::text) FROM changeover.source WHERE name = %s AND state = 'archived'"
BY = ("--plan", TICKETS.plan, "--stage", "tickets")


@pytest.mark.parametrize("when", ["dual-write", "killed", "backfill", "verify"])
def test_a_column_and_a_table_that_come_late_are_taken_in(
    databases: Databases, fork_server: ForkServer, when: str
) -> None:
    """Whenever they come before contract, and also when the runner is killed while it takes them in."""
    op = Operator(fork_server, databases.clone("chaos tickets", TICKETS.build))
    start = ("start", TICKETS.plan, "--kind", "rehearsal")
    op("init")
    if when == "killed":
        op(*start, "--until", "backfill", code=KILLED, env=at("backfill.batch.committed"))
    else:
        op(*start, "--until", when, *([] if when == "verify" else ["--stage", "tickets"]))
    op.database.run(GROWN)
    if when in {"killed", "verify"}:
        goes_on = ("run", "contract", *BY) if when == "verify" else (*start, "--until", "verify")
        op(*goes_on, code=KILLED, env=at("engine.source.taken_in"))
        op.database.run("INSERT INTO public.retired_queue (subject, opened, tone) VALUES ('later', '2024-01-02', 2)")
        op(*goes_on, code=KILLED, env=at("engine.source.changed"))
        op.database.run("UPDATE public.billing SET floor = 4 WHERE speed = 2")
    op(*start)
    assert op.database.value("SELECT state FROM changeover.run") == "finished"
    for table in ("billing", "retired_queue"):
        archived = op.database.value(ARCHIVED, (f"public.{table}",))
        rows = "SELECT to_jsonb(x)::text FROM {} x"
        left = op.database.rows(f"{rows.format(archived)} EXCEPT ALL {rows.format(f'compat.{table}')}")
        rejected = op.database.value(
            "SELECT count(*) FROM changeover.reject r JOIN changeover.source s ON s.id = r.source_id "
            "JOIN changeover.mapping m ON m.id = s.mapping_id WHERE s.name = %s AND m.kind = 'unify'",
            (f"public.{table}",),
        )
        assert len(left) == rejected, left[:3]
    assert op.database.value("SELECT count(*) FROM public.billing WHERE floor > 2") > 100
    op("verify", "--plan", TICKETS.plan)
