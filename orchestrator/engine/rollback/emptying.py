"""Taking the mirrors away: the last thing on the way back at which a write could be lost.

Without its mirror a new table is out of date from the next write on, so it is emptied. A row that only the new side
can hold (of a scorecard that never had a table) would be lost by that: the way back stops before it. The order is
what makes it safe while both versions write. First go the views and the triggers of the old tables. Then, in one
transaction that keeps every writer off the new tables: what their mirror left behind is drained, it is looked
whether a row would be lost, the triggers go, the tables are emptied. The functions go last: until then somebody may
be calling them.

A table that is changed in place belongs to the application and is never emptied. Its old columns are current, so its
mirror goes as soon as nothing waits, in one transaction that keeps writers out.

A target that is not the plan's own keeps the rows of others: there the mapping takes its own rows out, some at a time,
once the mirrors of its sources are off (`Kind.take_back`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from orchestrator.engine import queries
from orchestrator.engine.drain import drain
from orchestrator.engine.errors import StoppedError
from orchestrator.engine.run import runner
from orchestrator.kernel import failpoints
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import qualified
from orchestrator.kernel.sqltokens import table_name
from orchestrator.kernel.words import counted
from orchestrator.ledger import actions as ledger_actions
from orchestrator.ledger import leases
from orchestrator.ledger import sources as ledger_sources
from orchestrator.ledger.store import About
from orchestrator.mapping import in_place_fills
from phases.actions import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.engine.session import Session
    from orchestrator.ledger.actions import Action
    from orchestrator.plan.model import Stage

_EMPTIED = failpoints.declare("engine.mirrors.removed", "no mirror is on, the new tables are empty")
_TAKEN_BACK = failpoints.declare("engine.rows.taken_back", "some derived rows are taken out, and that is committed")
_NO_LONGER_FILLED = failpoints.declare("engine.rows.no_longer_filled", "nothing is filled; no value is put back yet")
_PHASE = "dual-write"


def take_mirrors_away(session: Session, stage: Stage) -> None:
    """Undo dual-write."""
    standing = [
        a for a in ledger_actions.every(session.ledger, session.run, stage.stage, _PHASE) if a.state != "undone"
    ]
    standing.reverse()
    on_target = [a for a in standing if a.role == Role.TARGET_MIRROR]
    in_place = [a for a in standing if a.role == Role.IN_PLACE_MIRROR]
    functions = [a for a in standing if a.role == Role.FUNCTIONS]
    if on_target:
        _refuse_new_only(session.conn, session, stage)
    _refuse_hindered(session, stage)
    for action in standing:
        if action not in on_target and action not in in_place and action not in functions:
            runner.take_back(session, action)
    if in_place:
        _let_go(session, stage, in_place)
    _take_rows_back(session, stage)
    if on_target:
        _empty(session, stage, on_target)
    for action in functions:
        runner.take_back(session, action)


def _empty(session: Session, stage: Stage, triggers: Sequence[Action]) -> None:
    cursor = session.conn.cursor(row_factory=dict_row)
    values = {"plan": session.plan.name, "stage": stage.stage}
    emptied = {mapping.label for mapping in stage.mappings if mapping.empties_target}
    found = cursor.execute(queries.load("mapping_targets.sql"), values).fetchall()
    rows = [r for r in found if r["name"] in emptied]
    targets = sql.SQL(", ").join(sql.Identifier(r["nspname"], r["relname"]) for r in rows)

    def empty(conn: psycopg.Connection[Any]) -> None:
        leases.fence(conn, session.plan.name, session.epoch)
        _refuse_new_only(conn, session, stage)
        for trigger in triggers:
            conn.execute((trigger.inverse or "").encode())
            which = ledger_actions.Which(stage.stage, _PHASE, trigger.action_id)
            ledger_actions.undone(session.ledger, session.run, which, epoch=session.epoch)
        conn.execute(sql.SQL("TRUNCATE {}").format(targets))
        conn.execute(queries.load("forget_rows.sql"), values)

    sources = ledger_sources.every(session.ledger, session.plan.name, stage.stage)
    lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(targets)
    drain.under_lock(session, sources, "reverse", lock, empty)
    failpoints.failpoint(_EMPTIED)


def _let_go(session: Session, stage: Stage, triggers: Sequence[Action]) -> None:
    """The mirrors of tables that are changed in place: what they left behind is told to the old columns first."""
    names = {mapping.label for mapping in stage.mappings if not (mapping.empties_target or mapping.one_way)}
    values = {"plan": session.plan.name, "stage": stage.stage}
    cursor = session.conn.cursor(row_factory=dict_row)
    found = cursor.execute(queries.load("mapping_targets.sql"), values).fetchall()
    tables = sql.SQL(", ").join(sql.Identifier(r["nspname"], r["relname"]) for r in found if r["name"] in names)

    _put_back(session, stage)

    def let_go(conn: psycopg.Connection[Any]) -> None:
        leases.fence(conn, session.plan.name, session.epoch)
        for trigger in triggers:
            conn.execute((trigger.inverse or "").encode())
            which = ledger_actions.Which(stage.stage, _PHASE, trigger.action_id)
            ledger_actions.undone(session.ledger, session.run, which, epoch=session.epoch)
        conn.execute(queries.load("forget_rows_in_place.sql"), {**values, "mappings": sorted(names)})

    sources = ledger_sources.every(session.ledger, session.plan.name, stage.stage)
    lock = sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(tables)
    drain.under_lock(session, sources, "reverse", lock, let_go)


def _refuse_hindered(session: Session, stage: Stage) -> None:
    """Stop where rows of others refer to rows that are about to be taken out."""
    for mapping in stage.mappings:
        if found := mapping.hinders_way_back(session.conn, session.compiler.mapping_id(stage, mapping)):
            raise RefusedError(
                f"Rows of other tables refer to rows that mapping {mapping.label} has made: {', '.join(found)}.",
                kept="Everything: the mirrors are on, all rows are there.",
                todo="Delete those rows, or let them refer to others, and run the same command again.",
            )


def _take_rows_back(session: Session, stage: Stage) -> None:
    """Take out what the mappings have made in targets that others use, the last mapping first."""
    for mapping in reversed(stage.mappings):
        if not mapping.one_way:
            continue
        mapping_id, taken, kept = session.compiler.mapping_id(stage, mapping), 0, 0
        while True:
            if session.stop.is_set():
                raise StoppedError(f"The way back of stage {stage.stage}")
            with session.conn.transaction():
                leases.fence(session.conn, session.plan.name, session.epoch)
                some, archived = mapping.take_back(session.conn, mapping_id)
            if not some:
                break
            taken, kept = taken + some, kept + archived
            failpoints.failpoint(_TAKEN_BACK)
        if kept:
            session.ledger.event(
                "rollback.kept", About(session.plan.name, stage.stage, _PHASE), mapping=mapping.label, rows=kept
            )
        session.bus.emit("rows.taken_back", stage=stage.stage, mapping=mapping.label, rows=taken, kept=kept)
    kinds = [(mapping.one_way, mapping.empties_target) for mapping in stage.mappings]
    if any(one_way for one_way, _ in kinds) and not any(empties for _, empties in kinds):
        with session.conn.transaction():
            leases.fence(session.conn, session.plan.name, session.epoch)
            values = {"plan": session.plan.name, "stage": stage.stage}
            session.conn.execute(queries.load("forget_rows.sql"), values)


def _put_back(session: Session, stage: Stage) -> None:
    """What batches and mirrors have filled becomes what it was, where the application has not written it since."""
    filling = {mapping.label for mapping in stage.mappings if mapping.puts_back}
    values = {"plan": session.plan.name, "stage": stage.stage}
    rows = session.conn.execute(queries.load("filled_sources.sql"), values).fetchall()
    for source, mapping, schema, table in rows:
        if mapping not in filling:
            continue
        name = qualified(schema, table)
        session.bounded(in_place_fills.no_more(source, name).encode())
        failpoints.failpoint(_NO_LONGER_FILLED)
        session.bus.emit("rows.putting_back", stage=stage.stage, source=f"{schema}.{table}")
        query = sql.SQL("SELECT FROM changeover.filled WHERE source_id = {} LIMIT 1").format(source)
        while session.conn.execute(query).fetchone() is not None:
            if session.stop.is_set():
                raise StoppedError(f"The way back of stage {stage.stage}")
            one = sql.SQL("SELECT {}()").format(sql.Identifier("changeover", f"m{source}_unfill"))
            session.bounded(one, within=lambda conn: leases.fence(conn, session.plan.name, session.epoch))


def _refuse_new_only(conn: psycopg.Connection[Any], session: Session, stage: Stage) -> None:
    """Stop where the new tables hold rows that no old table can hold."""
    sources = ledger_sources.every(session.ledger, session.plan.name, stage.stage)
    known = [d for s in sources for d in s.discriminators]
    for mapping in stage.mappings:
        discriminator = mapping.discriminator_column
        if discriminator is None:
            continue
        exists = sql.SQL(mapping.exists_condition)
        query = sql.SQL("SELECT count(*) FROM {} t WHERE NOT t.{}::text = ANY (%s) AND ({})").format(
            sql.Identifier(*table_name(mapping.target)), sql.Identifier(discriminator), exists
        )
        row = conn.execute(query, (known,)).fetchone()
        if row is not None and row[0]:
            raise RefusedError(
                f"{mapping.target} holds {counted(row[0], 'row')} of no old table; the way back would lose them.",
                kept="Everything: the mirrors are on, both sides are current.",
                todo=f"Give their {discriminator} a table in the old schema, or copy them elsewhere and delete them.",
            )
