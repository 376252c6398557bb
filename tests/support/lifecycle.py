"""The harness that every kind of mapping goes through, with applications of both versions at work the whole time.

A `Lifecycle` is one database with one case's old schema. It goes forward phase by phase, back from wherever it stands,
and looks: is the schema what it was, does every acknowledged write stand on both sides, is each old table exactly its
compatibility view and its rejects, did any request fail. The old version works from the first moment to the last, the
new one from dual-write on.
"""

from __future__ import annotations

import difflib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flags import store as flag_store
from flags.stages import Stage as FlagStage
from orchestrator.engine import commands
from orchestrator.engine.errors import DifferencesError
from orchestrator.engine.results import PhaseResult, VerifyResult
from orchestrator.engine.session import Terms
from orchestrator.kernel.errors import ChangeoverError, LockTimeoutError
from orchestrator.kernel.events import Bus
from orchestrator.plan.loader import load
from tests.support.cases import Case
from tests.support.database import Database
from tests.support.soak import SOAK
from tests.support.traffic import Traffic, Writer, crew, missing

OPERATOR = "harness"
WORKERS = 2
PATIENCE = 3
T = TypeVar("T")
_ACTIVITY = """
SELECT pid, application_name, state, wait_event, pg_blocking_pids(pid), now() - xact_start, left(query, 120)
FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL ORDER BY xact_start
"""


@dataclass
class Lifecycle:
    """One database on its way."""

    database: Database
    case: Case
    traffic: Traffic = field(default_factory=Traffic)
    bus: Bus = field(default_factory=Bus)
    early: bool = False
    """The hard way: the new version writes from dual-write on, against the order of things (flags come after verify)."""
    pace: float = 0.02
    """Seconds that each writer rests after a request."""
    hire: type[Writer] = Writer
    """What kind of writers."""

    def __post_init__(self) -> None:
        self.first_dump = self.database.schema_dump()
        self.old = self.traffic.add(crew(self.database.app_dsn, "old", self.case.old, pace=self.pace, hire=self.hire))
        self.new: dict[str, list[Writer]] = {}
        for place, (stage, books) in enumerate(self.case.new.items()):
            writers = crew(self.database.app_dsn, "new", books, pace=self.pace, hire=self.hire)
            for each in writers:
                each.name = f"{each.name}s{place}"
            self.new[stage] = self.traffic.add(writers)
        self._copied = False
        self._live = False
        self._working: set[str] = set()
        commands.init(self.database.dsn)
        self.traffic.allow(self.old)

    def there_and_back(self, back_from: Sequence[str] = commands.PHASES[:-1]) -> None:
        """The whole road: back from every phase, through to the end, back from there, and to the end again."""
        road = commands.PHASES[:-1]
        for stage in self.case.stages:
            before = self.dump()
            for last in back_from:
                for name in road[: road.index(last) + 1]:
                    self.phase(stage, name)
                self.check()
                if last == road[-1]:
                    self.check_lossless()
                self.back(stage)
                same(self.dump(), before, f"after rollback from {last}")
                self.check()
            for name in road:
                self.phase(stage, name)
        self.before_contract()
        before = self.dump()
        for _ in range(2 if SOAK else 1):
            for stage in reversed(self.case.stages):
                self.phase(stage, "contract")
            assert self.contracted or not self.case.views
            self.check()
            self.check_lossless()
            self.back(to="verify")
            same(self.dump(), before, "after rollback from contract")
            self.check()
        self.check_lossless()
        for stage in reversed(self.case.stages):
            self.phase(stage, "contract")
        self.check()
        self.finish()

    # -- forward and back

    def phase(self, stage: str, name: str, **more: Any) -> PhaseResult:
        """Carry out one phase, while everybody works."""
        if name == "contract" and self._live:
            self.answer_for_rejects()

        def command() -> PhaseResult:
            return commands.run_phase(
                self.database.dsn, self.case.plan, stage, name, workers=WORKERS, bus=self.bus, operator=OPERATOR, **more
            )

        with self._explained(f"{stage}/{name}"):
            result = given(command)
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

        def command() -> list[PhaseResult]:
            return commands.rollback(
                self.database.dsn,
                self.case.plan,
                stage=stage,
                to=to,
                bus=self.bus,
                operator=OPERATOR,
                terms=Terms(poll_s=0),
            )

        with self._explained(f"{stage} back to {to}"):
            results = given(command)
        if to in {None, "expand", "dual-write"} and stage in {None, self.case.stages[0]}:
            self._copied = False
        return results

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """An error tells what differed, or what was under way and who else was at work."""
        said: deque[str] = deque(maxlen=3)
        end = self.bus.subscribe(lambda event: said.append(f"{event.kind} {event.fields}"))
        try:
            yield
        except ChangeoverError as exc:
            found = exc.result.samples if isinstance(exc, DifferencesError) else self.database.rows(_ACTIVITY)
            exc.add_note("\n".join([what, *said, *map(str, found)]))
            raise
        finally:
            end()

    def before_contract(self) -> None:
        """Meet the gates."""
        with self.database.connect() as conn:
            for flag in conn.execute("SELECT flag FROM changeover.feature_flags").fetchall():
                by = flag_store.By(OPERATOR, "the harness moves the reads")
                for step in (FlagStage.DUALWRITE, FlagStage.SHADOW, FlagStage.LIVE):
                    flag_store.set_flag(conn, flag[0], flag_store.Change(stage=step), by)
        self.answer_for_rejects()
        self._live = True
        self._resume()

    def answer_for_rejects(self) -> None:
        """The traffic goes on writing bad rows: whoever operates this answers for each reason they have had."""
        stages = load(self.case.plan).model.stages
        reasons = {each for stage in stages for mapping in stage.mappings for each in getattr(mapping, "rejects", ())}
        reasons |= {reject.reason for reject in commands.rejects_list(self.database.dsn)}
        for reason in sorted(reasons):
            commands.rejects_waive(
                self.database.dsn, reject_reason=reason, from_now_on=True, reason="seen", operator=OPERATOR
            )

    def verify(self) -> list[VerifyResult]:
        """Compare; the differences are the message."""
        try:
            return commands.verify(self.database.dsn, self.case.plan, workers=WORKERS, bus=self.bus, operator=OPERATOR)
        except DifferencesError as exc:
            message = f"{exc.what} {exc.result.by_kind} {exc.result.samples[:3]} {exc.result.counts}"
            keys = [str(each["key"]) for each in exc.result.samples[:3]]
            raise AssertionError("\n".join([message, *self._known_of(keys)])) from exc

    # -- what must hold

    def dump(self) -> str:
        """The schema without our own."""
        return self.database.schema_dump(["changeover"])

    def check(self) -> None:
        """Nobody failed, and every acknowledged write stands on both sides."""
        self.traffic.wait_for_more(30)
        self.traffic.hold()
        self.traffic.check()
        self.settle()
        self.learn()
        if self._copied:
            self.verify()
        wrong = self._missing(self.case.old_tags, "the old tables")
        if self._copied:
            wrong |= self._missing(self.case.new_tags, "the new table")
        assert not wrong, "\n".join(self._traces(wrong))
        self._resume()

    def learn(self) -> None:
        """Nobody works, nothing waits: the moment to find out what a writer may not know."""

    def settle(self) -> None:
        """Let nothing wait that a mirror could not do at once: writers in REPEATABLE READ leave such keys."""
        waiting = "SELECT DISTINCT source_id FROM changeover.queue"
        for _ in range(100):
            for (source,) in self.database.rows(waiting):
                self.database.rows(f"SELECT * FROM changeover.drain({source}, 1000)")
            if not self.database.rows(waiting):
                return
            time.sleep(0.05)
        raise AssertionError(self.database.rows("SELECT * FROM changeover.queue LIMIT 5"))

    def check_lossless(self) -> None:
        """A1 and A3: each old table is its view and its rejects, no row more and none less."""
        self.traffic.hold()
        self.settle()
        for result in self.verify():
            uncounted = [c for c in result.counts if c["legacy"] != c["migrated"] + c["rejected"]]
            assert not uncounted, uncounted
        for table, view in self.case.views.items():
            both = "SELECT x::text, to_jsonb(x)::text FROM {} x"
            left = self.database.rows(f"{both.format(table)} EXCEPT ALL {both.format(view)}")
            more = self.database.rows(f"{both.format(view)} EXCEPT ALL {both.format(table)}")
            rejected = self.database.rows(
                'SELECT (r."row")::text FROM changeover.reject r JOIN changeover.source s ON s.id = r.source_id '
                "JOIN changeover.mapping m ON m.id = s.mapping_id WHERE format('%%I.%%I', s.schema_name, s.table_name) = %s AND m.kind <> 'split'",
                (table,),
            )
            assert not more, f"{view} has rows that {table} has not: {more[:3]}"
            differing = {r[1] for r in left} ^ {r[0] for r in rejected}
            assert len(left) == len(rejected), f"{table}: {len(left)} rows are not in the view, {len(rejected)} rejects"
            assert not differing, f"rejects of {table}: {list(differing)[:3]}"
        self._resume()

    def finish(self) -> None:
        """Everything back, the ledger away: the schema is what it was at the start, to the letter."""
        self.back()
        commands.uninstall(self.database.dsn)
        self.traffic.wait_for_more(10)
        self.traffic.end()
        self.traffic.check()
        wrong = self._missing(self.case.old_tags, "the old tables")
        assert not wrong, wrong
        same(self.database.schema_dump(), self.first_dump, "after everything was taken back")

    def _traces(self, wrong: dict[str, list[str]]) -> Iterator[str]:
        """Everything that is known of rows that are not as they should be."""
        yield f"{wrong} at {self.phases()}"
        targets = [row[0] for row in self.database.rows("SELECT target FROM changeover.mapping ORDER BY id")]
        for tags in wrong.values():
            for tag in tags[:2]:
                stem = tag.rpartition(".")[0]
                for table in (*self.case.tables, *targets, "changeover.reject"):
                    for row in self.database.rows(f"SELECT to_jsonb(x) FROM {table} x WHERE x::text LIKE '%{stem}.%'"):
                        yield f"{tag} in {table}: {row[0]}"
                        ids = (str(row[0].get("id")),)
                        born = self.database.rows(
                            "SELECT to_jsonb(b) FROM changeover.key_map b WHERE target_key = %s", ids
                        )
                        yield f"  born: {born}"

    def _known_of(self, keys: list[str]) -> Iterator[str]:
        """What stands anywhere of rows that differ, by their keys and whatever ids lead to them."""
        born = self.database.rows("SELECT key, target_key FROM changeover.key_map WHERE key = ANY (%s)", (keys,))
        yield f"born: {born}"
        targets = [row[0] for row in self.database.rows("SELECT target FROM changeover.mapping ORDER BY id")]
        for word in [*keys, *(target for _, target in born)]:
            for table in (*self.case.tables, *targets, "changeover.reject"):
                for row in self.database.rows(
                    f"SELECT to_jsonb(x) FROM {table} x WHERE x::text ~ '[(,\"]{word}[),\"]'"
                ):
                    yield f"{word} in {table}: {row[0]}"

    def phases(self) -> list[tuple[Any, ...]]:
        """Where it stands, for messages."""
        return self.database.rows("SELECT stage, phase, state FROM changeover.phase ORDER BY started_at")

    def _missing(self, query: str, where: str) -> dict[str, list[str]]:
        found = {str(row[0]) for row in self.database.rows(query)}
        return missing(found, where, self.traffic.writers)

    def _put_to_work(self, stage: str) -> None:
        self._working.add(stage)
        self._resume()

    def _send_away(self, stage: str) -> None:
        writers = self.new.get(stage, [])
        self.traffic.hold(writers)
        for each in writers:
            each.retire()
        self._working.discard(stage)

    def _resume(self) -> None:
        self.traffic.allow(self.old)
        for stage in self._working if self.early or self._live else ():
            self.traffic.allow(self.new.get(stage, []))

    @property
    def contracted(self) -> bool:
        """Whether every stage is through contract."""
        left = "SELECT count(*) FROM changeover.phase WHERE phase = 'contract' AND state <> 'done'"
        return self.database.value(left) == 0 and bool(self.database.value(left.replace("<>", "=")))


def given(command: Callable[[], T]) -> T:
    """Give a command as an operator does: one that got no lock (exit 7) again, and it goes on where it stood.

    On a machine with more writers than it can carry their transactions overlap for minutes without a gap.
    """
    for _ in range(PATIENCE - 1):
        with suppress(LockTimeoutError):
            return command()
    return command()


def same(now: str, before: str, when: str) -> None:
    """Two dumps are equal; the lines that differ are the message."""
    if now != before:
        lines = difflib.unified_diff(before.splitlines(), now.splitlines(), "before", "now", lineterm="", n=1)
        raise AssertionError(f"the schema {when}:\n" + "\n".join(list(lines)[:80]))
