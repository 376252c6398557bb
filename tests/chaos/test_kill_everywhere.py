"""P3: kill -9 wherever something is committed, give the same command again: it ends as if nobody had been killed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator import engine
from orchestrator.engine.results import PhaseResult
from orchestrator.kernel.failpoints import NAMES
from tests.chaos.facts import facts
from tests.chaos.killing import KILLED, ForkServer, Hunt, at
from tests.support.cases import EXAMPLE, PARCELS, PERSONS, STEPS, TICKETS, Case
from tests.support.database import Database, Databases
from tests.support.lifecycle import Lifecycle, same
from tests.support.soak import SOAK

pytestmark = [pytest.mark.newest, *([pytest.mark.timeout(5400)] if SOAK else [])]

WHERE = ("--plan", "example", "--stage", "customers")
LIVE = """
UPDATE changeover.feature_flags SET stage = 'shadow';
UPDATE changeover.feature_flags SET stage = 'live', rollout = 100;
"""
# Round one by `start`, round two phase by phase.
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("init",),
    ("start", "example", "--until", "verify"),
    ("rollback", "--yes", "--plan", "example", "--to", "expand"),
    *(("run", phase, *WHERE) for phase in ("dual-write", "backfill", "verify")),
    ("rejects", "waive", "--all", "--reason", "seen"),
    ("run", "contract", *WHERE),
    ("rollback", "--yes", "--plan", "example", "--to", "verify"),
    ("rejects", "waive", "--all", "--reason", "seen again"),
    ("start", "example"),
    ("rollback", "--yes", "--plan", "example"),
    ("uninstall",),
)
OF_THE_MIRRORS = "SELECT state FROM changeover.action WHERE phase = 'dual-write'"
SHARES = {"init": 1, "start": 7, "rollback": 7, "uninstall": 1}
"""One commit point in so many; with CHANGEOVER_SOAK every one."""
for _module in pkgutil.walk_packages(engine.__path__, f"{engine.__name__}."):
    importlib.import_module(_module.name)  # a failpoint is declared when its module is loaded
ENGINE = {name for name in NAMES if name.startswith("engine.")}
_PHASE = ("engine.action.started", "engine.action.executed", "engine.phase.done")
FAILPOINTS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("init",): (),
    ("start", "example", "--until", "verify", "--kind", "rehearsal"): (*_PHASE, *_PHASE, "engine.phase.done"),
    ("run", "contract", *WHERE): (
        *("engine.archive.committed", "engine.archive.committed"),
        *("engine.phase.done", "engine.run.ended"),
    ),
    ("rollback", "--yes", "--plan", "example"): (
        *("engine.archive.restored", "engine.archive.restored", "engine.phase.back", "engine.phase.back"),
        *("engine.action.undone", "engine.phase.back", "engine.action.undone", "engine.mirrors.removed"),
        *("engine.action.undone", "engine.phase.back", "engine.action.undone", "engine.run.ended"),
    ),
}


def test_at_every_commit_point_of_every_phase_and_back(
    databases: Databases, fork_server: ForkServer, tmp_path: Path
) -> None:
    killed, spared = (databases.clone("chaos example", EXAMPLE.build) for _ in range(2))
    first = killed.schema_dump()
    hunt = Hunt(fork_server, killed.dsn, tmp_path / "met")
    for command in COMMANDS:
        hunt.share = 1 if SOAK else SHARES.get(command[0], 5 if "contract" in command else 16)
        hunt(*command)
        done = fork_server.run(spared.dsn, *command)
        assert done.code == 0, done.err
        compare(killed, spared, str(command))
        if command[-1] == "verify" or command[1:2] == ("verify",):
            for each in (killed, spared):
                each.run(LIVE)
    same(killed.schema_dump(), first, "after everything was taken back")
    assert sum(number for _, number in hunt.kills) > 30


def test_at_every_failpoint_of_the_engine(databases: Databases, fork_server: ForkServer) -> None:
    """The places that the program itself names, by their own means."""
    killed, spared = (databases.clone("chaos example", EXAMPLE.build) for _ in range(2))
    for command, names in FAILPOINTS.items():
        for name in names:
            done = fork_server.patiently(killed.dsn, *command, env=at(name))
            assert done.code == KILLED, f"{command} did not come by {name}: {done.code} {done.err}"
        for done in fork_server.patiently(killed.dsn, *command), fork_server.run(spared.dsn, *command):
            assert done.code == 0, done.err
    compare(killed, spared, "every failpoint")


def test_every_failpoint_of_the_engine_is_tried() -> None:
    elsewhere = {"engine.source.taken_in", "engine.source.changed"}  # need a change of the schema: see test_drift
    elsewhere |= {"engine.columns.kept"}  # needs a column that is taken back: see test_alter
    elsewhere |= {"engine.rows.taken_back"}  # needs a one-way mapping: see test_derived_rows
    elsewhere |= {"engine.rows.no_longer_filled"}  # needs values to put back: see test_cli_fills
    elsewhere |= {"engine.retired"}  # from there is no way back
    assert {name for names in FAILPOINTS.values() for name in names} == ENGINE - elsewhere


def test_a_retirement_that_was_killed_after_its_commit_is_done(databases: Databases, fork_server: ForkServer) -> None:
    database = databases.clone("chaos example", EXAMPLE.build)
    for command in (("init",), ("start", "example", "--kind", "rehearsal")):
        assert fork_server.run(database.dsn, *command).code == 0
    retire = ("retire", "example", "--yes")
    assert fork_server.patiently(database.dsn, *retire, env=at("engine.retired")).code == KILLED
    done = fork_server.patiently(database.dsn, *retire)
    assert done.code == 0, done.err
    assert not database.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'archive'")


def compare(killed: Database, spared: Database, when: str) -> None:
    """Everything is the same in both."""
    is_now, should_be = facts(killed), facts(spared)
    for noun in should_be:
        assert is_now[noun] == should_be[noun], f"{noun} after {when}"
    assert is_now.keys() == should_be.keys()


class Hunted(Lifecycle):
    """A lifecycle whose every command is killed now and then, while the applications work."""

    hunt: Hunt

    def begin(self, *options: str) -> None:
        """`start`, as far as it goes."""
        self.hunt("start", self.case.plan, *options)
        self._copied = True
        for stage in self.case.stages:
            self._put_to_work(stage)

    def back(self, stage: str | None = None, to: str | None = None) -> list[PhaseResult]:
        """Take back, killed on the way."""
        assert (stage, to) == (None, None)
        for each in self.case.stages:
            self._send_away(each)
        self.hunt("rollback", "--yes", "--plan", self.case.plan)
        self._copied = self._live = False
        return []


@pytest.fixture(params=(TICKETS, PERSONS, STEPS, PARCELS) if SOAK else (TICKETS,), ids=lambda case: case.name)
def life(
    request: pytest.FixtureRequest, databases: Databases, fork_server: ForkServer, tmp_path: Path
) -> Iterator[Hunted]:
    case: Case = request.param
    database: Database = databases.clone(f"chaos {case.name}", case.build)
    started = Hunted(database, case)
    started.hunt = Hunt(fork_server, database.dsn, tmp_path / "met", share=1 if SOAK else 14)
    yield started
    started.traffic.end()


def test_start_is_killed_while_the_applications_work(life: Hunted) -> None:
    before = life.dump()
    life.begin("--until", "verify")
    life.check()
    life.check_lossless()
    life.back()
    same(life.dump(), before, "after rollback")
    life.check()
    life.begin("--until", "verify")
    # The new version keeps out: what it writes is the mirrors' business, and tested with them.
    life.database.run(LIVE)
    life.answer_for_rejects()
    life.begin()
    assert life.contracted or not life.case.views
    assert life.database.value("SELECT state FROM changeover.run ORDER BY id DESC LIMIT 1") == "finished"
    life.check()
    life.finish()
    assert sum(number for _, number in life.hunt.kills) > 12


def test_a_mirror_that_is_half_taken_away_is_not_gone_on_with(databases: Databases, fork_server: ForkServer) -> None:
    database = databases.clone("chaos example", EXAMPLE.build)
    assert fork_server.run(database.dsn, "init").code == 0
    assert fork_server.run(database.dsn, "start", "example", "--until", "verify").code == 0
    back = ("rollback", "--yes", "--plan", "example", "--to", "expand")
    while "undone" not in {row[0] for row in database.rows(OF_THE_MIRRORS)}:
        assert fork_server.patiently(database.dsn, *back, env=at("engine.action.undone")).code == KILLED
    for command in (("start", "example"), ("run", "backfill", *WHERE), ("run", "dual-write", *WHERE)):
        done = fork_server.patiently(database.dsn, *command)
        assert done.code == 5, done.err
        assert "is being taken back" in done.err
        assert "changeover rollback --plan example --stage customers --to expand" in done.err
    assert fork_server.patiently(database.dsn, *back).code == 0
    database.run("UPDATE public.customers_old SET name = 'written in between' WHERE id = 1")
    assert fork_server.run(database.dsn, "start", "example", "--until", "verify").code == 0


def test_the_hunt_meets_what_a_driver_does(databases: Databases, fork_server: ForkServer, tmp_path: Path) -> None:
    """The hunter is no use if it misses: `init` commits once, in one transaction, and dies there exactly once."""
    database: Any = databases.create()
    hunt = Hunt(fork_server, database.dsn, tmp_path / "met")
    hunt("init")
    assert hunt.kills == [("init", 1)]
    assert len(hunt.places) == 1


def test_a_table_that_was_made_before_a_kill_is_known_as_ours(databases: Databases, fork_server: ForkServer) -> None:
    """Killed when the table is made and its mapping is not registered, and then begun with a stage that comes after it."""
    database = databases.clone(f"chaos {TICKETS.name}", TICKETS.build)
    assert fork_server.run(database.dsn, "init").code == 0
    command = ("start", TICKETS.plan, "--until", "verify")
    assert fork_server.patiently(database.dsn, *command, env=at("engine.action.executed")).code == KILLED
    done = fork_server.patiently(database.dsn, *command)
    assert done.code == 0, done.err
