"""The end of the way back: the archived tables are dropped, with the views, mirrors and functions that kept them.

Everything of a plan goes at once, since its stages may read the same tables, and only when all that can be known says
that nobody needs it: contract is done and the plan's days have passed since, the flag is at its last stage, no reject
is open, and a comparison made now finds both sides equal. The drop is one transaction under a lock that keeps writers
of both sides out; it never says CASCADE, so what somebody has hung on an old table is named, and stays.

What the new tables carry of the old ones (the originals, the names of rules a row breaks) stays too, as do the rejects.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from flags import store as flag_store
from flags.errors import UnknownFlagError
from flags.stages import Stage as FlagStage
from orchestrator.engine import queries
from orchestrator.engine.contract import key_sequence, old_name, retire_names, usage
from orchestrator.engine.drain import drain
from orchestrator.engine.drift import standing
from orchestrator.engine.errors import DifferencesError, OrderError, StageGateError
from orchestrator.engine.verify import verifying
from orchestrator.kernel import failpoints
from orchestrator.kernel.errors import RefusedError
from orchestrator.ledger import actions as ledger_actions
from orchestrator.ledger import leases, rejects
from orchestrator.ledger import phases as ledger_phases
from orchestrator.ledger import sources as ledger_sources
from orchestrator.mapping import catalog, view

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.engine.session import Session
    from orchestrator.ledger.sources import Source
    from orchestrator.plan.model import Stage

_RETIRED: Final = failpoints.declare("engine.retired", "the archived tables are dropped and that is recorded")


@dataclass(frozen=True, slots=True)
class Archived:
    """An archived table, with its estimated rows and its size on disk in bytes."""

    oid: int
    schema: str
    name: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Retirement:
    """What would be dropped, from when on it may be, and what still speaks against it."""

    plan: str
    tables: list[Archived]
    views: list[str]
    due: datetime | None
    unmet: list[str]
    done: bool = False
    """Whether it has been dropped (now, or before)."""
    dependents: list[str] = field(default_factory=list)
    """What somebody has hung on an old table or on the view under its name, in words."""


def look(session: Session, *, compared: bool = False) -> Retirement:
    """What there is to drop, and whether it may be; `compared`: where nothing else speaks against it, also both sides.

    Nothing is changed, but that a comparison drains what waits.
    """
    if standing.retired(session) is not None:
        retire_names.finish(session, session.plan.model.stages)  # a kill may have come before it
        return Retirement(session.plan.name, [], [], None, [], done=True)
    stages, sources, ending = _retiring(session)
    due = max(_archived_since(session, s) + timedelta(days=s.contract.keep_days if s.contract else 0) for s in stages)
    unmet = [] if session.run.kind == "rehearsal" else [*_unmet(session, stages, due), *_used(session, stages, sources)]
    dependents = _dependents(session.conn, sources, ending)
    if compared and not (unmet or dependents):
        unmet += [error.what for error in _differences(session, stages)]
    return Retirement(
        session.plan.name,
        _tables(session.conn, sources),
        [
            *(f"{r['nspname']}.{r['relname']}" for r in _views(session.conn, sources)),
            *(each.label for each in retire_names.endings(session.conn, stages)),
        ],
        due,
        unmet,
        dependents=dependents,
    )


def retire(session: Session) -> Retirement:
    """Drop it. Raises a gate's error (3), what a comparison finds (4), or what depends on an old table (5)."""
    found = look(session)
    if found.done:
        return found
    if found.unmet:
        raise StageGateError(
            f"The old tables of plan {session.plan.name} are still needed: {'; '.join(found.unmet)}.",
            kept="Nothing was changed; contract can still be taken back.",
            todo=f"`changeover retire {session.plan.argument} --dry-run` shows what there is to drop.",
        )
    if found.dependents:
        raise RefusedError(
            f"Something else depends on an old table: {'; '.join(found.dependents)}.",
            kept="Nothing was changed.",
            todo="Drop it, or make it refer to the new table; then run the same command again.",
        )
    stages, sources, ending = _retiring(session)
    for error in _differences(session, stages):
        raise error
    retire_names.keep(session, stages)
    _drop(session, stages, sources, ending, found)
    retire_names.finish(session, stages)
    failpoints.failpoint(_RETIRED)
    session.bus.emit("plan.retired", plan=session.plan.name, tables=len(found.tables))
    return Retirement(found.plan, found.tables, found.views, found.due, [], done=True)


def _differences(session: Session, stages: Sequence[Stage]) -> Iterator[DifferencesError]:
    """What a comparison of both sides finds, stage by stage."""
    for stage in stages:
        result = verifying.verify(session, stage)
        if not result.clean:
            yield DifferencesError([result], session.plan.argument)


def _retiring(session: Session) -> tuple[list[Stage], list[Source], list[Source]]:
    """The stages whose old tables are archived, their sources, and those whose mirror alone ends.

    All of a plan's, or an error.
    """
    stages, sources, ending = [], [], []
    for stage in session.plan.model.stages:
        live_on = {session.compiler.mapping_id(stage, m) for m in stage.mappings if m.sources_live_on}
        end = {session.compiler.mapping_id(stage, m) for m in stage.mappings if m.old_columns is not None}
        every = ledger_sources.every(session.ledger, session.plan.name, stage.stage)
        mine = [s for s in every if s.mapping_id not in live_on or s.state == "archived"]
        archived = [s for s in mine if s.state == "archived"]
        stays = stage.contract is None or stage.contract.archive == "none" or not mine
        ends = stage.contract is not None and retire_names.has(stage)
        if not archived and stays and not ends:
            continue  # its old tables stay in use
        if (len(archived) < len(mine) and not stays) or (
            stage.contract is not None and not _contracted(session, stage)
        ):
            raise OrderError(
                f"Stage {stage.stage} has not been through contract: its old tables are in use.",
                kept="Nothing was changed.",
                todo=f"`changeover start {session.plan.argument}` goes on with it.",
            )
        if archived or ends:
            stages.append(stage)
            sources += archived
            ending += [s for s in every if s.mapping_id in end]
    if not stages:
        raise OrderError(f"Plan {session.plan.name} archives no tables.", kept="Nothing was changed.")
    return stages, sources, ending


def _contracted(session: Session, stage: Stage) -> bool:
    found = ledger_phases.get(session.ledger, session.run, stage.stage, "contract")
    return found is not None and found.state == "done"


def _archived_since(session: Session, stage: Stage) -> datetime:
    found = ledger_phases.get(session.ledger, session.run, stage.stage, "contract")
    return datetime.min.replace(tzinfo=UTC) if found is None or found.ended_at is None else found.ended_at


def _unmet(session: Session, stages: list[Stage], due: datetime) -> list[str]:
    """What speaks against it, in words."""
    unmet = []
    if datetime.now(UTC) < due:
        unmet.append(f"they are kept until {due:%Y-%m-%d %H:%M} UTC")
    for stage in stages:
        counts = rejects.counts(session.ledger, rejects.Which(plan=session.plan.name, stage=stage.stage, state="open"))
        if waiting := sum(c.rows for c in counts):
            unmet.append(f"stage {stage.stage} has {waiting} open rejects")
        if stage.flag is None:
            continue
        try:
            at = flag_store.get(session.conn, stage.flag).stage
        except UnknownFlagError:
            continue
        if at != FlagStage.COMPLETE:
            unmet.append(f"flag {stage.flag} is {at}, wanted is {FlagStage.COMPLETE}")
    return unmet


def _used(session: Session, stages: list[Stage], sources: list[Source]) -> list[str]:
    """Whether somebody still reads or writes the old tables."""
    views = [*(row["oid"] for row in _views(session.conn, sources)), *retire_names.views(session.conn, stages)]
    hours = max((stage.contract.quiet for stage in stages if stage.contract is not None), default=0.0)
    return usage.unmet(session.conn, session.plan.name, views, hours)


def _drop(
    session: Session, stages: list[Stage], sources: list[Source], ending: list[Source], found: Retirement
) -> None:
    """Views, triggers, functions, tables, and the word of it, in one transaction."""
    every = [*sources, *ending]
    values = {"owners": _owners(every)}
    named = [sql.Identifier(t.schema, t.name) for t in found.tables]
    ends = retire_names.endings(session.conn, stages)
    rows = [r for s in stages for r in _rows(session.conn, "mapping_targets.sql", _of(session, s))]
    targets = [sql.Identifier(nspname, relname) for nspname, relname in {(r["nspname"], r["relname"]) for r in rows}]

    def drop(conn: psycopg.Connection[Any]) -> None:
        leases.fence(conn, session.plan.name, session.epoch)
        with old_name.named_dependents():
            _give_back_numbers(session, stages)
            sequences = [s for each in _views(conn, sources) for s in old_name.drop(conn, each)]
            for t in _rows(conn, "retire_triggers.sql", values):
                where = sql.Identifier(t["nspname"], t["relname"])
                conn.execute(sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(t["tgname"]), where))
            functions = [name for (name,) in conn.execute(queries.load("retire_functions.sql"), values)]
            if functions:
                conn.execute(f"DROP FUNCTION {', '.join(functions)}".encode())
            if named:
                conn.execute(sql.SQL("DROP TABLE {}").format(sql.SQL(", ").join(named)))
            for statement in (each for end in ends for each in end.statements):
                conn.execute(statement.encode())
        old_name.drop_unused(conn, sequences)
        conn.execute(queries.load("forget_queue.sql"), {"sources": [s.id for s in every]})
        for stage in stages:
            conn.execute(queries.load("forget_chunks.sql"), _of(session, stage))
            where_to = (session.ledger, session.run, stage.stage, standing.RETIRE)
            ledger_phases.begin(*where_to, epoch=session.epoch)
            detail = {"tables": len(found.tables), "dropped": [asdict(t) for t in found.tables]}
            ledger_phases.finish(*where_to, epoch=session.epoch, detail=detail)

    others = dict.fromkeys(name for end in ends for name in end.locked)
    locked = [each.as_string(session.conn) for each in (*targets, *named)]
    # The views first, as their readers lock them.
    lock = f"LOCK TABLE {', '.join([*others, *locked])} IN ACCESS EXCLUSIVE MODE".encode()
    drain.under_lock(session, every, "both" if ending else "forward", lock, drop)


def _give_back_numbers(session: Session, stages: list[Stage]) -> None:
    """New keys that draw from an old table's sequence go on with their own."""
    for stage in stages:
        for mapping in stage.mappings:
            if mapping.common_key is None:
                continue
            name = key_sequence.action_id(catalog.require(session.conn, mapping.target), mapping.common_key.target)
            which = ledger_actions.Which(stage.stage, "expand", name)
            found = ledger_actions.get(session.ledger, session.run, which)
            if found is not None and found.state == "done" and found.inverse:
                session.conn.execute(found.inverse.encode())


def _owners(sources: list[Source]) -> list[str]:
    """The prefixes of the functions of sources and mappings."""
    return sorted({f"m{s.id}" for s in sources} | {f"x{s.mapping_id}" for s in sources})


def _dependents(conn: psycopg.Connection[Any], sources: list[Source], ending: list[Source]) -> list[str]:
    views = [r["oid"] for r in _views(conn, sources)]
    values = {"relations": [*views, *(s.oid for s in sources)], "views": views, "owners": _owners([*sources, *ending])}
    return [f"{r['what']} depends on {r['of']}" for r in _rows(conn, "retire_dependents.sql", values)]


def _of(session: Session, stage: Stage) -> dict[str, str]:
    return {"plan": session.plan.name, "stage": stage.stage}


def _tables(conn: psycopg.Connection[Any], sources: list[Source]) -> list[Archived]:
    rows = _rows(conn, "retire_tables.sql", {"tables": [s.oid for s in sources]})
    return [Archived(**row) for row in rows]


def _views(conn: psycopg.Connection[Any], sources: list[Source]) -> list[dict[str, Any]]:
    values = {"sources": [s.id for s in sources], "compat": view.SCHEMA}
    return _rows(conn, "retire_views.sql", values)


def _rows(conn: psycopg.Connection[Any], file: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    cursor = conn.cursor(row_factory=dict_row)
    return cursor.execute(queries.load(file), values).fetchall()
