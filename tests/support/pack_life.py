"""The life of a plan pack, the same for every pack: dirt counted beforehand, writers, kills, there and back, contract.

A pack gives its old database, the statements of both applications in its own vocabulary and what its dirt comes to.
Statements are made of a number: `{n}` goes up with every turn. No statement may fail, whatever the migration does.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from orchestrator.plan.loader import load
from tests.support.cli import Cli, spawn
from tests.support.soak import SOAK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.support.database import Database, Databases

SIGKILL: Final = -9
KILLS: Final = {
    "expand": "engine.action.executed",
    "dual-write": "engine.action.executed",
    "backfill": "backfill.batch.moved",
    "verify": "compare.range.judged",
}
"""Where each phase is killed the first time it runs, if it comes by there."""


@dataclass(frozen=True)
class Pack:
    """What is different from pack to pack."""

    plan: str
    old: Sequence[str]
    """Statements of the old application."""
    new: Mapping[str, Sequence[str]]
    """Statements of the new application, by the stage whose backfill makes them possible."""
    tables: Sequence[str]
    """The old tables, whose data a rollback must leave as the applications wrote it."""
    rejects: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many rejects of which table and reason the dirt comes to, before anybody writes."""
    prepare: Callable[[Database], None] = lambda _: None
    """More rows, rights and the like, beside the pack's legacy.sql."""


class Writer(threading.Thread):
    """An application at work until it is told to stop; it keeps the first request that failed."""

    def __init__(self, database: Database, statements: Callable[[], Sequence[str]], first: int) -> None:
        super().__init__(daemon=True)
        self.failed: str | None = None
        self.turns = first
        self._statements = statements
        self._stop_it = threading.Event()
        self._conn = database.connect()

    def run(self) -> None:
        while not self._stop_it.is_set() and self.failed is None:
            for statement in self._statements():
                try:
                    self._conn.execute(statement.replace("{n}", str(self.turns)).encode())
                except Exception as exc:  # noqa: BLE001 - whatever it is, the test shows it
                    self.failed = f"{statement}: {exc}"
                    return
            self.turns += 1
            self._stop_it.wait(0.05)

    def end(self) -> None:
        """Stop it, and see that nothing failed."""
        self._stop_it.set()
        self.join(30)
        assert self.failed is None, self.failed


class PackLife:
    """A pack's old database, its commands, its writers."""

    def __init__(self, databases: Databases, pack: Pack) -> None:
        def build(database: Database) -> None:
            database.run(files("orchestrator.plans").joinpath(f"{pack.plan}/legacy.sql").read_text(encoding="utf-8"))
            pack.prepare(database)

        self.pack = pack
        self.database = databases.clone(f"pack {pack.plan}", build)
        self.cli = Cli(self.database.dsn)
        self.stages = load(pack.plan).model.stages
        self.ready: list[str] = []
        self.turn = 0

    # -- the applications --------------------------------------------------------------------------------------

    def both(self) -> tuple[Writer, Writer]:
        """The old and the new application, at work."""
        self.turn += 10_000
        old = Writer(self.database, lambda: self.pack.old, self.turn)
        new = Writer(self.database, self._new, self.turn)
        for writer in (old, new):
            writer.start()
        return old, new

    def _new(self) -> list[str]:
        return [statement for stage in self.ready for statement in self.pack.new.get(stage, ())]

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

    def killed(self, stage: str, phase: str) -> None:
        """One phase, killed on its way if it comes by the failpoint; whoever runs it again finishes it."""
        arguments = ("run", phase, "--plan", self.pack.plan, "--stage", stage)
        process = spawn(self.database.dsn, *arguments, env={"CHANGEOVER_FAILPOINT": KILLS[phase]})
        out, err = process.communicate(timeout=120)
        assert process.returncode in {0, SIGKILL}, (arguments, process.returncode, out, err)
        self.cli.ok(*arguments)

    def forward(self, *, kill: bool = False) -> None:
        """Every stage to its verification; the new application begins with a stage when its rows are copied."""
        last = [stage for stage in self.stages if stage.mappings][-1]
        for stage in self.stages:
            if kill and stage is last:
                for phase in KILLS:
                    self.killed(stage.stage, phase)
            else:
                self.cli.ok("start", self.pack.plan, "--stage", stage.stage, "--until", "verify")
            self.ready.append(stage.stage)

    def killed_there_and_back(self) -> None:
        """Killed in each phase of the last stage with rows, all dirt accounted for; back, to the very rows; in soak forward again."""
        pack, cli, database = self.pack, self.cli, self.database
        before, data = database.schema_dump(), self.data()
        cli.ok("init")
        cli.ok("plan", "check", pack.plan)
        self.forward(kill=True)
        self.verified()
        assert self.rejects() == Counter(pack.rejects)
        self.back()
        assert self.data() == data
        if SOAK:
            self.forward()
            self.verified()
            assert self.rejects() == Counter(pack.rejects)
            self.back()
        cli.ok("uninstall")
        assert database.schema_dump() == before

    def contracted_under_load(self) -> None:
        """Both applications at work from the beginning to beyond contract; then back, with all that they wrote."""
        pack, cli, database = self.pack, self.cli, self.database
        before = database.schema_dump()
        cli.ok("init")
        writers = self.both()
        self.forward()
        self.finish()
        for writer in writers:
            writer.end()
        self.verified()
        done = database.schema_dump()
        cli.ok("start", pack.plan)
        assert database.schema_dump() == done
        written = self.data()
        self.back()
        assert self.data() == written
        cli.ok("uninstall")
        assert database.schema_dump() == before

    def finish(self) -> None:
        """Flags to live, rejects waived, approvals given, contract."""
        for stage in self.stages:
            if stage.flag is not None:
                self.cli.ok("flag", "set", stage.flag, "--stage", "live", "--reason", "acceptance", "--yes")
        self.cli.ok("rejects", "waive", "--all", "--reason", "acceptance")
        self.cli.ok("start", self.pack.plan)

    def back(self) -> None:
        """Everything, to the beginning; the new application has stopped."""
        self.ready = []
        self.cli.ok("rollback", "--yes", "--plan", self.pack.plan)
