"""Proves that nothing acknowledged was lost: the last state of every written row, in every place it must be.

The places are the legacy table under its own name (a table, or the view that took its name at contract),
the compatibility view while there is one, and for audits that keep their id the unified table itself. A
place that does not exist at this point of the migration is left out, and the verdict says which were seen.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from orchestrator.demo.application.journal import last_states
from orchestrator.demo.verdict import Difference, Verdict
from orchestrator.kernel.connections import connect
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from orchestrator.demo.application.journal import Entry, State

_AT_ONCE: Final = 500
_EMPLOYEES: Final = "public.employees"
_PEOPLE: Final = "public.people"


def check_acknowledged(dsn: str, log: Iterable[Entry]) -> Verdict:
    """Check the journal's rows in the database behind `dsn` (the owner's). Call it when nobody writes."""
    entries = list(log)
    states = last_states(entries)
    groups: dict[tuple[str, str], list[State]] = defaultdict(list)
    for state in states:
        if not state.doubtful:
            groups[(state.table, state.by)].append(state)
    places: dict[str, int] = defaultdict(int)
    differences: list[Difference] = []
    with connect(dsn, role="demo") as conn:
        for (label, by), group in groups.items():
            for place, found in _compare(conn, label, by, group):
                places[place] += len(group)
                differences += found
    doubtful = sum(state.doubtful for state in states)
    return Verdict(len(entries), len(states), doubtful, dict(places), tuple(differences))


def _compare(
    conn: psycopg.Connection[Any], label: str, by: str, group: Sequence[State]
) -> Iterable[tuple[str, list[Difference]]]:
    """Check one table's rows in each place there is."""
    schema, _, name = label.partition(".")
    if label == _EMPLOYEES and not _exists(conn, schema, name):
        # Rolled back: whom the new version hired has to be among the people.
        schema, _, name = _PEOPLE.partition(".")
    for place, where in (("legacy", schema), ("compat", "compat")):
        if _exists(conn, where, name):
            yield place, _differing(conn, f"{place}:{label}", _statement(where, name, by), group)
    if by == "id" and _exists(conn, "public", "audits") and _is_audit(conn, schema, name):
        statement = load(__package__, "check_audits.sql").encode()
        yield "unified", _differing(conn, f"unified:{label}", statement, group)


def _differing(
    conn: psycopg.Connection[Any], place: str, statement: sql.Composed | bytes, group: Sequence[State]
) -> list[Difference]:
    found = []
    for start in range(0, len(group), _AT_ONCE):
        expected = json.dumps([_expectation(state) for state in group[start : start + _AT_ONCE]])
        for key, wrong in conn.execute(statement, {"expected": expected}):
            if wrong:
                found.append(Difference(place, key, tuple(wrong)))
    return found


def _expectation(state: State) -> dict[str, Any]:
    counted = {name: state.values.get(name, 0) + number for name, number in state.added.items()}
    return {
        "key": state.key,
        "deleted": state.deleted,
        "folded": sorted(state.folded),
        "row": {**state.values, **counted, state.by: state.key},
    }


def _statement(schema: str, name: str, by: str) -> sql.Composed:
    return sql.SQL(load(__package__, "check_rows.sql")).format(
        table=sql.Identifier(schema, name), by=sql.Identifier(by)
    )


def _exists(conn: psycopg.Connection[Any], schema: str, name: str) -> bool:
    row = conn.execute(load(__package__, "check_exists.sql"), {"schema": schema, "name": name}).fetchone()
    return row is not None


def _is_audit(conn: psycopg.Connection[Any], schema: str, name: str) -> bool:
    """Whether this is an audit table whose ids are kept: it has an employee's e-mail and a uuid."""
    row = conn.execute(load(__package__, "check_is_audit.sql"), {"schema": schema, "name": name}).fetchone()
    return row is not None and bool(row[0])
