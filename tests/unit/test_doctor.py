"""What the doctor says of facts that no test server can show: poolers, replicas, limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.engine.doctor.diagnosis import diagnose
from orchestrator.engine.doctor.diagnosis_tables import judge_tables, size
from orchestrator.engine.doctor.doctor_facts import DoctorFacts, SchemaFacts, ServerFacts, TableFacts
from orchestrator.engine.pooler import PoolerFacts

SERVER = ServerFacts(
    version=160004,
    version_text="16.4",
    role="owner",
    is_superuser=False,
    in_recovery=False,
    read_only=False,
    may_create_schemas=True,
    ledger_schema=False,
    may_use_ledger_schema=False,
    replication_role="origin",
    connections_for_all=97,
    database_limit=-1,
    role_limit=-1,
    connections_used=10,
    deadlock_timeout_ms=1000,
    idle_timeout_ms=0,
    synchronous_standbys="",
    wal_level="replica",
    archive_mode="off",
    replicas=0,
    logical_slots=[],
    idle_slots=[],
    publications_of_all=[],
    autovacuum=True,
    event_triggers=[],
    prepared=0,
    prepared_seconds=0.0,
    longest_transaction=0.0,
    hidden_sessions=0,
    roles_without_triggers=[],
    database_bytes=0,
)
DIRECT = PoolerFacts(announced_pid=7, answering_pid=7, moved=False, port_differs=False)
TABLE = TableFacts(
    name="public.a",
    owner="owner",
    owned=True,
    readable=True,
    may_create_beside=True,
    kind="r",
    persistence="p",
    rls=False,
    rls_forced=False,
    rls_hides=False,
    rls_behind_view=False,
    is_partition=False,
    inherits=False,
    has_children=False,
    referenced_by=[],
    refers=[],
    triggers=[],
    rules=[],
    published=[],
    subscribed=False,
    views=[],
    autovacuum_off=False,
    freeze_due=False,
    vacuuming=False,
    bytes=3 * 1024 * 1024,
    rows_estimated=1000,
)


def levels(doctor_facts: DoctorFacts, workers: int = 2) -> dict[str, str]:
    return {check.name: check.level for check in diagnose(doctor_facts, workers=workers)}


def test_a_good_server_has_nothing_but_ok() -> None:
    assert set(levels(DoctorFacts(SERVER, DIRECT)).values()) == {"ok"}


@pytest.mark.parametrize(
    ("change", "name", "level"),
    [
        ({"version": 130011}, "version", "fail"),
        ({"version": 190000}, "version", "warn"),
        ({"in_recovery": True}, "writable", "fail"),
        ({"read_only": True}, "writable", "fail"),
        ({"is_superuser": True}, "role", "warn"),
        ({"may_create_schemas": False}, "ledger", "fail"),
        ({"ledger_schema": True}, "ledger", "fail"),
        ({"ledger_schema": True, "may_use_ledger_schema": True, "may_create_schemas": False}, "ledger", "ok"),
        ({"replication_role": "replica"}, "triggers fire", "fail"),
        ({"roles_without_triggers": ["loader"]}, "triggers fire", "fail"),
        ({"event_triggers": ["pgrst"]}, "event triggers", "warn"),
        ({"publications_of_all": ["all"]}, "logical replication", "warn"),
        ({"logical_slots": ["debezium"]}, "logical replication", "warn"),
        ({"idle_slots": ["standby (9 GB)"]}, "slots", "warn"),
        ({"autovacuum": False}, "autovacuum", "warn"),
        ({"replicas": 2}, "replicas", "ok"),
        ({"replicas": 2, "synchronous_standbys": "*"}, "replicas", "warn"),
        ({"longest_transaction": 3600.0}, "long transactions", "warn"),
        ({"prepared": 1, "prepared_seconds": 9.0}, "prepared transactions", "warn"),
        ({"deadlock_timeout_ms": 100}, "timeouts", "warn"),
        ({"connections_used": 95}, "connections", "fail"),
        ({"connections_used": 88}, "connections", "warn"),
        ({"role_limit": 3}, "connections", "fail"),
        ({"database_limit": 12}, "connections", "fail"),
    ],
)
def test_each_rule_has_its_level(change: dict[str, object], name: str, level: str) -> None:
    changed = replace(SERVER, **change)  # type: ignore[arg-type]  # the names are those of the fields
    assert levels(DoctorFacts(changed, DIRECT))[name] == level


@pytest.mark.parametrize(
    ("pooler", "level"),
    [
        (replace(DIRECT, moved=True), "fail"),
        (replace(DIRECT, answering_pid=8), "warn"),
        (replace(DIRECT, port_differs=True), "warn"),
        (DIRECT, "ok"),
    ],
)
def test_a_pooler_is_found_out(pooler: PoolerFacts, level: str) -> None:
    assert levels(DoctorFacts(SERVER, pooler))["pooler"] == level


def test_more_workers_need_more_connections() -> None:
    assert levels(DoctorFacts(SERVER, DIRECT), workers=64)["connections"] == "warn"
    assert levels(DoctorFacts(replace(SERVER, connections_used=40), DIRECT), workers=64)["connections"] == "fail"


def test_a_schema_that_cannot_be_made_fails() -> None:
    schemas = (
        SchemaFacts("compat", there=False, may_create=False),
        SchemaFacts("public", there=True, may_create=False),
    )
    found = diagnose(
        DoctorFacts(replace(SERVER, may_create_schemas=False), DIRECT, (TABLE,), schemas, planned=True), workers=2
    )
    assert [c.detail for c in found if c.name == "schemas"] == [
        "schema compat is not there, and owner may not create it",
        "owner may not create tables in schema public",
    ]


def test_what_the_discovery_could_not_use_is_told() -> None:
    found = levels(DoctorFacts(SERVER, DIRECT, (TABLE,), unfound=("x: y",), planned=True))
    assert found["discovery"] == "warn"
    assert levels(DoctorFacts(SERVER, DIRECT, (), planned=True))["discovery"] == "fail"


@pytest.mark.parametrize(
    ("change", "name", "level"),
    [
        ({"owned": False}, "ownership", "fail"),
        ({"rls_hides": True}, "row-level security", "fail"),
        ({"rls_behind_view": True}, "policies behind a view", "warn"),
        ({"readable": False}, "rights", "fail"),
        ({"subscribed": True}, "subscriptions", "fail"),
        ({"has_children": True}, "inheritance", "fail"),
        ({"persistence": "t"}, "temporary tables", "fail"),
        ({"persistence": "u"}, "unlogged tables", "warn"),
        ({"is_partition": True}, "partitions", "warn"),
        ({"referenced_by": ["k of b"]}, "foreign keys", "warn"),
        ({"triggers": ["t"]}, "triggers", "warn"),
        ({"rules": ["r"]}, "rules", "warn"),
        ({"published": ["p"]}, "publications", "warn"),
        ({"views": ["v"]}, "views", "warn"),
        ({"autovacuum_off": True}, "no autovacuum", "warn"),
        ({"freeze_due": True}, "wraparound", "warn"),
        ({"vacuuming": True}, "vacuum", "warn"),
    ],
)
def test_each_rule_on_tables_names_the_tables_that_break_it(change: dict[str, object], name: str, level: str) -> None:
    other = replace(TABLE, name="public.b", **change)  # type: ignore[arg-type]  # the names are those of the fields
    found = {check.name: check for check in judge_tables([TABLE, other])}
    assert found[name].level == level
    assert "public.b" in found[name].detail
    assert "public.a" not in found[name].detail
    assert found["tables"].detail.startswith("1 of 2" if level == "fail" else "2 of 2")


def test_the_disk_is_estimated() -> None:
    (_, disk) = judge_tables([TABLE])
    assert "3 MB" in disk.detail
    assert "6 MB" in disk.detail
    assert [size(n) for n in (5, 5000, 5 * 1024**4, 5 * 1024**5)] == ["5 B", "5 kB", "5 TB", "5120 TB"]
