"""The copy step: hands a mapping's sources to the backfill engine, and looks for change while it runs.

About once a second, before a batch, the catalog is asked: is there a new table that the discovery would
find, or a column that the compiled functions do not know? A new table gets its mirror at once and is
copied with the others; a changed one is compiled anew and its rows are derived again. Nothing restarts.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from backfill.engine import backfill
from backfill.refs import SourceRef
from orchestrator.engine import queries
from orchestrator.engine.contract import old_name
from orchestrator.engine.drift import standing
from orchestrator.engine.drift.watch import Watch
from orchestrator.engine.errors import StoppedError
from orchestrator.engine.run import runner
from orchestrator.kernel import failpoints
from orchestrator.ledger import phases as ledger_phases
from orchestrator.ledger import sources as ledger_sources
from orchestrator.ledger import verifications
from orchestrator.ledger.errors import DriftError
from orchestrator.ledger.store import About
from orchestrator.mapping import catalog
from phases.actions import Role, grouped, made, mirrors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.engine.session import Session
    from orchestrator.engine.stage_compiler import StageCompiler
    from orchestrator.ledger.sources import Source
    from orchestrator.mapping.compile import Compiled
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.model import Stage

_TAKEN_IN = failpoints.declare("engine.source.taken_in", "a table that came late is mirrored, not yet copied")
_CHANGED = failpoints.declare("engine.source.changed", "a source with other columns is compiled anew")
_SOURCE_GROUP = "functions m{}"


def copy(session: Session, stage: Stage, mapping_id: int) -> dict[str, Any]:
    """Copy what is left of a mapping's sources; returns what the phase reports."""
    about = About(session.plan.name, stage.stage, "backfill")
    # One watch for all copies of a stage: to look at every mapping's tables before each of them is worth it only where
    # something has changed since the last look.
    watch = session.watches.setdefault(stage.stage, Watch(session, stage))
    if watch.changed():
        refresh(session, stage)
    for source in _of(session, stage, mapping_id):
        if source.state == "mirrored":
            ledger_sources.move(session.ledger, source, "copying", about)
    refs = [_ref(s) for s in _of(session, stage, mapping_id) if s.state in {"copying", "copied"}]
    wait, copied = _parentless(session, stage, mapping_id), _copied(session, stage)
    due = [r for r in refs if (r.mode == "resync" or r.id not in copied) and r.id not in wait]
    if not due:
        return {"rows": 0}
    lock = threading.Lock()

    async def look(_source: SourceRef) -> Sequence[SourceRef] | None:
        def ask() -> Sequence[SourceRef]:
            with lock:
                if not watch.changed():
                    return []
                changed = refresh(session, stage)
                mine = {s.id for s in _of(session, stage, mapping_id)} - _parentless(session, stage, mapping_id)
                return [r for r in changed if r.id in mine]

        return await asyncio.to_thread(ask)

    async def run() -> Any:
        stop = asyncio.Event()
        following = asyncio.create_task(follow(session.stop, stop))
        try:
            return await backfill(
                session.dsn,
                due,
                workers=session.workers,
                fence=session.fence,
                settings=session.terms.runtime.settings,
                runtime=session.terms.runtime,
                bus=session.bus,
                stop=stop,
                before_batch=look,
            )
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    result = asyncio.run(run())
    if not result.complete:
        raise StoppedError(f"The copy of stage {stage.stage}")
    session.conn.execute(queries.load("copied_mode.sql"), {"mapping": mapping_id})
    return {
        "rows": result.rows_seen,
        "copied": result.rows_copied,
        "rejected": result.rows_rejected,
        "batches": result.batches,
        "retries": result.retries,
        "drained": result.drained,
        "seconds": round(result.seconds, 3),
        "paused_seconds": round(result.paused_seconds, 3),
    }


def lineage(session: Session, stage: Stage) -> list[Stage]:
    """The stages that this one stands on, the first one first."""
    before = next((s for s in session.plan.model.stages if s.stage == stage.after), None)
    return [] if before is None else [*lineage(session, before), before]


def catch_up(session: Session, stages: Sequence[Stage]) -> None:
    """Take in and copy what came late to stages that were copied.

    A part goes nowhere without the whole: rows of a split are left out as long as their parents are not there. So the
    stages that another one stands on catch up before it.
    """
    for each in stages:
        copied = ledger_phases.get(session.ledger, session.run, each.stage, "backfill")
        if copied is None or copied.state != "done":
            continue
        refresh(session, each)
        every = ledger_sources.every(session.ledger, session.plan.name, each.stage)
        late = {s.mapping_id for s in every if s.state not in {"copied", "archived"} or s.mode == "resync"}
        for mapping_id in sorted(late):
            copy(session, each, mapping_id)


def not_taken_in(session: Session, stage: Stage) -> list[str]:
    """Tables of a stage that are new, or not copied yet; raises DriftError where a table's columns have changed."""
    compiler = session.compiler
    names = []
    for mapping in stage.mappings:
        drifted = _drifted(session, stage, mapping)
        if drifted:
            raise DriftError(
                f"The columns of {', '.join(s.name for s in drifted)} have changed; the comparison knows the old ones.",
                kept="Nothing was changed.",
                todo=f"`changeover run backfill --plan {session.plan.argument} --stage {stage.stage}` takes them in; "
                "`changeover verify --repair` does it as well.",
            )
        known = _of(session, stage, compiler.mapping_id(stage, mapping))
        names += [s.name for s in known if s.state not in {"copied", "archived"} or s.mode == "resync"]
        if mapping.grows:
            oids = {s.oid for s in known}
            names += [f.table.label for f in compiler.discover(mapping)[0] if f.table.oid not in oids]
    return names


def refresh(session: Session, stage: Stage) -> list[SourceRef]:
    """Take in new tables and changed columns of every mapping of a stage; the sources to copy or derive again."""
    compiler = session.compiler
    changed: list[SourceRef] = []
    for mapping in stage.mappings:
        with catalog.read_once(session.conn):
            new = _new(session, stage, mapping)
            drifted = _drifted(session, stage, mapping)
        standing.check_columns(session, mapping, drifted)
        if new or drifted or _unmirrored(session, stage, mapping):
            changed += _take_in(session, stage, compiler, mapping, drifted)
    return changed


def _new(session: Session, stage: Stage, mapping: Mapping) -> bool:
    """Whether a mapping finds a table that is not taken in, or one by other discriminators."""
    if not mapping.grows:
        return False
    # Of this mapping: another one may have met the table a moment earlier.
    known = {s.oid: s for s in _of(session, stage, session.compiler.mapping_id(stage, mapping))}
    found, _ = session.compiler.discover(mapping)
    return any(f.table.oid not in known or known[f.table.oid].discriminators != f.discriminators for f in found)


def _take_in(
    session: Session, stage: Stage, compiler: StageCompiler, mapping: Mapping, drifted: Sequence[Source]
) -> list[SourceRef]:
    compiled = compiler.compile(stage, mapping)
    about = About(session.plan.name, stage.stage, "dual-write")
    rows = {s.id: s for s in _of(session, stage, compiled.mapping_id)}
    fresh = [s for s in rows.values() if s.state == "found"]
    if fresh or drifted:
        verifications.discard(session.ledger, session.plan.name, stage.stage, why="its tables have changed")
    recompile(session, compiled)
    for source in fresh:
        session.bus.emit("source.taken_in", stage=stage.stage, source=source.name, mapping=compiled.name)
        _mirror(session, stage, compiled, source)
        ledger_sources.move(session.ledger, source, "mirrored", about)
        failpoints.failpoint(_TAKEN_IN)
        ledger_sources.move(session.ledger, source, "copying", about)
    again = []
    for source in drifted:
        session.bus.emit("source.changed", stage=stage.stage, source=source.name, mapping=compiled.name)
        table = catalog.read_table(session.conn, source.oid)
        session.conn.execute(queries.load("source_changed.sql"), {"id": source.id, "fingerprint": table.fingerprint})
        failpoints.failpoint(_CHANGED)
        if source.state == "archived":
            session.bounded(b"SELECT", within=partial(old_name.renew, table=table, home=source.schema_name))
        if source.state in {"copied", "copying"}:
            again.append(SourceRef(source.id, source.name, source.oid, "resync"))
    return [*(SourceRef(s.id, s.name, s.oid, "copy") for s in fresh), *again]


def recompile(session: Session, compiled: Compiled) -> None:
    """Put the functions and views as they are compiled now in place of those that stand."""
    for item in compiled.functions:
        session.conn.execute(item.create.encode())
    for view in compiled.views:
        there = session.conn.execute(view.exists.encode()).fetchone()
        if not (there and there[0]):
            session.bounded(view.create.encode())


def _mirror(session: Session, stage: Stage, compiled: Compiled, source: Source) -> None:
    """The mirror of a source that came late, recorded like the others."""
    owner = f"m{source.id}"
    mine = [f for f in compiled.functions if f.owner == owner]
    runner.carry_out(
        session,
        stage.stage,
        "dual-write",
        grouped(_SOURCE_GROUP.format(source.id), mine, f"functions of {source.name}", Role.FUNCTIONS),
    )
    for index in compiled.indexes:
        if index.owner == owner:
            runner.carry_out(session, stage.stage, "expand", made(index))
    for action in mirrors([t for t in compiled.source_triggers if t.owner == owner], in_place=compiled.in_place):
        runner.carry_out(session, stage.stage, "dual-write", action)
    for table, view in zip(compiled.sources, compiled.views, strict=bool(compiled.views)):
        if table.oid == source.oid:
            runner.carry_out(session, stage.stage, "dual-write", grouped(view.id, [view], view.doc))


def _drifted(session: Session, stage: Stage, mapping: Mapping) -> list[Source]:
    rows = session.conn.execute(
        queries.load("drifted.sql"),
        {"plan": session.plan.name, "stage": stage.stage, "mapping": mapping.label},
    ).fetchall()
    now = catalog.read_tables(session.conn, {oid for _, oid, _ in rows})
    ids = {source_id for source_id, oid, fingerprint in rows if oid in now and now[oid].fingerprint != fingerprint}
    return [s for s in ledger_sources.every(session.ledger, session.plan.name, stage.stage) if s.id in ids]


def _parentless(session: Session, stage: Stage, mapping_id: int) -> set[int]:
    """Sources that have to wait for the mapping that makes the parents of their rows."""
    compiler = session.compiler
    parent = next(
        (m.parent_table for m in stage.mappings if compiler.mapping_id(stage, m) == mapping_id),
        None,
    )
    if parent is None:
        return set()
    rows = session.conn.execute(queries.load("parentless.sql"), {"mapping": mapping_id, "parent": parent}).fetchall()
    return {row[0] for row in rows}


def _unmirrored(session: Session, stage: Stage, mapping: Mapping) -> bool:
    row = session.conn.execute(
        queries.load("unmirrored.sql"),
        {"plan": session.plan.name, "stage": stage.stage, "mapping": mapping.label},
    ).fetchone()
    return bool(row and row[0])


def _of(session: Session, stage: Stage, mapping_id: int) -> list[Source]:
    every = ledger_sources.every(session.ledger, session.plan.name, stage.stage)
    return [s for s in every if s.mapping_id == mapping_id]


def _copied(session: Session, stage: Stage) -> set[int]:
    every = ledger_sources.every(session.ledger, session.plan.name, stage.stage)
    return {s.id for s in every if s.state in {"copied", "archived"}}


def _ref(source: Source) -> SourceRef:
    return SourceRef(source.id, source.name, source.oid, "resync" if source.mode == "resync" else "copy")


async def follow(asked: threading.Event, stop: asyncio.Event) -> None:
    """Turn the session's stop, which a signal or the heartbeat sets in another thread, into the engine's."""
    while not asked.is_set():  # noqa: ASYNC110 - a threading.Event cannot be awaited
        await asyncio.sleep(0.1)
    stop.set()
