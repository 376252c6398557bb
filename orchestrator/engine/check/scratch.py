"""Statements tried in the transaction of a trial, each taken back at once, with the locks that it took.

A lock is given back when the savepoint is rolled back in which it was taken. The statement and that rollback go to the
server together, so that nobody waits while we think.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg

from orchestrator.kernel.errors import READ_ONLY, ChangeoverError, LockTimeoutError, RetryableError, translate

if TYPE_CHECKING:
    from collections.abc import Iterable

_BACK: Final = "ROLLBACK TO SAVEPOINT changeover_tried; RELEASE SAVEPOINT changeover_tried"


def about_the_plan(exc: Exception) -> ChangeoverError:
    """The error in our words; what says nothing about the plan is raised."""
    error = translate(exc)
    if isinstance(error, LockTimeoutError | RetryableError) or error.sqlstate == READ_ONLY:
        raise error from exc
    return error


class Scratch:
    """A connection with an open transaction that will be rolled back."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        """`conn` is in that transaction."""
        self._conn = conn

    def refused(self, *statements: str, state: str = "") -> str | None:
        """What the server says against statements that are tried together, if that is of the class asked for."""
        return self._tried([*statements, _BACK], state)

    def kept(self, *statements: str) -> str | None:
        """The same, but what they make stays until the transaction ends. Not for what locks an application's table."""
        return self._tried([*statements, "RELEASE SAVEPOINT changeover_tried"], "")

    def _tried(self, statements: Iterable[str], state: str) -> str | None:
        self._conn.execute("SAVEPOINT changeover_tried")
        try:
            # A statement may end with a comment.
            self._conn.execute("\n;".join(statements).encode())
        except psycopg.Error as exc:
            if not self._conn.closed:
                self._conn.execute(_BACK)
            error = about_the_plan(exc)
            return error.what if (error.sqlstate or "").startswith(state) else None
        return None
