"""Counts a legacy database under the rules of the new schema: what a right migration must find.

The rules are written a second time here, in SQL of their own (`sql/judged.sql`, `sql/count_numbers.sql`),
from the decisions and not from the plan: a mistake in the mapping must not excuse itself. The tables are
found through `scorecards` and the catalog, so the count can be taken at any moment while the legacy names
answer: before the migration, after an application has written through it, after contract from the views.
For a count that means one moment, all of it is read in one REPEATABLE READ transaction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from orchestrator.demo.legacy.catalogue import COMMON
from orchestrator.demo.legacy.planted import Planted
from orchestrator.kernel.connections import connect
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TEXTS: Final = (
    *("employee_email", "auditor_email", "interaction_date", "average_score", "audit_duration"),
    *("passing_status", "validation_status", "acknowledgement_status", "channel"),
)
_MOMENTS: Final = ("submitted_at", "audit_start_time", "audit_end_time", "created_at")
_TABLES: Final = ("users", "people", "scorecards", "scorecard_perameters", "audit_assignments")
_DECOYS: Final = (
    ("public", "security_audit_log"),
    ("public", "audit_backup"),
    ("public", "email_audit_old"),
    ("qa", "audit_settings"),
)

Source = dict[str, Any]


def expect(dsn: str, *, troubles: Mapping[str, str] | None = None) -> Planted:
    """Count the legacy database behind a DSN as it stands now."""
    with connect(dsn, role="demo") as conn:
        return count(conn, troubles=troubles)


def count(conn: psycopg.Connection[Any], *, troubles: Mapping[str, str] | None = None) -> Planted:
    """Count over an open connection in autocommit mode; what it builds on the way is temporary."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # Temporary tables would spill early at the default.
        conn.execute("SET LOCAL work_mem = '128MB'")
        sources = _sources(conn)
        rows = _gather(conn, sources)
        for file in ("judged.sql", "judged_people.sql"):
            conn.execute(load(__package__, file))
        rejects: dict[str, dict[str, int]] = defaultdict(dict)
        for table, reason, number in conn.execute(load(__package__, "count_rejects.sql")):
            rejects[table][reason] = number
        numbers: dict[str, dict[str, int]] = defaultdict(dict)
        for subject, name, number in conn.execute(load(__package__, "count_numbers.sql")):
            numbers[subject][name] = int(number)
        for name in _TABLES:
            rows[f"public.{name}"] = _rows_of(conn, "public", name)
        conn.execute("DROP TABLE finished, judged, judged_people")
        return Planted(
            rows=rows,
            sources=tuple(source["label"] for source in sources),
            rejects=dict(rejects),
            exempt=numbers["exempt"],
            warnings=_warnings(conn, sources),
            employees=numbers["persons"]["employees"],
            placeholders=numbers["persons"]["placeholders"],
            statuses=numbers["statuses"],
            totals=numbers["totals"],
            spellings=numbers["spellings"],
            decoys=_decoys(conn),
            troubles=dict(troubles or {}),
        )


def _sources(conn: psycopg.Connection[Any]) -> list[Source]:
    found = conn.execute(load(__package__, "found_sources.sql"))
    return [
        {"schema": schema, "name": name, "label": label, "scorecards": scorecards, "columns": columns}
        for schema, name, label, scorecards, columns in found
    ]


def _gather(conn: psycopg.Connection[Any], sources: Sequence[Source]) -> dict[str, int]:
    """Copy what the rules look at into `finished`, table by table; return the rows of each."""
    conn.execute(load(__package__, "finished.sql"))
    rows: dict[str, int] = {}
    for place, source in enumerate(sources):
        columns = source["columns"]
        picked: list[sql.Composable] = [
            sql.Literal(source["label"]),
            sql.Literal(place),
            sql.SQL("id::text"),
            sql.Literal(columns["id"] == "uuid"),
        ]
        names = ["source", "place", "id", "id_is_uuid"]
        for kind, wanted in ((sql.SQL("text"), _TEXTS), (sql.SQL("timestamptz"), _MOMENTS)):
            for name in wanted:
                value = sql.Identifier(name) if name in columns else sql.SQL("NULL")
                picked.append(sql.SQL("{}::{}").format(value, kind))
                names.append(name)
        done = conn.execute(
            sql.SQL("INSERT INTO finished ({}) SELECT {} FROM {}").format(
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.SQL(", ").join(picked),
                sql.Identifier(source["schema"], source["name"]),
            )
        )
        rows[source["label"]] = done.rowcount
    conn.execute("ANALYZE finished")
    return rows


def _warnings(conn: psycopg.Connection[Any], sources: Sequence[Source]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for code, subject in conn.execute(load(__package__, "found_lost_scorecards.sql")):
        found[code].append(subject)
    found["shared_table"] = [source["label"] for source in sources if source["scorecards"] > 1]
    named = [{key: source[key] for key in ("label", "schema", "name")} for source in sources]
    drift = conn.execute(
        load(__package__, "found_drift.sql"), {"sources": json.dumps(named), "common": ["id", *COMMON]}
    )
    for code, subject in drift:
        found[code].append(subject)
    return {code: tuple(subjects) for code, subjects in sorted(found.items()) if subjects}


def _rows_of(conn: psycopg.Connection[Any], schema: str, name: str) -> int:
    return int(_one(conn, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))))


def _decoys(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """Hash the rows of the decoys that are there; one that is gone is missing in the result."""
    hashes = {}
    for schema, name in _DECOYS:
        label = sql.Identifier(schema, name)
        if _one(conn, sql.SQL("SELECT to_regclass({})").format(sql.Literal(label.as_string(conn)))) is not None:
            query = sql.SQL(
                "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\"), '')) FROM {} AS t"
            )
            hashes[f"{schema}.{name}"] = str(_one(conn, query.format(label)))
    return hashes


def _one(conn: psycopg.Connection[Any], query: sql.Composed) -> Any:
    row = conn.execute(query).fetchone()
    if row is None:  # pragma: no cover - an aggregate always returns a row
        message = "a query that returns one row returned none"
        raise AssertionError(message)
    return row[0]
