"""Columns that an expand file has added to a table of the plan go: what the application has written in them does not.

The column of a table that the same stage has made goes with its table, whose rows are kept whole (`new_only`). What is
in the column of a table of an earlier stage goes to schema `archive` with the key of each row, in the transaction that
drops it, under the lock that the drop takes. What a mapping of the stage fills comes again when the stage does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.engine.rollback import new_only
from orchestrator.kernel.identifiers import bounded, qualified
from orchestrator.kernel.sqltokens import table_label
from orchestrator.mapping.sqltext import literal
from orchestrator.plan.created import label
from phases.contract import ARCHIVE
from phases.statements import ddl

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.engine.session import Session
    from orchestrator.plan.model import Stage


@dataclass(frozen=True, slots=True)
class GoingColumns:
    """Columns of one statement, and where their values go if there are some."""

    table: tuple[str, str]
    names: tuple[str, ...]
    place: tuple[str, str]

    @property
    def statement(self) -> str:
        """What runs in the transaction that drops them."""
        table, names = qualified(*self.table), ", ".join(map(literal, self.names))
        told = literal(f"Columns of {'.'.join(self.table)}, which a rollback has dropped")
        kept = (
            f"{new_only.OWN_SCHEMA} "
            f"IF changeover.keep_columns({literal(table)}, ARRAY[{names}]::text[], "
            f"{literal(self.place[0])}, {literal(self.place[1])}) = 0 THEN RETURN; END IF; "
        )
        return new_only.keeping(table, self.place, kept, told)

    def rows(self, conn: psycopg.Connection[Any]) -> int:
        """How many rows have gone there."""
        return new_only.rows_of(conn, self.place)


def with_table(session: Session, stage: Stage) -> set[str]:
    """The actions whose columns go with a table that this stage has made: nothing has to drop them before."""
    return {id_ for id_, name, _ in _added(session, stage) if new_only.made_here(session, stage, name)}


def kept(session: Session, stage: Stage) -> dict[str, GoingColumns]:
    """What is archived before columns of other tables are dropped, by the id of the action that has added them."""
    found = {}
    for id_, name, columns in _added(session, stage):
        filled = {column for m in stage.mappings if table_label(m.target) == name for column in m.filled}
        names = tuple(each for each in columns if each not in filled)
        if names and not new_only.made_here(session, stage, name):
            schema, _, table = name.partition(".")
            place = (ARCHIVE, new_only.free_name(session, bounded(table, "columns", names[0])))
            found[id_] = GoingColumns((schema, table), names, place)
    return found


def _added(session: Session, stage: Stage) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The action, the table and the columns of each statement that adds some."""
    for place, text in session.plan.statements(stage.expand):
        action = ddl(place, text)
        if action.new_columns is not None:
            yield action.id, label(tuple(action.new_columns.table)), action.new_columns.names
