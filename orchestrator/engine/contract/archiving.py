"""The archive step: a table moves to schema archive, a plain view takes its name (`old_name`), in one transaction.

The functions of the mirrors name the table with its schema. Those that do are compiled for the place that it goes to,
before the lock is taken, and made anew in the same transaction: ACCESS EXCLUSIVE lasts for catalog updates only.
The way back is the same in the other direction, and stays open as long as the archived table is there.

The sources of a merge move together: the mirror of one reads the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from orchestrator.engine import queries
from orchestrator.engine.contract import old_name
from orchestrator.engine.drain import drain
from orchestrator.engine.errors import OrderError
from orchestrator.engine.gates import gates
from orchestrator.kernel import failpoints
from orchestrator.kernel.errors import LockTimeoutError, RefusedError, RetryableError, translate
from orchestrator.kernel.identifiers import qualified
from orchestrator.ledger import leases
from orchestrator.ledger import sources as ledger_sources
from orchestrator.ledger.store import About
from orchestrator.mapping import catalog
from phases.actions import own_schema
from phases.contract import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.engine.session import Session
    from orchestrator.ledger.sources import Source
    from orchestrator.mapping.catalog import Table

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
    def oid(self) -> int:
        """The table."""
        return self.sources[0].oid


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
    rows = session.conn.execute(queries.load("archived_together.sql"), values).fetchall()
    return [row[0] for row in rows]


def _of(session: Session, oid: int) -> list[Source]:
    return [s for s in ledger_sources.every(session.ledger, session.plan.name) if s.oid == oid]


def _carry_out(session: Session, stage: str, moves: list[_Move], *, forward: bool) -> None:
    texts = _functions(session, moves)
    about = About(session.plan.name, stage, "contract")

    def follow(conn: psycopg.Connection[Any]) -> None:
        leases.fence(conn, session.plan.name, session.epoch)
        for move in moves:
            if forward:
                old_name.put(conn, _unchanged(conn, move.sources), move.there)
            else:
                old_name.take(conn, catalog.read_table(conn, move.oid), move.there)
        for text in texts:
            conn.execute(text.encode())
        for source in (s for move in moves for s in move.sources):
            ledger_sources.move(session.ledger, source, "archived" if forward else "copied", about)

    if forward:
        _under_lock(session, stage, moves, follow)
        return
    # The views first, as their readers lock them; the server locks the tables behind them with them.
    views = [(move.there, move.name) for move in moves if _is_there(session.conn, move)]
    names = views or [(move.here, move.name) for move in moves]
    locked = sql.SQL(", ").join(sql.Identifier(*name) for name in names)
    try:
        session.bounded(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(locked), within=follow)
    except (psycopg.Error, LockTimeoutError) as exc:
        error = translate(exc)
        named = ", ".join(move.sources[0].name for move in moves)
        error.what = f"{named}, back from the archive: {error.what}"
        raise error from exc


def _is_there(conn: psycopg.Connection[Any], move: _Move) -> bool:
    """Whether the view under the old name is there."""
    return old_name.find(conn, catalog.read_table(conn, move.oid), move.there) is not None


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

    drain.under_lock(session, [s for move in moves for s in move.sources], "forward", lock, judge)


def _functions(session: Session, moves: list[_Move]) -> list[str]:
    """The functions that name one of the tables, compiled for the schema that it goes to."""
    compiler = session.compiler
    places = {move.oid: move.there for move in moves}
    mappings = {s.mapping_id for move in moves for s in move.sources}
    texts: list[str] = []
    for stage in session.plan.model.stages:
        mine = ledger_sources.every(session.ledger, session.plan.name, stage.stage)
        if mappings.isdisjoint(s.mapping_id for s in mine):
            continue
        for mapping in stage.mappings:
            if compiler.mapping_id(stage, mapping) in mappings:
                now, then = compiler.placed(stage, mapping, {}), compiler.placed(stage, mapping, places)
                pairs = zip(now.functions, then.functions, strict=True)
                texts += [after.create for before, after in pairs if before.create != after.create]
    return texts


def _unchanged(conn: psycopg.Connection[Any], sources: list[Source]) -> Table:
    """Under the lock: the view has every column of the table, or the table stays where it is."""
    found = catalog.read_table(conn, sources[0].oid)
    if any(s.fingerprint != found.fingerprint for s in sources):
        raise RetryableError(
            f"The columns of {sources[0].name} were changed at this very moment.",
            kept=_NOT_THIS_ONE,
            todo="Run the same command again: it takes the change in first.",
        )
    return found


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
