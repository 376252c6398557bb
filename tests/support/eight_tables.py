"""A CQMS with eight audit tables, and what its applications do to them: what the budgets are measured on.

The eight are the demo's, with keys of every type, narrow ones and a wide one (24 to 92 columns); the other tables that
the demo makes are dropped. Both people of a written audit are known, and it breaks no rule: the ordinary case.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from orchestrator.demo.legacy import generate
from orchestrator.kernel.connections import connect

if TYPE_CHECKING:
    import psycopg

TABLES: Final = (
    "public.chat_audit",
    "public.email_audit",
    "public.intercom_ticket_audit",
    "public.social_media_audit",
    'public."Sales_Audit"',
    'public."Chat Audit 2021"',
    "qa.phone_qa",
    "public.compliance_review",
)
_OTHERS: Final = """
SELECT c.oid::regclass::text, CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.oid <> ALL (%s::regclass[])
  AND EXISTS (SELECT FROM public.scorecards s WHERE s.table_name IN (c.relname, n.nspname || '.' || c.relname))
"""
_MAPPED: Final = """
SELECT a.id::text FROM public.email_audit e JOIN public.audits a USING (id) WHERE a.scorecard_id = %s::uuid ORDER BY id LIMIT %s
"""
_PEOPLE: Final = """
SELECT email FROM public.people WHERE email ~ '^[a-z]+[.][a-z]+[0-9]+@express[.]example$' ORDER BY email LIMIT 2
"""


def build(dsn: str, audits: int) -> None:
    """Generate, and keep the eight."""
    generate(dsn, audits=audits, tables=len(TABLES), seed=1)
    with connect(dsn) as conn:
        for table, label in conn.execute(_OTHERS, (list(TABLES),)).fetchall():
            conn.execute("UPDATE public.scorecards SET table_name = NULL WHERE table_name = %s", (label,))
            conn.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.SQL(table)))
        conn.execute("VACUUM (ANALYZE)")


@dataclass(frozen=True)
class Writes:
    """Statements of both versions of the application, one row each. `number` tells rows of a run apart."""

    employee: str
    auditor: str
    scorecard: str
    """The scorecard of email_audit."""

    @classmethod
    def read(cls, conn: psycopg.Connection[Any]) -> Writes:
        """With two people and a scorecard that the database knows."""
        employee, auditor = (email for (email,) in conn.execute(_PEOPLE).fetchall())
        row = conn.execute("SELECT id::text FROM public.scorecards WHERE table_name = 'email_audit'").fetchone()
        assert row is not None
        return cls(employee, auditor, row[0])

    def mapped(self, conn: psycopg.Connection[Any], count: int) -> list[str]:
        """Ids of email_audit that have a new row."""
        found = [row for (row,) in conn.execute(_MAPPED, (self.scorecard, count)).fetchall()]
        assert len(found) == count, "generate more audits"
        return found

    def report(self) -> str:
        """One employee's audits of all tables."""
        return "; ".join(f"SELECT * FROM {table} WHERE employee_email = '{self.employee}'" for table in TABLES)

    def old_insert(self, number: int) -> str:
        """An audit with one counted error."""
        return (
            "INSERT INTO public.email_audit (id, employee_email, employee_name, auditor_email, auditor_name, "
            "interaction_id, interaction_date, average_score, total_errors_count, passing_status, submitted_at, grammar, "
            f"completeness) VALUES ('{key(number)}', '{self.employee}', 'Bench', '{self.auditor}', 'Bench', "
            f"'bench-{number}', '2026-01-02', 77, 1, 'pass', '2026-01-02 10:00+00', 1, 0)"
        )

    def new_insert(self, number: int) -> str:
        """An audit, by the new version."""
        return (
            "INSERT INTO public.audits (id, employee_id, auditor_id, scorecard_id, interaction_id, interaction_date, "
            "total_score, max_possible_score, passing_status, total_errors_count, parameter_scores, status, submitted_at) "
            f"SELECT '{key(number)}', e.id, a.id, '{self.scorecard}', 'bench-{number}', '2026-01-02', 77, 100, 'pass', 1, "
            """'{"grammar": 1, "completeness": 0}', 'submitted', '2026-01-02 10:00+00' """
            "FROM public.employees e, public.employees a "
            f"WHERE e.email = '{self.employee}' AND a.email = '{self.auditor}'"
        )

    def touch(self, table: str) -> tuple[str, str, str]:
        """Insert, update and delete a row of any of the eight tables."""
        columns = "employee_email, auditor_email, average_score, submitted_at"
        moment = "2027-07-07 07:07:07+00"
        mine = f"WHERE employee_email = '{self.employee}' AND submitted_at = '{moment}'"
        return (
            f"INSERT INTO {table} ({columns}) VALUES ('{self.employee}', '{self.auditor}', 77, '{moment}')",
            f"UPDATE {table} SET average_score = 78 {mine}",
            f"DELETE FROM {table} {mine}",
        )


OLD_UPDATE: Final = "UPDATE public.email_audit SET average_score = {score}, passing_status = 'pass' WHERE id = '{key}'"
NEW_UPDATE: Final = "UPDATE public.audits SET total_score = {score}, passing_status = 'pass' WHERE id = '{key}'"
OLD_DELETE: Final = "DELETE FROM public.email_audit WHERE id = '{key}'"
NEW_DELETE: Final = "DELETE FROM public.audits WHERE id = '{key}'"


def key(number: int) -> str:
    """The id of a row that we write."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"bench {number}"))
