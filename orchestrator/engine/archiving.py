"""The archive step: a source table moves to schema archive, its view takes its place, in one transaction.

The functions name the table with its schema, so those that do are made anew in the same transaction. They
are compiled before the lock is taken: ACCESS EXCLUSIVE lasts for a handful of catalog updates. The way back
is the same in the other direction, and stays open as long as the archived table is there.

The sources of a merge move together. The mirror of one reads the others: were one of them to move while an old
application writes another through its view, the mirror would be hindered, and the application would not find in the
view what it has just written. With all of them locked, nobody is in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from orchestrator.engine import gates, settling
from orchestrator.engine.errors import OrderError
from orchestrator.engine.workbench import Workbench
from orchestrator.kernel import failpoints, sqlfiles
from orchestrator.kernel.errors import LockTimeoutError, RefusedError, RetryableError, translate
from orchestrator.kernel.identifiers import qualified
from orchestrator.ledger import leases
from orchestrator.ledger import sources as ledger_sources
from orchestrator.ledger.store import About
from orchestrator.mapping import catalog, view
from phases.actions import own_schema
from phases.contract import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.engine.session import Session
    from orchestrator.ledger.sources import Source

_RESTORED = failpoints.declare("engine.archive.restored", "a source stands under its name again")
_ARCHIVED = failpoints.declare("engine.archive.committed", "a source is archived, its view stands in its place")

_NOT_THIS_ONE = "Nothing was changed by this step; the tables before it are archived."


@dataclass(frozen=True)
class _Move:
    """One table on its way from a schema to another."""

    sources: list[Source]
    here: str
    there: str

    @property
    def name(self) -> str:
        """The table's name, the same on both sides."""
        return self.sources[0].table_name

    @property
    def home(self) -> str:
        """The schema that the application knows it in."""
        return self.sources[0].schema_name

    @property
    def view(self) -> str:
        """The compatibility view's name while it stands in its own schema."""
        return next((s.view_name for s in self.sources if s.view_name), self.name)


def archive(session: Session, stage: str, oid: int) -> bool:
    """Put a source away, and those that go with it; False if it is there already."""
    moves = []
    for each in _together(session, oid):
        sources = _of(session, each)
        if all(s.state == "archived" for s in sources):
            continue
        if waiting := [s.name for s in sources if s.state not in {"copied", "archived"}]:
            raise OrderError(
                f"{', '.join(waiting)} is not copied; it cannot be archived.",
                kept="Nothing was changed.",
                todo="Run the backfill phase, then verify, then contract.",
            )
        table = catalog.read_table(session.conn, each)
        moves.append(_Move(sources, table.schema, _free_schema(session.conn, table.name, table.schema)))
    if not moves:
        return False
    _carry_out(session, stage, moves, forward=True)
    failpoints.failpoint(_ARCHIVED)
    for move in moves:
        session.bus.emit("source.archived", stage=stage, source=move.sources[0].name, schema=move.there)
    return True


def restore(session: Session, stage: str, oid: int) -> bool:
    """Take a source back to where it stood, and those that went with it; False if it stands there."""
    moves = []
    for each in _together(session, oid):
        archived = [s for s in _of(session, each) if s.state == "archived"]
        if archived:
            moves.append(_Move(archived, catalog.read_table(session.conn, each).schema, archived[0].schema_name))
    if not moves:
        return False
    _carry_out(session, stage, moves, forward=False)
    failpoints.failpoint(_RESTORED)
    for move in moves:
        session.bus.emit("source.restored", stage=stage, source=move.sources[0].name)
    return True


def _together(session: Session, oid: int) -> list[int]:
    values = {"oid": oid, "plan": session.plan.name}
    rows = session.conn.execute(sqlfiles.load(__package__, "archived_together.sql"), values).fetchall()
    return [row[0] for row in rows]


def _of(session: Session, oid: int) -> list[Source]:
    return [s for s in ledger_sources.every(session.ledger, session.plan.name) if s.oid == oid]


def _carry_out(session: Session, stage: str, moves: list[_Move], *, forward: bool) -> None:
    standing = _functions(session)
    moved = standing
    for move in moves:
        old, new = qualified(move.here, move.name), qualified(move.there, move.name)
        moved = [text.replace(old, new) for text in moved]
    texts = [after for before, after in zip(standing, moved, strict=True) if before != after]
    about = About(session.plan.name, stage, "contract")
    views = [_view_moves((view.SCHEMA, move.view), (move.home, move.name)) for move in moves]

    def follow(conn: psycopg.Connection[Any]) -> None:
        leases.fence(conn, session.plan.name, session.epoch)
        for move in moves if forward else ():
            _refuse_changed(conn, move.sources)
        for move, (view_comes, _) in zip(moves, views, strict=True):
            place = sql.Identifier(move.here, move.name), sql.Identifier(move.there)
            conn.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(*place))
            if forward:
                conn.execute(view_comes)
                _grant(conn, move)
        for text in texts:
            conn.execute(text.encode())
        for source in (s for move in moves for s in move.sources):
            ledger_sources.move(session.ledger, source, "archived" if forward else "copied", about)

    if forward:
        _under_lock(session, stage, moves, follow)
    else:
        session.conn.execute(own_schema(view.SCHEMA, usable=True).encode())
        try:
            # The views make room first; all wait for the same short lock.
            session.bounded(sql.SQL("; ").join(goes for _, goes in views), within=follow)
        except (psycopg.Error, LockTimeoutError) as exc:
            error = translate(exc)
            names = ", ".join(move.sources[0].name for move in moves)
            error.what = f"{names}, back from the archive: {error.what}"
            raise error from exc
    session.functions = moved


def _under_lock(
    session: Session, stage: str, moves: list[_Move], follow: Callable[[psycopg.Connection[Any]], None]
) -> None:
    """Keep the writers of the old tables out, and do the rest if the gates are still met."""
    tables = sql.SQL(", ").join(sql.Identifier(move.here, move.name) for move in moves)
    lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(tables)

    def judge(conn: psycopg.Connection[Any]) -> None:
        # What was settled under the lock may have become a reject, and a person may have taken their word back.
        gates.require(session.ledger, session.plan, session.run, session.plan.stage(stage), kept=_NOT_THIS_ONE)
        follow(conn)

    settling.under_lock(session, [s for move in moves for s in move.sources], "forward", lock, judge)


def _grant(conn: psycopg.Connection[Any], move: _Move) -> None:
    """Rights that were given since the view was made."""
    for grant in catalog.read_table(conn, move.sources[0].oid).grants:
        conn.execute(grant.on(qualified(move.home, move.name)).encode())


def _refuse_changed(conn: psycopg.Connection[Any], sources: list[Source]) -> None:
    """Under the lock: the view has every column of the table, or the table stays where it is."""
    found = catalog.read_table(conn, sources[0].oid).fingerprint
    if any(s.fingerprint != found for s in sources):
        raise RetryableError(
            f"The columns of {sources[0].name} were changed at this very moment.",
            kept=_NOT_THIS_ONE,
            todo="Run the same command again: it takes the change in first.",
        )


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
