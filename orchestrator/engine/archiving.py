"""The archive step: one source table moves to schema archive, its view takes its place, in one transaction.

The functions name the table with its schema, so those that do are made anew in the same transaction. They
are compiled before the lock is taken: ACCESS EXCLUSIVE lasts for a handful of catalog updates. The way back
is the same in the other direction, and stays open as long as the archived table is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from orchestrator.engine import settling
from orchestrator.engine.errors import OrderError
from orchestrator.engine.workbench import Workbench
from orchestrator.kernel import failpoints, locks
from orchestrator.kernel.errors import RefusedError, translate
from orchestrator.kernel.identifiers import qualified
from orchestrator.ledger import leases
from orchestrator.ledger import sources as ledger_sources
from orchestrator.ledger.store import About
from orchestrator.mapping import catalog, view
from phases.actions import own_schema
from phases.contract import ARCHIVE

if TYPE_CHECKING:
    from orchestrator.engine.session import Session
    from orchestrator.ledger.sources import Source

_ARCHIVED = failpoints.declare("engine.archive.committed", "one source is archived, its view stands in its place")
_RESTORED = failpoints.declare("engine.archive.restored", "one source stands under its name again")


def archive(session: Session, stage: str, oid: int) -> bool:
    """Put one source away; False if it is there already."""
    sources = _of(session, oid)
    if all(s.state == "archived" for s in sources):
        return False
    if waiting := [s.name for s in sources if s.state not in {"copied", "archived"}]:
        raise OrderError(
            f"{', '.join(waiting)} is not copied; it cannot be archived.",
            kept="Nothing was changed.",
            todo="Run the backfill phase, then verify, then contract.",
        )
    table = catalog.read_table(session.conn, oid)
    schema = _free_schema(session.conn, table.name, table.schema)
    _move(session, stage, sources, (table.schema, schema), forward=True)
    failpoints.failpoint(_ARCHIVED)
    session.bus.emit("source.archived", stage=stage, source=sources[0].name, schema=schema)
    return True


def restore(session: Session, stage: str, oid: int) -> bool:
    """Take one source back to where it stood; False if it stands there."""
    sources = _of(session, oid)
    archived = [s for s in sources if s.state == "archived"]
    if not archived:
        return False
    table = catalog.read_table(session.conn, oid)
    _move(session, stage, archived, (table.schema, sources[0].schema_name), forward=False)
    failpoints.failpoint(_RESTORED)
    session.bus.emit("source.restored", stage=stage, source=sources[0].name)
    return True


def _of(session: Session, oid: int) -> list[Source]:
    return [s for s in ledger_sources.every(session.ledger, session.plan.name) if s.oid == oid]


def _move(session: Session, stage: str, sources: list[Source], schemas: tuple[str, str], *, forward: bool) -> None:
    here, there = schemas
    name, home = sources[0].table_name, sources[0].schema_name
    old, new = qualified(here, name), qualified(there, name)
    standing = _functions(session)
    moved = [text.replace(old, new) for text in standing]
    texts = [after for before, after in zip(standing, moved, strict=True) if before != after]
    about = About(session.plan.name, stage, "contract")
    shown = next((s.view_name for s in sources if s.view_name), name)
    table = sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(sql.Identifier(here, name), sql.Identifier(there))
    view_comes, view_goes = _view_moves((view.SCHEMA, shown), (home, name))

    def follow(conn: psycopg.Connection[Any]) -> None:
        leases.fence(conn, session.plan.name, session.epoch)
        conn.execute(table)
        if forward:
            conn.execute(view_comes)
            # Rights that were given since the view was made.
            for grant in catalog.read_table(conn, sources[0].oid).grants:
                conn.execute(grant.on(qualified(home, name)).encode())
        for text in texts:
            conn.execute(text.encode())
        for source in sources:
            ledger_sources.move(session.ledger, source, "archived" if forward else "copied", about)

    if forward:
        lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(here, name))
        settling.under_lock(session, sources, "forward", lock, follow)
    else:
        session.conn.execute(own_schema(view.SCHEMA, usable=True).encode())
        try:
            # The view makes room first; both wait for the same short lock.
            locks.run_bounded(session.conn, view_goes, within=follow)
        except psycopg.Error as exc:
            raise translate(exc) from exc
    session.functions = moved


def _view_moves(compat: tuple[str, str], legacy: tuple[str, str]) -> tuple[sql.Composed, sql.Composed]:
    """The statements that bring the view from schema compat to the old name, and back."""
    between = sql.Identifier(legacy[0], compat[1])
    comes = [sql.SQL("ALTER VIEW {} SET SCHEMA {}").format(sql.Identifier(*compat), sql.Identifier(legacy[0]))]
    goes = [sql.SQL("ALTER VIEW {} SET SCHEMA {}").format(between, sql.Identifier(compat[0]))]
    if compat[1] != legacy[1]:
        comes.append(sql.SQL("ALTER VIEW {} RENAME TO {}").format(between, sql.Identifier(legacy[1])))
        goes.insert(0, sql.SQL("ALTER VIEW {} RENAME TO {}").format(sql.Identifier(*legacy), sql.Identifier(compat[1])))
    return sql.SQL("; ").join(comes), sql.SQL("; ").join(goes)


def _functions(session: Session) -> list[str]:
    """Every compiled function of the plan, compiled once: tables may move one after the other."""
    if session.functions is None:
        bench = Workbench(session.conn, session.ledger, session.plan)
        session.functions = [
            function.create
            for stage in session.plan.model.stages
            if any(s.state != "found" for s in ledger_sources.every(session.ledger, session.plan.name, stage.stage))
            for compiled in bench.compiled(stage)
            for function in (*compiled.functions, *compiled.views[::3])
        ]
    return session.functions


def _free_schema(conn: psycopg.Connection[Any], name: str, home: str) -> str:
    """Schema archive, or archive_<schema> where a table of that name is archived already."""
    for schema in (ARCHIVE, f"{ARCHIVE}_{home}"):
        conn.execute(own_schema(schema).encode())
        taken = conn.execute("SELECT to_regclass(%s)", (qualified(schema, name),)).fetchone()
        if taken == (None,):
            return schema
    raise RefusedError(
        f"A table {name} stands in {ARCHIVE} and in {ARCHIVE}_{home} already.",
        kept="Nothing was changed.",
        todo="Rename or drop the one that is no longer needed.",
    )
