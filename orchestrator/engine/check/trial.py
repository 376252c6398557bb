"""A plan tried out in a transaction that is rolled back: what would stop it half way.

The expand files make their tables, the compiler compiles against them, the functions and views of the mirrors are made
and read nothing, and what is built after the rows (indexes, foreign keys) is built on empty copies: a word that the
server does not know in some expression, or a key whose types do not fit, is better known before the copy than after it.
No trigger is made, and no table of the application is locked for an index or a key: that is what the copies are for.
No lock on a table of the application outlives the statement that took it (`scratch`, `rehearsal`).

Only what the server says about the text of the plan counts (SQLSTATE 42…). What values do is no matter here.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Final

import psycopg

from orchestrator.engine import queries
from orchestrator.engine.check import alter_trial, made_twice
from orchestrator.engine.check.outline import compile_stages
from orchestrator.engine.check.scratch import Scratch, about_the_plan
from orchestrator.engine.check.trial_mirrors import Mirrors
from orchestrator.engine.contract import renaming, taken_name, two_versions
from orchestrator.engine.run import standing_index
from orchestrator.engine.run.pulse import Pulse
from orchestrator.engine.stage_compiler import StageCompiler
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import ChangeoverError
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.ledger import schema
from orchestrator.ledger.store import Ledger
from orchestrator.mapping import catalog, view
from orchestrator.mapping.expressions import Scope
from orchestrator.mapping.memory import Memory
from orchestrator.plan import added
from orchestrator.plan.places import Places
from phases.actions import own_schema
from phases.alter import in_backfill
from phases.statements import ddl, foreign_key, index, index_head, key_head

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchestrator.mapping.compile import Compiled
    from orchestrator.mapping.expressions import Expression
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from phases.actions import Action
    from phases.base import Work

_CHILD, _PARENT = "changeover.twin", "changeover.twin_parent"
_TEXT_IS_WRONG: Final = "42"
_SYNTAX: Final = "42601"
_OVER_TARGET: Final = (Scope.BACK, Scope.TARGET, Scope.JOIN)


def problems(
    dsn: str, plan: LoadedPlan, stages: Collection[str], pulse: Pulse | None = None
) -> tuple[list[str], list[str]]:
    """What keeps these stages from being carried out, and what one should know of it, in words; nothing is changed.

    What says nothing about the plan (no connection, no lock) is raised.
    """
    chosen = [stage for stage in plan.model.stages if stage.stage in stages]
    try:
        with connect(dsn) as conn, conn.transaction(force_rollback=True):
            conn.execute("SET LOCAL lock_timeout = '2s'")
            schema.install(conn)
            trial = _Trial(conn, plan, pulse or Pulse())
            return trial.problems(chosen), trial.notes
    except (psycopg.Error, ChangeoverError) as exc:
        return [f"does not compile against this database: {about_the_plan(exc).what}"], []


class _Trial:
    """The plan, and the transaction in which it is tried."""

    def __init__(self, conn: psycopg.Connection, plan: LoadedPlan, pulse: Pulse) -> None:
        self._conn = conn
        self._scratch = Scratch(conn)
        self._plan = plan
        self._pulse = pulse
        memory = Memory(lambda pieces: pulse.tell("compiling, tables so far", pieces))
        self._compiler = StageCompiler(conn, Ledger(conn, "plan check"), plan, memory=memory)
        self._places = Places(plan.read("plan.yaml"))
        self.notes: list[str] = []
        self._standing: list[str] = []

    def problems(self, stages: list[Stage]) -> list[str]:
        """One thing after the other: what hangs on what is wrong already would only be said in other words."""
        found = [words for stage in stages for words in self._spelling(stage)]
        if found:
            return found
        found = [words for stage in stages for words in self._occupied(stage)]
        found += [words for stage in stages for words in taken_name.problems(self._conn, self._plan, stage)]
        found += [words for stage in stages for words in two_versions.problems(self._conn, self._plan, stage)]
        if found:
            return found
        items = compile_stages(self._compiler, stages)
        self.notes = [*self._standing, *(f"stage {item.stage}: {item.told}" for item in items if item.told)]
        self.notes += [words for stage in stages for words in self._compiler.number_notes(stage)]
        self.notes += [words for stage in stages for words in made_twice.notes(self._conn, stage)]
        self.notes += [words for stage in stages for words in alter_trial.notes(self._conn, stage)]
        self.notes += [words for stage in stages for words in renaming.notes(self._conn, stage)]
        found = [w for each in stages for w in alter_trial.problems(self._conn, self._plan, each, self._scratch)]
        found += [w for each in stages for w in renaming.problems(self._conn, self._plan, each)]
        if found:
            return found
        found = [words for stage in stages for words in self._ways_back(stage)]
        return found or [words for stage in stages for words in (*self._mirrors(stage), *self._afterwards(stage))]

    def _occupied(self, stage: Stage) -> Iterator[str]:
        """What the stage makes and what is there already without having been made by it."""
        work: Work = self._compiler.work(stage)
        made = [(place, ddl(place, statement)) for place, statement in [*work.expand, *work.columns]]
        made += [(place, foreign_key(place, statement)[0]) for place, statement in work.keys]
        for place, action in made:
            there = action.probe and not action.unless_there and self._is_there(action.probe)
            if there and not self._is_known(stage, action):
                yield f"{place} makes {action.id}, which is there already, and this plan has not made it"
        for place, action in _indexes(work):
            if not action.unless_there and not self._is_known(stage, action):
                words, stops = standing_index.told(self._conn, action) or ("", False)
                if stops:
                    yield f"{place} makes {action.id}, {words}"
                elif words:
                    self._standing.append(f"stage {stage.stage}: {place} makes {action.id}, {words}")

    def _is_known(self, stage: Stage, action: Action) -> bool:
        values = {"plan": self._plan.name, "stage": stage.stage, "action": action.id}
        return self._conn.execute(queries.load("action_known.sql"), values).fetchone() is not None

    def _is_there(self, probe: str) -> bool:
        try:
            with self._conn.transaction(force_rollback=True):
                row = self._conn.execute(probe.encode()).fetchone()
        except psycopg.Error:
            return False  # it names what the plan has yet to make
        return bool(row and row[0])

    def _spelling(self, stage: Stage) -> Iterator[str]:
        """Every expression by itself, so that the one with the syntax error is named."""
        for mapping, each in _expressions(stage):
            sorts = "order" in each.path
            text = f"SELECT 1 ORDER BY {each.text}" if sorts else f"SELECT ({each.text})"
            if (error := self._scratch.refused(text, state=_SYNTAX)) is not None:
                yield f"{self._place(stage, mapping, each)}: {error}"

    def _ways_back(self, stage: Stage) -> Iterator[str]:
        """What is computed over the new row, each by itself."""
        table = cache(partial(catalog.require, self._conn))
        for mapping, each in _expressions(stage):
            if each.scope in _OVER_TARGET:
                tables = [(mapping.target, "t"), *((lookup.table, n) for n, lookup in mapping.lookups.items())]
                found = [(table(t), n) for t, n in tables]
                rows = {n: t.sql for t, n in found} | {"t": mapping.over(found[0][0])}
                origin = ", ".join(f"{item} AS {quote(n)}" for n, item in rows.items())
                text = f"SELECT ({each.text}) FROM {origin} LIMIT 0"  # noqa: S608 - the plan's own SQL
                if (error := self._scratch.refused(text, state=_TEXT_IS_WRONG)) is not None:
                    yield f"{self._place(stage, mapping, each)}: {error}"

    def _mirrors(self, stage: Stage) -> Iterator[str]:
        """Functions and views, unless they stand already: then applications use them at this moment."""
        if (error := self._scratch.kept(own_schema(view.SCHEMA))) is not None:
            yield f"schema {view.SCHEMA}: {error}"
            return
        for mapping, compiled in zip(stage.mappings, self._compiler.compiled(stage), strict=True):
            self.notes += self._unfollowed(stage, mapping, compiled)
            yield from mapping.problems(self._conn, compiled)
            yield from self._own_indexes(compiled)
            yield from self._own_triggers(compiled)
            there = self._conn.execute(compiled.functions[0].exists.encode()).fetchone()
            if there is not None and there[0]:
                continue
            tried, of = 0, len(compiled.functions) + len(compiled.views)
            for number, wrong in Mirrors(self._scratch, compiled, self._compiler.tables_of(compiled)).problems():
                tried += number
                self._pulse.tell(f"trying the functions and views of {compiled.name}", tried, of)
                yield from wrong

    def _own_triggers(self, compiled: Compiled) -> Iterator[str]:
        """Tables of other owners that the mirror puts triggers on: only an owner may take one off again."""
        for table in _with_triggers(compiled):
            row = self._conn.execute(queries.load("owned.sql"), {"table": table}).fetchone()
            if row is not None and not row[0]:
                yield (
                    f"mapping {compiled.name}: the mirror needs triggers on {table}, which {row[1]} owns, and only an "
                    f"owner may take them off again. GRANT {row[1]} TO {row[2]}, or let {row[2]} own it"
                )

    def _unfollowed(self, stage: Stage, mapping: Mapping, compiled: Compiled) -> Iterator[str]:
        """The looked-up tables of whose changes nobody tells us."""
        for name, lookup in mapping.lookups.items():
            table = catalog.require(self._conn, lookup.table)
            if table.stored_sql not in _with_triggers(compiled) and not table.followed:
                why = f"{table.owner} owns it" if table.plain else "it is no plain table"
                yield (
                    f"stage {stage.stage}, mapping {mapping.label}: rows of {table.label} that change later are not "
                    f"followed (lookup {name}; {why}): what was looked up stays until the row is written again; "
                    "`verify` tells it, --repair mends it, and `rejects replay` takes in what was rejected"
                )

    def _own_indexes(self, compiled: Compiled) -> Iterator[str]:
        """The indexes that the mirror needs on the old tables; of a key that is not IMMUTABLE there can be none."""
        for each in compiled.indexes:
            head = index_head(each.id, each.create)
            twin = (
                f"CREATE TABLE {_CHILD} (LIKE {sql_name(head.table)} INCLUDING GENERATED); "
                f"{head.twin(_CHILD, 'changeover_twin')}"
            )
            if (error := self._scratch.refused(twin)) is not None:
                yield (
                    f"mapping {compiled.name}: the mirror needs an index on {'.'.join(head.table)} over {head.rest} "
                    f"({each.doc}), and it cannot be built: {error}. What the plan computes there must be IMMUTABLE: "
                    "`||` and coalesce() in the place of concat(), a fixed format in that of ::text of a time"
                )

    def _afterwards(self, stage: Stage) -> Iterator[str]:
        work: Work = self._compiler.work(stage)
        for place, statement in work.indexes:
            head = index_head(place, statement)
            twin = head.twin(_CHILD, "changeover_twin")
            yield from self._on_twins(stage, place, {_CHILD: sql_name(head.table)}, twin)
        for place, statement in [*work.keys, *work.contract_keys]:
            key = key_head(place, statement)
            twins = {_CHILD: key.table, **({_PARENT: key.parent} if key.parent else {})}
            named = {twin: sql_name(table) for twin, table in twins.items()}
            yield from self._on_twins(stage, place, named, key.on(_CHILD, _PARENT))

    def _on_twins(self, stage: Stage, place: str, twins: dict[str, str], statement: str) -> Iterator[str]:
        stages = self._plan.model.stages[: self._plan.model.stages.index(stage) + 1]
        made = []
        for twin, table in twins.items():
            like, columns = self._under_its_name(table)
            made.append(f"CREATE TABLE {twin} (LIKE {like} INCLUDING INDEXES INCLUDING GENERATED)")
            made += [f"ALTER TABLE {twin} RENAME COLUMN {quote(old)} TO {quote(new)}" for old, new in columns.items()]
        made += [
            f"ALTER TABLE {n} ADD COLUMN IF NOT EXISTS {quote(name)} {kind}"
            for n, t in twins.items()
            for name, kind in added.columns(stages, t).items()
        ]
        if (error := self._scratch.refused(*made, statement)) is not None:
            yield f"{place} cannot be built: {error}"

    def _under_its_name(self, table: str) -> tuple[str, dict[str, str]]:
        """The name that a table has now, and the columns whose names are others by the given one.

        A rename gives it another name in expand, which a trial does not carry out: before, only the old name is there;
        from then on the old name is a view, which has no indexes.
        """
        for rename in (each for stage in self._plan.model.stages for each in stage.rename if each.to is not None):
            old, new = rename.sql
            is_done = catalog.find(self._conn, new) is not None
            if table == new and not is_done:
                return old, rename.renamed
            if table == old and is_done:
                return new, {there: before for before, there in rename.renamed.items()}
        return table, {}

    def _place(self, stage: Stage, mapping: Mapping, each: Expression) -> str:
        number = self._plan.model.stages.index(stage)
        line = self._places.line(("stages", number, "mappings", stage.mappings.index(mapping), *each.path))
        return f"plan.yaml:{line}, {'.'.join(str(part) for part in each.path)}"


def _indexes(work: Work) -> Iterator[tuple[str, Action]]:
    """The indexes of files and of `alter`, and where they are declared."""
    yield from ((place, index(place, statement)) for place, statement in work.indexes)
    yield from ((f"alter {each.label}", made) for each in work.alter for made in in_backfill(each) if made.index)


def _expressions(stage: Stage) -> Iterator[tuple[Mapping, Expression]]:
    return ((mapping, each) for mapping in stage.mappings for each in mapping.expressions())


def _with_triggers(compiled: Compiled) -> list[str]:
    return sorted({each.table for each in (*compiled.target_triggers, *compiled.source_triggers)})
