"""The machine that looks for a schedule which breaks a promise, and what it stands on.

A `Ground` is one database with a compiled mapping, three applications, a runner and a judge, used for many examples: it is
emptied between them behind the mirrors' back, which keeps connections and their plans. A `Mirrors` machine is one example:
Hypothesis draws who does what, when, and what happens when one has to wait. After each step, in one snapshot: whatever
differs is pending (P5). At the end, and whenever everything has been settled: nothing differs, nothing is lost,
`legacy = migrated + rejected` (P1), and the applications find what they remember.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import psycopg
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.database import Databases
from tests.support.interleaving import Session, Stage, Statement, Wait
from tests.support.mapping import PAGES, Source, World, open_world
from tests.support.memory import Memory
from tests.support.operations import Act, Cast, Operation, Turn, acts

_CONTENTION = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)
_EMPTY = """
DO $$
DECLARE
    v_name regclass;
BEGIN
    FOR v_name IN
        SELECT c.oid::regclass FROM pg_class c
        WHERE c.relkind = 'r' AND (c.relnamespace = 'public'::regnamespace
            OR c.relnamespace = 'changeover'::regnamespace
            AND c.relname IN ('queue', 'reject', 'key_map', 'filled', 'diverged', 'made', 'seed_row'))
    LOOP
        EXECUTE format('DELETE FROM %s', v_name);
    END LOOP;
    FOR v_name IN SELECT c.oid::regclass FROM pg_class c WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER SEQUENCE %s RESTART', v_name);
    END LOOP;
    UPDATE changeover.source SET state = 'mirrored', mode = 'copy';
END $$
"""
_REPLAY = """
INSERT INTO changeover.queue (source_id, direction, key, cause)
SELECT source_id, 'forward', coalesce(key, ''), 'replay' FROM changeover.reject
"""


@dataclass
class Ground:
    """One database for many examples."""

    databases: Databases
    cast: Cast
    world: World = field(init=False)
    applications: Sequence[Session] = field(init=False)
    runner: Session = field(init=False)

    def __post_init__(self) -> None:
        self.world = open_world(self.databases, self.cast.setup, copied=False)
        database = self.world.database
        self.applications = [Session(f"app {n}", database.connect("app")) for n in (1, 2, 3)]
        self.runner = Session("runner", database.connect())
        self.watcher = database.connect()
        self.judge = database.connect()
        self.judge.execute("SET lock_timeout = '50ms'")
        self.admin = database.connect("admin")
        self.admin.execute("SET session_replication_role = replica")
        self.stage = Stage(self.watcher, self.applications, self.runner, Memory())
        looks = [
            f"SELECT {s.id} AS source, '{s.table.label}' AS name, c.* FROM changeover.compare({s.id}, 0, {PAGES}) c"
            for s in self.world.sources
        ]
        looks += [f"SELECT 0, 'orphans', g.* FROM changeover.x{m}_orphans(0, {PAGES}) g" for m in self.world.targets]
        self._compare = f"SELECT * FROM ({' UNION ALL '.join(looks)}) x WHERE kind <> 'counted'"

    def reset(self) -> None:
        """The tables as they were before anything: the rows from before, the mirrors on, nothing copied."""
        self.stage.clear()
        self.admin.execute(_EMPTY.encode())
        self.admin.execute(self.cast.base.encode())
        memory = self.stage.memory = Memory(by_tag=self.cast.by_tag)
        for tag, row, links, table in self.world.rows(self.cast.found["old"]):
            memory.plant("old", table, tag, row, [each for each in links if each])

    def differences(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]] | None:
        """What differs, and what waits, in one snapshot; None while a TRUNCATE is under way."""
        self.judge.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            waiting = self.judge.execute(
                "SELECT source_id, key, direction, cause, patch FROM changeover.queue"
            ).fetchall()
            return self.judge.execute(self._compare.encode()).fetchall(), waiting
        except psycopg.errors.LockNotAvailable:
            return None
        finally:
            self.judge.execute("ROLLBACK")

    def close(self) -> None:
        """End the threads."""
        self.stage.close()


def _acts() -> st.SearchStrategy[list[Act]]:
    return st.runner().flatmap(lambda machine: st.lists(acts(machine.cast.operations), min_size=4, max_size=12))


class Mirrors(RuleBasedStateMachine):
    """One example. `ground` is set by a subclass per world."""

    ground: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        self.ground.reset()
        self.world, self.stage, self.cast = self.ground.world, self.ground.stage, self.ground.cast
        self.made = list(self.cast.places)
        self.copying: Source | None = None
        self.copied: set[int] = set()

    # -- rules: the applications ----------------------------------------------------------------------

    @initialize(copied=st.booleans())
    def start(self, *, copied: bool) -> None:
        """Copied already, or only mirrored."""
        if copied:
            self._copy_all()
            self.world.drain()

    # Each rule is as likely as any other, and writing is what matters.
    @rule(acts=_acts())
    def play(self, acts: list[Act]) -> None:
        """Several statements, of any of the applications."""
        for act in acts:
            self._do(act)
            self.pending()

    @rule(acts=_acts())
    def play_on(self, acts: list[Act]) -> None:
        """Some more."""
        self.play(acts)

    @rule(acts=_acts())
    def play_again(self, acts: list[Act]) -> None:
        """And again."""
        self.play(acts)

    # -- rules: the runner ----------------------------------------------------------------------------

    @rule(number=st.integers(0, 7), verb=st.sampled_from(("batch", "batch", "isolate")), hold=st.booleans())
    def copy(self, number: int, verb: str, *, hold: bool) -> None:
        """A batch, of the first source that is not copied or of any; its transaction may stay open."""
        self.end_of_runner(commit=True)
        todo = [s for s in self.world.sources if s.id not in self.copied]
        if not todo:
            return
        kinds = [s for s in todo if s.kind == todo[0].kind]
        source = kinds[number % len(kinds)]
        if self._runs(source, verb, 0, PAGES):
            self.copying = source
        if not hold:
            self.end_of_runner(commit=True)

    @rule(commit=st.booleans())
    def end_of_runner(self, *, commit: bool) -> None:
        """The batch or the drain is committed; a table that was copied whole is done."""
        done = self.stage.finish(self.ground.runner, commit=commit)
        if done and self.copying is not None:
            self._copied(self.copying)
        self.copying = None

    @rule(number=st.integers(0, 7), replay=st.booleans(), hold=st.booleans())
    def drain(self, number: int, *, replay: bool, hold: bool) -> None:
        """Settle what waits for one source, perhaps with a look at every reject; its transaction may stay open."""
        self.end_of_runner(commit=True)
        if replay:
            self.world.do(_REPLAY)
        self.world.do("UPDATE changeover.queue SET not_before = NULL WHERE not_before IS NOT NULL")
        source = self.world.sources[number % len(self.world.sources)]
        self._runs(source, "drain", 1000)
        if not hold:
            self.end_of_runner(commit=True)

    @rule()
    def settle(self) -> None:
        """Everybody commits, everything is copied and drained."""
        self.judgement()

    # -- what must hold --------------------------------------------------------------------------------

    @invariant()
    def pending(self) -> None:
        """P5 in this snapshot."""
        if len(self.copied) < len(self.world.sources):
            return
        found = self.ground.differences()
        if found is None:
            return
        different, waiting = found
        if different and not waiting:
            message = f"P5: differs, and nothing waits: {different}"
            raise AssertionError(message)

    def judgement(self) -> None:
        """P1, P5, A1, A3 and what the applications remember, with everything settled."""
        self.stage.finish_all()
        self._copy_all()
        self.world.drain()
        if different := self.ground.differences():
            assert different == ([], []), f"P5: settled, and it differs: {different[0]}"
        self.world.check()
        found = {}
        for side, query in self.cast.found.items():
            found[side] = [(tag, row) for tag, row, *_ in self.world.rows(query)]
        if wrong := self.stage.memory.judge(found):
            raise AssertionError("\n".join(wrong))

    def teardown(self) -> None:
        """Once more at the end."""
        try:
            self.judgement()
        finally:
            self.stage.clear()

    # -- how -------------------------------------------------------------------------------------------

    def _do(self, act: Act) -> None:
        session = self.ground.applications[act.who]
        if isinstance(act.operation, Turn):
            self._turn(session, act)
            return
        statement = self._statement(act.operation)
        rival = None if isinstance(act.wait, Wait) else self._statement(act.wait)
        self.stage.begin(session, act.level)
        self.stage.write(session, statement, act.wait if isinstance(act.wait, Wait) else Wait.MEET, rival)
        if act.then != "stay":
            self.stage.finish(session, commit=act.then == "commit")

    def _turn(self, session: Session, act: Act) -> None:
        if act.operation is Turn.LOOK:
            self.stage.begin(session, act.level)
            self.stage.look(session, self.cast.look)
        elif act.operation is Turn.SAVEPOINT:
            self.stage.savepoint(session)
        else:
            self.stage.finish(session, commit=act.operation is Turn.COMMIT)

    def _statement(self, operation: Operation) -> Statement:
        statement = self.cast.statement(operation, self.made)
        if place := operation.makes:
            self.made.append(place)
        return statement

    def _copy_all(self) -> None:
        self.end_of_runner(commit=True)
        for source in self.world.sources:
            if source.id not in self.copied:
                if not self._runs(source, "batch", 0, PAGES):
                    assert self._runs(source, "isolate", 0, PAGES)
                self.stage.finish(self.ground.runner, commit=True)
                self._copied(source)

    def _copied(self, source: Source) -> None:
        note(f"runner: {source.table.label} is copied")
        self.world.conn.execute("UPDATE changeover.source SET state = 'copied' WHERE id = %s", (source.id,))
        self.copied.add(source.id)
        self.stage.memory.copied = len(self.copied) == len(self.world.sources)

    def _runs(self, source: Source, verb: str, *arguments: Any) -> bool:
        """One function of the runner, in a transaction that stays open. False when it gave way."""
        runner = self.ground.runner
        self.stage.begin(runner, "READ COMMITTED")
        runner.conn.execute("SET LOCAL lock_timeout = '40ms'")
        note(f"runner: {verb} of {source.kind} {source.table.label} (m{source.id})")
        try:
            done = self.world.call(runner.conn, source, verb, *arguments)
        except psycopg.Error as exc:
            note(f"runner:   -> {exc.sqlstate} {exc}")
            assert isinstance(exc, _CONTENTION) or (
                verb == "batch" and (exc.sqlstate or "").startswith(("22", "23"))
            ), exc
            self.stage.finish(runner, commit=False)
            return False
        note(f"runner:   -> {done}")
        return True


def machine(ground: Ground) -> type[Mirrors]:
    """The machine of one world."""
    return type("Machine", (Mirrors,), {"ground": ground})
