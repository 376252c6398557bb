"""Expand, carried out in a transaction that is rolled back, without holding a table of the application.

A lock goes with the savepoint in which it was taken. So what is about a table that the plan does not make is tried and
taken back at once, with what came before it about the same table. What makes something new is kept, unless its making
has locked a table that was there before: then a stand-in is kept (`stand_ins`). One lock outlives its savepoint: that
of a sequence whose next number was taken, as a seed of an earlier stage does. So what counts is what an action locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from orchestrator.engine import queries
from orchestrator.engine.check import stand_ins
from orchestrator.mapping import catalog

if TYPE_CHECKING:
    from orchestrator.engine.check.stand_ins import StandIn
    from phases.actions import Action

_UNREAD = "SET LOCAL check_function_bodies = off"


class Rehearsal:
    """The expand files of a plan's stages, one action after the other."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        """Remember what is there before the first of them."""
        self._conn = conn
        self._before = self._relations()
        self._made: set[str] = set()
        self._about: dict[str, list[Action]] = {}
        self._incomplete = False

    def carry_out(self, action: Action) -> None:
        """Make what it makes, or try what it changes."""
        if action.tried_apart:
            return
        if action.probe and (there := self._conn.execute(action.probe.encode()).fetchone()) and there[0]:
            return
        if not action.on or action.on in self._made:
            self._keep(action)
            self._made |= {action.makes}
            return
        several = self._about.setdefault(action.on, [])
        several.append(action)
        with self._conn.transaction(force_rollback=True):
            for each in several:
                self._execute(each)

    def _keep(self, action: Action) -> None:
        """Make it, or, where that locks the application's tables, what takes its place."""
        kept = False
        instead: list[StandIn] = []
        known, locked = self._relations(), self._held()
        tables = catalog.read_tables(self._conn, known - self._before)
        try:
            with self._conn.transaction():
                self._execute(action)
                held = self._held()
                kept = self._before.isdisjoint(held - locked)
                if not kept:
                    # Somebody else may make a table at the same moment; we hold a lock on ours.
                    instead = stand_ins.of_new(self._conn, (self._relations() - known) & held)
                    if not instead and not action.makes:
                        instead = [stand_ins.of_changed(self._conn, t) for t in tables.values() if t.kind in "rp"]
                    raise psycopg.Rollback
        except (psycopg.errors.UndefinedObject, psycopg.errors.UndefinedTable, psycopg.errors.WrongObjectType):
            if not self._incomplete:
                raise
            return  # it may be about something that is left out here: only the run can tell
        if not kept:
            self._replace(action, instead, locked)

    def _replace(self, action: Action, instead: list[StandIn], locked: set[int]) -> None:
        self._incomplete = True
        for each in instead:
            each.make(self._conn)
        for each in instead:
            each.fill(self._conn)
        if instead:
            return
        # A function whose body reads a table of the application: made unread, it locks nothing.
        with self._conn.transaction():
            self._conn.execute(_UNREAD)
            self._execute(action)
            if not self._before.isdisjoint(self._held() - locked):
                raise psycopg.Rollback
            self._conn.execute("SET LOCAL check_function_bodies = on")

    def _execute(self, action: Action) -> None:
        if action.inverse_query:
            self._conn.execute(action.inverse_query.encode())
        self._conn.execute(action.statement.encode())

    def _relations(self) -> set[int]:
        return {row[0] for row in self._conn.execute(queries.load("relations.sql")).fetchall()}

    def _held(self) -> set[int]:
        """The relations that this transaction has locked."""
        return {row[0] for row in self._conn.execute(queries.load("locks_held.sql")).fetchall()}
