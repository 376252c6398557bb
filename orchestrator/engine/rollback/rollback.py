"""The way back: phases in reverse, each recorded action undone by the inverse that was recorded with it.

Stages go back in reverse as well: a later stage may refer to the tables of an earlier one. Readers go back before
what they read: the flag is lowered first. What the mirrors hold is another matter, see `emptying`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg import sql

from flags import store as flag_store
from flags.stages import Stage as FlagStage
from orchestrator.engine import queries
from orchestrator.engine.contract import archiving, column_archive, usage
from orchestrator.engine.drain import drain
from orchestrator.engine.drift import standing
from orchestrator.engine.errors import OrderError
from orchestrator.engine.results import PhaseResult
from orchestrator.engine.rollback import emptying, going_columns, new_only, readers, rows_in_the_way, undone_so_far
from orchestrator.engine.run import runner
from orchestrator.kernel import failpoints
from orchestrator.kernel.sqltokens import table_label
from orchestrator.ledger import actions as ledger_actions
from orchestrator.ledger import approvals, check_results, runs, verifications, waivers
from orchestrator.ledger import phases as ledger_phases
from orchestrator.ledger import sources as ledger_sources
from orchestrator.ledger.store import About
from orchestrator.plan.created import created
from phases.actions import MADE_BY_US
from phases.registry import PHASES

if TYPE_CHECKING:
    from orchestrator.engine.rollback.going_columns import GoingColumns
    from orchestrator.engine.rollback.new_only import Kept
    from orchestrator.engine.session import Session
    from orchestrator.plan.model import Stage

_PHASE_BACK = failpoints.declare("engine.phase.back", "a phase is taken back, and recorded as that")
_NONE_LEFT = frozenset({"rolled_back", "pending"})


@dataclass(frozen=True, slots=True)
class Outline:
    """What a rollback is about to do."""

    kind: str
    phases: list[tuple[str, str]]
    flags: list[readers.RaisedFlag]

    @property
    def asks(self) -> bool:
        """Whether a person is asked: readers of a production database go back."""
        return self.kind == "cutover" and any(flag.live for flag in self.flags)


def outline(session: Session, *, stage: str | None, to: str | None) -> Outline:
    """What a rollback would take back, the first first, and which flags it would lower. Refuses as it does."""
    wanted = _wanted(session, stage)
    phases = _allowed(session, wanted, to)
    flags = [] if _may_be_read(to) else readers.raised(session.ledger, wanted, FlagStage.DUALWRITE)
    return Outline(session.run.kind, [(each.stage, name) for each, name in phases], flags)


def roll_back(session: Session, *, stage: str | None, to: str | None, reason: str = "") -> list[PhaseResult]:
    """Take stages back until ``to`` is the last phase done (everything when it is None)."""
    wanted = _wanted(session, stage)
    ahead = _allowed(session, wanted, to)
    if ahead:
        if session.run.state == "finished":
            runs.move(session.ledger, session.run, "active", reason="taken up again to be rolled back")
        session.ledger.event("rollback.begun", About(session.plan.name, stage), to=to, reason=reason)
    with undone_so_far.told(session.bus):
        if ahead and not _may_be_read(to):
            readers.send_back(session, wanted, reason=reason)
        results = [_take_back(session, each, name) for each, name in ahead]
        _drop_empty_schemas(session)
    if to is None and all(p.state in _NONE_LEFT for p in ledger_phases.every(session.ledger, session.run)):
        runs.move(session.ledger, session.run, "rolled_back", reason="every phase was taken back")
        failpoints.failpoint(runs.ENDED)
    return results


def _wanted(session: Session, stage: str | None) -> list[Stage]:
    return [each for each in session.plan.model.stages if stage in {None, each.stage}]


def _allowed(session: Session, wanted: list[Stage], to: str | None) -> list[tuple[Stage, str]]:
    """The phases that are to be taken back; raises what stops the way back before its first step."""
    standing.check_old_side(session)
    _check_others(session, wanted, to)
    ahead = _ahead(session, wanted, to)
    new_only.refuse_filled(session, ahead)
    rows_in_the_way.refuse(session, [(each.stage, name) for each, name in ahead])
    return ahead


def _ahead(session: Session, wanted: list[Stage], to: str | None) -> list[tuple[Stage, str]]:
    """The phases that are to be taken back, in the order in which they are.

    A table that two stages read is archived for both at once, so the contract of either goes before the rest of both.
    """
    names = list(PHASES)[list(PHASES).index(to) + 1 if to is not None else 0 :]
    order: dict[tuple[str, str], Stage] = {}
    for each in reversed(wanted):
        shares = [other for other in reversed(wanted) if _read_the_same(session, each, other)]
        order |= {(other.stage, name): other for other in shares for name in names if name == "contract"}
        order |= {(each.stage, name): each for name in reversed(names)}
    return [
        (each, name)
        for (stage, name), each in order.items()
        if (found := ledger_phases.get(session.ledger, session.run, stage, name)) is not None
        and found.state not in _NONE_LEFT
    ]


def _read_the_same(session: Session, one: Stage, other: Stage) -> bool:
    """Whether two stages have an old table in common."""
    first, second = (
        {source.oid for source in ledger_sources.every(session.ledger, session.plan.name, each.stage)}
        for each in (one, other)
    )
    return not first.isdisjoint(second)


def _may_be_read(to: str | None) -> bool:
    """Whether the new tables may still be read when `to` is the last phase done."""
    return to is not None and list(PHASES).index(to) >= list(PHASES).index("verify")


def _check_others(session: Session, wanted: list[Stage], to: str | None) -> None:
    """Refuse where a stage that stays comes after one that goes, fills its tables, or has archived what it reads."""
    names = [s.stage for s in wanted]
    expands = wanted if to is None else []
    made = created(text for each in expands for _, text in session.plan.statements(each.expand))
    for each in session.plan.model.stages:
        standing = {
            p.phase
            for p in ledger_phases.every(session.ledger, session.run)
            if p.stage == each.stage and p.state not in _NONE_LEFT
        }
        if each.stage in names or not standing:
            continue
        if each.after in names or any(table_label(mapping.target) in made for mapping in each.mappings):
            below = each.after if each.after in names else ", ".join(names)
            why = f"Stage {each.stage} stands on stage {below}."
        elif "contract" in standing and _unfilled(to) and any(_read_the_same(session, each, w) for w in wanted):
            why = f"Stage {each.stage} has archived tables that stage {', '.join(names)} reads as well."
        else:
            continue
        raise OrderError(
            why,
            kept="Nothing was changed.",
            todo=f"Take it back first: `changeover rollback --plan {session.plan.argument} --stage {each.stage}`.",
        )


def _unfilled(to: str | None) -> bool:
    """Whether the new tables are no longer filled when `to` is the last phase done."""
    return to is None or list(PHASES).index(to) < list(PHASES).index("backfill")


def _take_back(session: Session, stage: Stage, name: str) -> PhaseResult:
    begun = time.monotonic()
    session.bus.emit("phase.rolling_back", stage=stage.stage, phase=name)
    ledger_phases.begin_back(session.ledger, session.run, stage.stage, name, epoch=session.epoch)
    _prepare(session, stage, name)
    if name == "dual-write":
        emptying.take_mirrors_away(session, stage)
    kept: dict[str, Kept | GoingColumns] = {}
    with_table: set[str] = set()
    if name == "expand":
        kept = {**new_only.kept(session, stage), **going_columns.kept(session, stage)}
        with_table = going_columns.with_table(session, stage)
    for action in reversed(ledger_actions.every(session.ledger, session.run, stage.stage, name)):
        if action.state != "undone":
            first = kept.get(action.action_id)
            column_archive.before(session, stage, action)
            undoing = replace(action, inverse=None) if action.action_id in with_table else action
            runner.take_back(session, undoing, "" if first is None else first.statement)
            column_archive.after(session, stage, action)
    archived = {".".join(each.place): rows for each in kept.values() if (rows := each.rows(session.conn))}
    for place, rows in archived.items():
        session.bus.emit("rows.archived", stage=stage.stage, place=place, rows=rows)
        session.ledger.event("rows.archived", About(session.plan.name, stage.stage, name), place=place, rows=rows)
    _clear(session, stage, name)
    ledger_phases.roll_back(session.ledger, session.run, stage.stage, name, epoch=session.epoch)
    seconds = round(time.monotonic() - begun, 3)
    session.bus.emit("phase.rolled_back", stage=stage.stage, phase=name, seconds=seconds)
    failpoints.failpoint(_PHASE_BACK)
    return PhaseResult(stage.stage, name, "rolled_back", seconds, {"archived": archived} if archived else {})


def _prepare(session: Session, stage: Stage, name: str) -> None:
    """Before the actions are undone: readers go back first, archived tables return, nobody has agreed to anything."""
    approvals.withdraw(session.ledger, session.run, stage.stage)
    waivers.withdraw(session.ledger, session.run, stage.stage)
    check_results.withdraw(session.ledger, session.run, stage.stage)
    if name == "contract":
        sources = ledger_sources.every(session.ledger, session.plan.name, stage.stage)
        drain.empty_queue(session, sources, "reverse")
        for source in reversed(sources):
            archiving.restore(session, stage.stage, source.oid)
        usage.forget(session.conn, [source.oid for source in sources])
    elif name in {"verify", "backfill"}:
        verifications.discard(session.ledger, session.plan.name, stage.stage, why=f"{name} was taken back")
    elif name == "dual-write":
        readers.lower(session, [stage], FlagStage.OFF, reason="the mirrors are taken away")


def _clear(session: Session, stage: Stage, name: str) -> None:
    """After the actions are undone: what the ledger and the new tables hold of the phase."""
    if name == "backfill":
        _sources_to(session, stage, "mirrored", name)
    elif name == "dual-write":
        _sources_to(session, stage, "found", name)
    elif name == "expand":
        column_archive.finish_all(session, stage)
        values = {"plan": session.plan.name, "stage": stage.stage}
        session.conn.execute(queries.load("forget_stage.sql"), values)
        if stage.flag is not None:
            flag_store.delete(session.conn, stage.flag, flag_store.By(session.ledger.actor, "its stage was taken back"))


def _sources_to(session: Session, stage: Stage, state: str, phase: str) -> None:
    about = About(session.plan.name, stage.stage, phase)
    for source in ledger_sources.every(session.ledger, session.plan.name, stage.stage):
        if source.state not in {state, "found"}:
            ledger_sources.move(session.ledger, source, state, about)
    session.conn.execute(queries.load("forget_chunks.sql"), {"plan": session.plan.name, "stage": stage.stage})


def _drop_empty_schemas(session: Session) -> None:
    """Schemas of ours in which nothing stands any more."""
    values = {"mark": MADE_BY_US}
    for schema in session.conn.execute(queries.load("empty_schemas.sql"), values).fetchall():
        session.conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {}").format(sql.Identifier(schema[0])))
