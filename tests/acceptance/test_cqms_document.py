"""The document of CQMS against the catalog of a migrated database: each line of it is there, or the pack's README says why not.

The lines are those of `cqms_document.yaml`. What is not there as the document has it must be what the README lists under "Not as
the document has it", no more and no less.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from tests.support import cqms
from tests.support.cli import Cli

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.database import Database, Databases

pytestmark = [pytest.mark.newest, pytest.mark.timeout(600)]

DOCUMENT: Final[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cqms_document.yaml").read_text())
HEADING: Final = "## Not as the document has it"
SPELLED: Final = {"timestamptz": "timestamp with time zone"}
PARTS: Final = {
    "view": "views",
    "function": "functions",
    "trigger": "triggers",
    "flag": "flags",
    "archived": "archived",
    "row security of": "row_security",
    "partition": "partitions",
    "job": "jobs",
}
COLUMNS: Final = """
SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped
"""
INDEXES: Final = """
SELECT t.relname, i.relname, x.indisunique AND x.indpred IS NULL, coalesce((
    SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON (a.attrelid, a.attnum) = (x.indrelid, k.attnum) WHERE k.place <= x.indnkeyatts), '{}')
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
WHERE t.relnamespace = 'public'::regnamespace AND x.indisvalid
"""
CHECKS: Final = """
SELECT t.relname, o.conname, coalesce((SELECT array_agg(a.attname::text) FROM pg_attribute a
                                       WHERE a.attrelid = o.conrelid AND a.attnum = ANY (o.conkey)), '{}')
FROM pg_constraint o JOIN pg_class t ON t.oid = o.conrelid
WHERE o.contype = 'c' AND o.convalidated AND t.relnamespace = 'public'::regnamespace
"""
KEYS: Final = """
SELECT t.relname || '.' || a.attname, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || p.relname
FROM pg_constraint o JOIN pg_class t ON t.oid = o.conrelid JOIN pg_class p ON p.oid = o.confrelid
JOIN pg_namespace n ON n.oid = p.relnamespace JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = o.conkey[1]
WHERE o.contype = 'f' AND o.convalidated AND t.relnamespace = 'public'::regnamespace AND cardinality(o.conkey) = 1
"""
NAMES: Final = """
SELECT 'view ' || relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
UNION ALL SELECT 'materialized view ' || relname FROM pg_class WHERE relkind = 'm' AND relnamespace = 'public'::regnamespace
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger
UNION ALL SELECT 'flag ' || flag FROM changeover.feature_flags
UNION ALL SELECT 'archived ' || relname FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace('archive')
UNION ALL SELECT 'row security of ' || relname FROM pg_class c WHERE relrowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)
UNION ALL SELECT 'partition ' || relname FROM pg_class WHERE relispartition
"""


class Catalog:
    """What a database has of the document."""

    def __init__(self, database: Database) -> None:
        indexes, checks = database.rows(INDEXES), database.rows(CHECKS)
        self.columns = {name: (kind, required) for name, kind, required in database.rows(COLUMNS)}
        self.indexes = {(table, name): by for table, name, _, by in indexes}
        self.unique = {(table, *by) for table, _, whole, by in indexes if whole}
        self.checks = {(table, name) for table, name, _ in checks}
        self.checks |= {(table, by) for table, name, bys in checks for by in bys if name != "exempt_names_are_given"}
        self.keys = set(database.rows(KEYS))
        self.names = {row[0] for row in database.rows(NAMES)}

    def missing(self) -> Iterator[str]:
        """The lines of the document that are not there."""
        for table, said in DOCUMENT["tables"].items():
            yield from self._named("table", [table])
            yield from self._columns(table, said.get("columns", {}), said.get("required", ()))
            yield from self._constraints(table, said)
            for index, by in said.get("indexes", {}).items():
                if (table, index) not in self.indexes or (by and self.indexes[table, index] != by):
                    yield f"index {index}"
        for view, names in DOCUMENT["materialized_views"].items():
            yield from self._named("materialized view", [view])
            yield from (f"column {view}.{name}" for name in names if f"{view}.{name}" not in self.columns)
        for view, by in DOCUMENT["unique_keys"].items():
            if (view, *by) not in self.unique:
                yield f"unique key of {view}"
        for words, part in PARTS.items():
            yield from self._named(words, DOCUMENT[part])

    def _named(self, words: str, names: Iterable[str]) -> Iterator[str]:
        return (line for name in names if (line := f"{words} {name}") not in self.names)

    def _columns(self, table: str, columns: dict[str, str], required: Iterable[str]) -> Iterator[str]:
        for name, kind in columns.items():
            if self.columns.get(f"{table}.{name}", ("",))[0] != SPELLED.get(kind, kind):
                yield f"column {table}.{name} {kind}"
        for name in required:
            if not self.columns.get(f"{table}.{name}", ("", False))[1]:
                yield f"not null {table}.{name}"

    def _constraints(self, table: str, said: dict[str, Any]) -> Iterator[str]:
        yield from (f"unique {table}.{name}" for name in said.get("unique", ()) if (table, name) not in self.unique)
        yield from (f"check {table}.{name}" for name in said.get("checks", ()) if (table, name) not in self.checks)
        for column, parent in said.get("keys", {}).items():
            if (f"{table}.{column}", parent) not in self.keys:
                yield f"key {table}.{column} -> {parent}"


def reasons() -> dict[str, str]:
    """The README's lines, with the reason of each."""
    text = files("orchestrator.plans").joinpath("cqms/README.md").read_text(encoding="utf-8")
    part = text.partition(HEADING)[2].partition("\n## ")[0]
    rows = [row.strip("|").split(" | ") for row in part.splitlines() if row.startswith("| `")]
    assert all(len(row) == 2 for row in rows), "a line has what it is about, and why"
    return {line: why.strip() for about, why in rows for line in re.findall(r"`([^`]+)`", about)}


def test_what_the_document_has_is_there_or_the_readme_says_why_not(databases: Databases) -> None:
    database = cqms.contracted(databases)
    lines, given = list(Catalog(database).missing()), reasons()
    assert all(len(why) > 10 for why in given.values())
    assert sorted(set(lines) - set(given)) == [], "missing, and no reason"
    assert sorted(set(given) - set(lines)) == [], "a reason for what is there"


def test_a_line_that_is_missing_would_be_noticed(databases: Databases) -> None:
    database = cqms.migrated(databases)
    before = set(Catalog(database).missing())
    database.run(
        """
        DROP INDEX public.idx_audits_status;
        ALTER TABLE public.audits DROP CONSTRAINT valid_status, DROP CONSTRAINT audits_channel_id_fkey, ALTER ai_assisted DROP NOT NULL;
        ALTER TABLE public.employees ALTER office_location TYPE varchar(9);
        DROP POLICY everybody_reads ON public.roles; DROP POLICY service_role_does_all ON public.roles;
        DROP MATERIALIZED VIEW public.auditor_performance
        """
    )
    assert set(Catalog(database).missing()) - before == {
        "index idx_audits_status",
        "check audits.status",
        "key audits.channel_id -> channels",
        "not null audits.ai_assisted",
        "column employees.office_location text",
        "row security of roles",
        "materialized view auditor_performance",
    }


def test_the_old_tables_are_kept_for_ninety_days(databases: Databases) -> None:
    """Phase 5: archived, not deleted; what contract has, a rollback takes back; nothing is dropped before its time."""
    database = cqms.contracted(databases)
    cli = Cli(database.dsn)
    for name in DOCUMENT["archived"]:
        assert (
            database.value(f"SELECT count(*) FROM archive.{name}")
            == database.value(f"SELECT count(*) FROM public.{name}")
            > 0
        )
    refused = cli("retire", "cqms", "--yes")
    assert refused.code == 3, refused.err
    assert f"they are kept until {(datetime.now(UTC) + timedelta(days=90)):%Y-%m-%d}" in refused.err
    cli.ok("refresh", "cqms")
    cli.ok("rollback", "--yes", "--plan", "cqms", "--to", "verify")
    assert (
        database.value(
            "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('archive') AND relkind = 'r'"
        )
        == 0
    )
    assert database.value("SELECT count(*) FROM public.email_audit") == 240


def test_retire_archives_the_old_columns_of_assignments(databases: Databases) -> None:
    """D1: never just dropped; the id of the audit gets the document's name and type, and the policies know it by that."""
    database = cqms.contracted(databases)
    wanted = "SELECT a.id, a.employee_email, a.auditor_email, a.assigned_by, a.audit_id FROM {} a ORDER BY 1"
    before = database.rows(wanted.format("public.audit_assignments"))
    new = "SELECT id, {}, employee_id, assigner_id FROM public.audit_assignments ORDER BY 1"
    ids = database.rows(new.format("audit_id_new"))
    database.run("UPDATE changeover.run SET kind = 'rehearsal'")  # the gates of time and people are another test's
    Cli(database.dsn).ok("retire", "cqms", "--yes")
    assert database.rows(wanted.format("archive.audit_assignments_columns_run1")) == before
    assert len(before) > 0
    assert database.rows(new.format("audit_id")) == ids
    assert database.value("SELECT to_regclass('public.scorecard_perameters')") is None
    with database.connect() as conn:
        conn.execute("SELECT count(*) FROM public.assigned_audit_ids()")
        conn.execute("UPDATE public.audit_assignments SET employee_id = auditor_id WHERE false")
    lines = set(Catalog(database).missing())
    assert not {line for line in lines if "audit_assignments.audit_id" in line}


def test_each_measure_of_the_report_has_a_value_and_the_data_meets_its_figures(databases: Databases) -> None:
    database = cqms.contracted(databases)
    cli = Cli(database.dsn)
    figures = {each["measure"]: each for each in cli.ok("report", "cqms", "--json").json["figures"]}
    timed = {"employee_report p95", "employee_lookup p95"}
    unknown = {name for name, each in figures.items() if each["value"] is None and each["met"] is None}
    assert unknown <= {"rollback", "downtime", "requests failed"}, (
        "these only a rehearsal, or the application, can tell"
    )
    for name in (
        "duplicate_people",
        "orphaned_audits",
        *(n for n in figures if n.endswith(("complete", "rows lost", "rows that differ", " index"))),
    ):
        assert figures[name]["met"] is True, figures[name]
    assert all(figures[name]["value"] > 0 for name in timed)
    assert figures["employee_report p95"]["document"].startswith("under 500 ms")
