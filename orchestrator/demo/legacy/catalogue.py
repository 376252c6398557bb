"""Which audit tables the legacy system has: one per scorecard, each made by other hands in another year.

A table is described as data: its name as the catalog has it, its key, its columns with the value each is
filled from, the scorecard versions that point at it. The first tables carry one trouble each (a name that
needs quoting, another schema, no key, text where others have dates); they are always there. Further ones
are ordinary and numbered. A table that exists for a trouble says so in `trouble`, which the report prints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Key = Literal["uuid", "identity", "identity always", "serial", "text", "none"]

# Column, and the type it has in most tables. The values come from the column of the same name of
# audit_rows.sql; a table that has another type is served from "<column>__<type>" where there is one.
COMMON: Final[dict[str, str]] = {
    "employee_email": "text",
    "employee_name": "text",
    "auditor_email": "text",
    "auditor_name": "text",
    "interaction_id": "text",
    "interaction_date": "date",
    "channel": "text",
    "transcript": "text",
    "average_score": "numeric",
    "critical_errors": "integer",
    "total_errors_count": "integer",
    "passing_status": "text",
    "validation_status": "text",
    "acknowledgement_status": "text",
    "audit_duration": "text",
    "submitted_at": "timestamptz",
    "audit_start_time": "timestamptz",
    "audit_end_time": "timestamptz",
    "reversal_requested_at": "timestamptz",
    "reversal_approved": "boolean",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "quarter": "text",
    "week": "integer",
}
_VARIANTS: Final = frozenset(
    {"interaction_date__timestamptz", "interaction_date__text", "average_score__text", "audit_duration__integer"}
)
_DEFAULTS: Final = {"created_at": "now()", "updated_at": "now()"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a scorecard: a column of its own in the audit table, or what is left of one."""

    field_id: str
    type: str = "integer"
    listed: bool = True  # False: removed from scorecard_perameters, its column and values still there
    column: bool = True  # False: listed, but nobody ever added the column
    active: bool = True
    value: str = ""

    @property
    def function(self) -> str:
        """The function of tools.sql that rolls the values of this column."""
        return "value_" + (self.value or {"text[]": "texts", "double precision": "numeric"}.get(self.type, self.type))


@dataclass(frozen=True)
class Scorecard:
    """A version of a scorecard; several can name the same table."""

    name: str
    version: int = 1
    active: bool = True


@dataclass(frozen=True)
class AuditTable:
    """One dynamic audit table."""

    name: str
    key: Key = "uuid"
    schema: str = "public"
    columns: dict[str, str] = field(default_factory=lambda: dict(COMMON))
    parameters: tuple[Parameter, ...] = ()
    scorecards: tuple[Scorecard, ...] = ()
    indexed: bool = False
    weight: int = 10
    trouble: str = ""

    @property
    def label(self) -> str:
        """`schema.name`, as reports write it."""
        return f"{self.schema}.{self.name}"

    @property
    def stored_name(self) -> str:
        """What `scorecards.table_name` says."""
        return self.name if self.schema == "public" else self.label

    def filled(self) -> Iterator[tuple[str, str]]:
        """Yield every common column with the column of audit_rows.sql that fills it."""
        for name, kind in self.columns.items():
            variant = f"{name}__{kind}"
            yield name, variant if variant in _VARIANTS else name

    def default_of(self, column: str) -> str | None:
        """The default that the real system gave a common column, if it did."""
        return _DEFAULTS.get(column) if self.indexed else None


def common(*, without: tuple[str, ...] = (), **types: str) -> dict[str, str]:
    """Return the common columns, less some, some of them of another type."""
    return {name: types.get(name, kind) for name, kind in COMMON.items() if name not in without}


def _counters(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name) for name in names)


def _remarks(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, "text", value="remark") for name in names)


_PERIODS: Final = ("quarter", "week")
_REVERSAL: Final = ("reversal_requested_at", "reversal_approved")

_TROUBLED: Final = (
    AuditTable(
        "chat_audit",
        parameters=(
            *_counters("greeting", "tone", "solution"),
            Parameter("handoff", "boolean"),
            *_remarks("greeting_feedback", "tone_feedback", "overall_comments"),
        ),
        scorecards=(Scorecard("Chat"),),
        indexed=True,
        weight=30,
        trouble="the table that ids were copied from",
    ),
    AuditTable(
        "email_audit",
        parameters=(
            *_counters("grammar", "completeness", "resolution"),
            Parameter("sla_met", "text"),
            Parameter("weighting", "numeric"),
            Parameter("old_tone_check", listed=False),
            Parameter("empathy_v2", column=False),
            Parameter("spelling", active=False),
            *_remarks("grammar_feedback", "resolution_comment"),
        ),
        scorecards=(Scorecard("E-mail"),),
        indexed=True,
        weight=30,
        trouble="ids that stand in chat_audit too, a removed parameter, a parameter without a column",
    ),
    AuditTable(
        "phone_qa",
        key="identity always",
        schema="qa",
        columns=common(audit_duration="integer"),
        parameters=(*_counters("opening", "hold_time"), Parameter("recording", "jsonb"), *_remarks("opening_feedback")),
        scorecards=(Scorecard("Phone"),),
        indexed=True,
        weight=20,
        trouble="another schema, a name without `audit`, an id that is always generated",
    ),
    AuditTable(
        "Chat Audit 2021",
        key="serial",
        columns=common(without=_PERIODS, audit_duration="integer", average_score="double precision"),
        parameters=(*_counters("greeting", "closing"), *_remarks("closing_comments")),
        scorecards=(Scorecard("Chat (2021)", active=False),),
        weight=8,
        trouble="blanks and capitals in the name, serial key",
    ),
    AuditTable(
        "Sales_Audit",
        parameters=(
            *(Parameter(f"p{number:02d}") for number in range(1, 60)),
            *(Parameter(f"bonus_{number}", "numeric") for number in range(1, 6)),
            *_remarks("p01_feedback", "p02_feedback", "sales_comment"),
        ),
        scorecards=(Scorecard("Sales"),),
        indexed=True,
        weight=12,
        trouble="64 parameters, capitals in the name",
    ),
    AuditTable(
        'the "quoted" audit\'s table',
        key="text",
        columns=common(without=_REVERSAL),
        parameters=(Parameter("verdict", "text"), Parameter("points", "bigint"), *_remarks("verdict_feedback")),
        scorecards=(Scorecard('The "quoted" one'),),
        weight=6,
        trouble="quotes in the name, text key, keys that differ in case only",
    ),
    AuditTable(
        "robert'); drop table people;--",
        columns=common(without=("transcript", *_PERIODS)),
        parameters=_counters("injection"),
        scorecards=(Scorecard("Little Bobby"),),
        weight=5,
        trouble="a name that is an attack where it is spliced as text",
    ),
    AuditTable(
        "legacy_import_audit",
        key="none",
        columns=common(without=(*_PERIODS, *_REVERSAL, "updated_at"), interaction_date="text", average_score="text"),
        parameters=(Parameter("imported", "text"), *_remarks("import_comment")),
        scorecards=(Scorecard("Import of 2020"),),
        weight=8,
        trouble="no key, dates and scores as text",
    ),
    AuditTable(
        "social_media_audit",
        parameters=(*_counters("brand_voice", "response_time"), Parameter("hashtags", "text[]")),
        scorecards=(
            Scorecard("Social media"),
            Scorecard("Social media", version=2),
            Scorecard("Social media", version=3, active=False),
        ),
        indexed=True,
        weight=10,
        trouble="one table for three scorecard versions",
    ),
    AuditTable(
        "intercom_ticket_audit",
        key="identity",
        columns=common(
            without=("created_at",),
            interaction_date="timestamptz",
            audit_start_time="timestamp",
            audit_end_time="timestamp",
            average_score="numeric(8,3)",
        ),
        parameters=(*_counters("triage"), Parameter("first_reply", "timestamptz"), Parameter("due", "date")),
        scorecards=(Scorecard("Intercom tickets"),),
        weight=12,
        trouble="the interaction's date is a moment, near midnight too; no created_at",
    ),
    AuditTable(
        "compliance_review",
        key="identity",
        columns=common(
            without=(
                *("employee_name", "auditor_name", "interaction_id", "interaction_date", "channel", "transcript"),
                *("critical_errors", "acknowledgement_status", "audit_start_time", "audit_end_time"),
                *(*_PERIODS, *_REVERSAL),
            ),
            average_score="integer",
            audit_duration="integer",
        ),
        parameters=(
            Parameter("select"),
            Parameter("Größe (cm)", "numeric"),
            Parameter('say "hi"', "text"),
            Parameter("100% done?", "boolean"),
            Parameter("new", "jsonb"),
            Parameter("status", "text"),
            Parameter("metadata", "jsonb"),
            Parameter("S", "text[]"),
            Parameter("s", "text"),
            Parameter("evidence", "double precision"),
            Parameter("a column whose name is as long as a name may be in PostgreSQL .", "text"),
            *_remarks("Feedback (internal)", "it's a comment"),
        ),
        scorecards=(Scorecard("Compliance"),),
        weight=10,
        trouble="half of the common columns missing, nasty column names, jsonb and arrays",
    ),
    AuditTable(
        "onboarding_audit",
        parameters=_counters("welcome"),
        scorecards=(Scorecard("Onboarding"),),
        weight=0,
        trouble="no rows at first",
    ),
)

MINIMUM_TABLES: Final = len(_TROUBLED)


def audit_tables(count: int) -> tuple[AuditTable, ...]:
    """Return `count` tables, at least the troubled ones: each kind of dirt needs the table it lives in."""
    return _TROUBLED + tuple(_ordinary(number) for number in range(1, count - MINIMUM_TABLES + 1))


def _ordinary(number: int) -> AuditTable:
    """A table like most: they take turns in key, type of the duration and columns that are missing."""
    keys: tuple[Key, ...] = ("uuid", "serial", "identity", "uuid")
    name = f"team_{number:02d}_audit"
    return AuditTable(
        name,
        key=keys[number % len(keys)],
        columns=common(without=_PERIODS if number % 3 == 0 else (), audit_duration="integer" if number % 2 else "text"),
        parameters=(
            *_counters(*(f"check_{index}" for index in range(1, 5 + number % 7))),
            Parameter("remark_type", "text"),
            *_remarks("check_1_feedback", "check_2_comment"),
        ),
        scorecards=(Scorecard(f"Team {number}"),),
        indexed=number % 2 == 1,
        weight=20,
    )


def shares(tables: tuple[AuditTable, ...], audits: int) -> tuple[int, ...]:
    """Spread the audits over the tables by weight; the sum is exactly `audits`."""
    total = sum(table.weight for table in tables)
    rows = [audits * table.weight // total for table in tables]
    rows[0] += audits - sum(rows)
    return tuple(rows)
