"""The life of a plan pack, the same for every pack: dirt counted beforehand, both applications, kills, there and back.

What the applications do is the pack's own `demo.yaml`; they are an ordinary role that may read and write rows. The
migration is carried out by the owner of the tables, who is no superuser.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from orchestrator.demo.cutover import Pace, Place
from orchestrator.demo.narrator import Narrator
from orchestrator.demo.parts import Rollback
from orchestrator.demo.rendering import to_markdown
from orchestrator.demo.scripted import database as scripted
from orchestrator.demo.scripted.cutover import Cutover
from orchestrator.demo.scripted.process import Clients, ScriptedApplication
from orchestrator.demo.scripted.report import Report, document
from orchestrator.demo.scripted.script import load_script
from orchestrator.demo.section import Document
from orchestrator.plan.loader import load
from tests.support.cli import Cli, spawn
from tests.support.soak import SOAK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.database import Database, Databases

SIGKILL: Final = -9
KILLS: Final = {
    "expand": "engine.action.executed",
    "dual-write": "engine.action.executed",
    "backfill": "backfill.batch.moved",
    "verify": "compare.range.judged",
    "contract": "engine.action.executed",
}
"""Where each phase is killed the first time it runs."""


@dataclass(frozen=True)
class Pack:
    """What is different from pack to pack."""

    plan: str
    tables: Sequence[str]
    """The old tables, or queries of them in brackets: what a rollback must leave as the applications wrote it."""
    rejects: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many rejects of which table and reason the dirt comes to, before anybody writes."""
    without_actions: Sequence[str] = ()
    """Phases of the stage that is killed that have nothing to carry out: they are killed when they are recorded as done."""


class KilledCutover(Cutover):
    """The cutover of the demo; each phase of the last stage with rows is killed once on its way."""

    kills: Mapping[str, str] = KILLS

    def forward(self) -> None:
        last = [stage.stage for stage in self.plan.model.stages if stage.mappings][-1]
        for stage in self.plan.model.stages:
            if stage.stage == last:
                for phase in ("expand", "dual-write", "backfill", "verify"):
                    self.entered(stage.stage, phase)
                    command = ("run", phase, "--plan", self.plan.name, "--stage", last)
                    kill_once(self.place.owner, command, self.kills[phase])
                    self.forward_to(stage.stage, phase)
            self.forward_to(stage.stage, "verify")

    def contract(self) -> None:
        kill_once(self.place.owner, ("start", self.plan.name), self.kills["contract"])
        super().contract()


def kill_once(dsn: str, command: Sequence[str], failpoint: str) -> None:
    """Run a command that dies at a failpoint; it must come by."""
    process = spawn(dsn, *command, env={"CHANGEOVER_FAILPOINT": failpoint})
    out, err = process.communicate(timeout=300)
    assert process.returncode == SIGKILL, (command, failpoint, process.returncode, out, err)


class PackLife:
    """A pack's old database and its commands."""

    def __init__(self, databases: Databases, pack: Pack, *, large: bool = False) -> None:
        """`large`: as many rows as the demo has, where that is wanted (`make soak`); the rows of legacy.sql otherwise."""
        self.pack = pack
        self.plan = load(pack.plan)
        self.script = load_script(self.plan)
        rows = self.script.rows if large and SOAK else 0

        def build(database: Database) -> None:
            scripted.build(database.dsn, self.plan, self.script, rows)
            scripted.grant(database.dsn, database.app_role)

        self.database = databases.clone(f"pack {pack.plan} {rows}", build)
        self.rows = rows
        self.cli = Cli(self.database.dsn)
        self.stages = self.plan.model.stages

    # -- judging -----------------------------------------------------------------------------------------------

    def data(self) -> dict[str, Counter[str]]:
        """Every row of the old tables."""
        return {
            table: Counter(row[0] for row in self.database.rows(f"SELECT x::text FROM {table} x"))
            for table in self.pack.tables
        }

    def rejects(self) -> Counter[tuple[str, str]]:
        """The rejects that are open, by table and reason."""
        listed = self.cli.ok("rejects", "list", "--json").json
        return Counter((each["source"], each["reason"]) for each in listed if each["state"] == "open")

    def verified(self) -> None:
        """Every stage is clean, and every count adds up."""
        self.cli.ok("drain", "--plan", self.pack.plan)
        for each in self.cli.ok("verify", "--plan", self.pack.plan, "--json").json:
            assert each["clean"], each

    # -- moving ------------------------------------------------------------------------------------------------

    def forward(self) -> None:
        """Every stage to its verification."""
        self.cli.ok("start", self.pack.plan, "--until", "verify")

    def back(self) -> None:
        """Everything, to the beginning; the new application has stopped."""
        self.cli.ok("rollback", "--yes", "--plan", self.pack.plan)

    def mend(self) -> None:
        """What the old schema wants of the rows before it can come back; most want nothing."""

    def there(self) -> None:
        """To the verification with nobody at work: every row of dirt is accounted for."""
        assert self.rows == 0
        self.cli.ok("init")
        self.cli.ok("plan", "check", self.pack.plan)
        self.before, self.rows_before = self.database.schema_dump(exclude_schemas=["changeover"]), self.data()
        self.forward()
        self.verified()
        assert self.rejects() == Counter(self.pack.rejects)

    def and_back(self) -> None:
        """To the very rows and catalog."""
        self.back()
        assert self.data() == self.rows_before
        assert self.database.schema_dump(exclude_schemas=["changeover"]) == self.before

    def under_load(self, folder: Path) -> None:
        """Both applications at work, a kill in each phase, to beyond contract; back, and in soak there and back once more."""
        cli, database, name = self.cli, self.database, self.pack.plan
        before = database.schema_dump()
        place = Place(database.dsn, database.app_dsn, database.app_role)
        voice = Narrator(Console(file=io.StringIO()))
        cutover = KilledCutover(self.plan, self.script, place, Pace(rate=30, undisturbed=0.5, step=0.1), voice)
        cutover.kills = {**KILLS, **dict.fromkeys(self.pack.without_actions, "engine.phase.done")}
        with ScriptedApplication(place.application, folder, name, Clients(old=2, new=2, rate=30)) as application:
            cutover.play(application)
        done = database.schema_dump()
        cli.ok("start", name)
        assert database.schema_dump() == done
        outcome = cutover.examine()
        shown = document(Report(name, {}, outcome, Rollback(0, dump_equal=True)))
        faults = tuple(section for section in shown.sections[1:] if section.good is False)
        assert not faults, to_markdown(Document(name, faults))
        assert outcome.verdict.writes > 50
        self.mend()
        written = self.data()
        self.back()
        assert self.data() == written
        assert application.check(database.dsn, self.script, places=self.pack.tables).differences == ()
        if SOAK:
            self.forward()
            self.verified()
            for stage in self.stages:
                if stage.flag is not None:
                    cli.ok("flag", "set", stage.flag, "--stage", "live", "--reason", "acceptance", "--yes")
            cutover.answer()
            cli.ok("start", name)
            self.back()
            assert self.data() == written
        cli.ok("uninstall")
        assert database.schema_dump() == before


class WithArchive(PackLife):
    """Rollback keeps in schema `archive` what the new version alone has written; it is looked at and thrown away."""

    def back(self) -> None:
        super().back()
        self.database.run("DROP SCHEMA IF EXISTS archive CASCADE")
