"""The harness that every kind of mapping goes through, with applications of both versions at work the whole time.

A `Lifecycle` is one database with one case's old schema. It goes forward phase by phase, back from wherever it stands,
and looks: is the schema what it was, does every acknowledged write stand on both sides, is each old table exactly its
compatibility view and its rejects, did any request fail. The old version works from the first moment to the last, the
new one and the compatibility views from dual-write on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flags import store as flag_store
from flags.stages import Stage as FlagStage
from orchestrator.engine import commands
from orchestrator.engine.errors import DifferencesError
from orchestrator.engine.results import PhaseResult, VerifyResult
from orchestrator.kernel.events import Bus
from tests.support.cases import Case
from tests.support.database import Database
from tests.support.traffic import Traffic, Writer, crew, missing

OPERATOR = "harness"
WORKERS = 2


@dataclass
class Lifecycle:
    """One database on its way."""

    database: Database
    case: Case
    traffic: Traffic = field(default_factory=Traffic)
    bus: Bus = field(default_factory=Bus)

    def __post_init__(self) -> None:
        self.first_dump = self.database.schema_dump()
        self.old = self.traffic.add(crew(self.database.app_dsn, "old", self.case.old))
        self.view = self.traffic.add(crew(self.database.app_dsn, "view", self.case.through_views(), numbers=(0,)))
        self.new: dict[str, list[Writer]] = {}
        for place, (stage, books) in enumerate(self.case.new.items()):
            writers = crew(self.database.app_dsn, "new", books)
            for each in writers:
                each.name = f"{each.name}s{place}"
            self.new[stage] = self.traffic.add(writers)
        self._copied = False
        self._working: set[str] = set()
        commands.init(self.database.dsn)
        self.traffic.allow(self.old)

    # -- forward and back

    def phase(self, stage: str, name: str, **more: Any) -> PhaseResult:
        """Carry out one phase, while everybody works."""
        if name == "contract":
            self.traffic.hold(self.view)
        result = commands.run_phase(
            self.database.dsn, self.case.plan, stage, name, workers=WORKERS, bus=self.bus, operator=OPERATOR, **more
        )
        if name == "dual-write":
            self._put_to_work(stage)
        if name == "backfill" and stage == self.case.stages[0]:
            self._copied = True
        return result

    def back(self, stage: str | None = None, to: str | None = None) -> list[PhaseResult]:
        """Take back; the new version is gone where its table goes."""
        if to in {None, "expand"}:
            for each in [stage] if stage else list(self.case.stages):
                self._send_away(each)
        results = commands.rollback(
            self.database.dsn, self.case.plan, stage=stage, to=to, bus=self.bus, operator=OPERATOR
        )
        if to in {None, "expand", "dual-write"} and stage in {None, self.case.stages[0]}:
            self._copied = False
        return results

    def before_contract(self) -> None:
        """Meet the gates."""
        with self.database.connect() as conn:
            for flag in conn.execute("SELECT flag FROM changeover.feature_flags").fetchall():
                by = flag_store.By(OPERATOR, "the harness moves the reads")
                for step in (FlagStage.DUALWRITE, FlagStage.SHADOW, FlagStage.LIVE):
                    flag_store.set_flag(conn, flag[0], flag_store.Change(stage=step, enabled=True), by)
        commands.rejects_waive(self.database.dsn, reason="seen", operator=OPERATOR)

    def verify(self) -> list[VerifyResult]:
        """Compare; the differences are the message."""
        try:
            return commands.verify(
                self.database.dsn, self.case.plan, workers=WORKERS, bus=self.bus, operator=OPERATOR
            )
        except DifferencesError as exc:
            message = f"{exc.what} {exc.result.by_kind} {exc.result.samples[:3]} {exc.result.counts}"
            raise AssertionError(message) from exc

    # -- what must hold

    def dump(self) -> str:
        """The schema without our own."""
        return self.database.schema_dump(["changeover"])

    def check(self) -> None:
        """Nobody failed, and every acknowledged write stands on both sides."""
        self.traffic.wait_for_more(30)
        self.traffic.hold()
        assert self.traffic.failures == []
        if self._copied:
            self.verify()
        wrong = self._missing(self.case.old_tags, "the old tables")
        if self._copied:
            wrong |= self._missing(self.case.new_tags, "the new table")
        assert wrong == {}
        self._resume()

    def check_lossless(self) -> None:
        """A1 and A3: each old table is its view and its rejects, no row more and none less."""
        self.traffic.hold()
        for result in self.verify():
            assert all(c["legacy"] == c["migrated"] + c["rejected"] for c in result.counts), result.counts
        for table, view in self.case.views.items():
            left = self.database.rows(
                f"SELECT x::text, to_jsonb(x)::text FROM {table} x EXCEPT ALL SELECT x::text, to_jsonb(x)::text FROM {view} x"
            )
            more = self.database.rows(f"SELECT x::text FROM {view} x EXCEPT ALL SELECT x::text FROM {table} x")
            rejected = self.database.rows(
                'SELECT (r."row")::text FROM changeover.reject r JOIN changeover.source s ON s.id = r.source_id '
                "JOIN changeover.mapping m ON m.id = s.mapping_id WHERE s.oid = %s::regclass AND m.kind <> 'split'",
                (table,),
            )
            assert more == [], f"{view} has rows that {table} has not"
            assert sorted(r[1] for r in left) == sorted(r[0] for r in rejected), f"rejects of {table}"
        self._resume()

    def finish(self) -> None:
        """Everything back, the ledger away: the schema is what it was at the start, to the letter."""
        self.back()
        commands.uninstall(self.database.dsn)
        self.traffic.wait_for_more(10)
        self.traffic.end()
        assert self.traffic.failures == []
        assert self._missing(self.case.old_tags, "the old tables") == {}
        assert self.database.schema_dump() == self.first_dump

    def _missing(self, query: str, where: str) -> dict[str, list[str]]:
        found = {str(row[0]) for row in self.database.rows(query)}
        return missing(found, where, self.traffic.writers)

    def _put_to_work(self, stage: str) -> None:
        self._working.add(stage)
        self._resume()

    def _send_away(self, stage: str) -> None:
        writers = [*self.new.get(stage, ()), *(self.view if stage == self.case.stage_of_views else ())]
        self.traffic.hold(writers)
        for each in writers:
            each.retire()
        self._working.discard(stage)

    def _resume(self) -> None:
        self.traffic.allow(self.old)
        for stage in self._working:
            self.traffic.allow(self.new.get(stage, []))
        if self.case.stage_of_views in self._working and not self.contracted:
            self.traffic.allow(self.view)

    @property
    def contracted(self) -> bool:
        """Whether the views stand under the old names."""
        return bool(self.database.value("SELECT count(*) FROM changeover.source WHERE state = 'archived'"))
