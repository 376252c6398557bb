"""Rows that keep a constraint from coming back: counted before anything is taken back.

While a column was nullable, or another foreign key applied, rows came that the constraint of before does not allow.
The recorded inverses say which constraints come back. The way back stops before its first step, with the rows and their
query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engine.check import broken_rows
from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.sqllexer import split
from orchestrator.ledger import actions as ledger_actions
from phases.alter_inverse import parts
from phases.errors import StatementError
from phases.statements import key_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.engine.session import Session
    from phases.statements import KeyHead


def refuse(session: Session, phases: Iterable[tuple[str, str]]) -> None:
    """Raise RefusedError where the way back through these phases would add what rows do not allow."""
    for stage, phase in phases:
        for action in ledger_actions.every(session.ledger, session.run, stage, phase):
            for head in _heads(action.inverse or "") if action.state != "undone" else ():
                broken = broken_rows.count(session.conn, head)
                if broken is not None:
                    raise RefusedError(
                        f"The way back of {action.action_id} is not open: {broken.words}",
                        kept="Nothing was changed.",
                        todo=f"Mend these rows ({broken.query}), then run the same command again.",
                    )


def _heads(inverse: str) -> Iterator[KeyHead]:
    """The constraints that an inverse of several parts adds."""
    if len(parts(inverse)) == 1:
        return
    for statement in split(inverse):
        try:
            yield key_head("", statement.text)
        except StatementError:
            continue
