"""SQL and Python say the same about a flag, for any name, key, stage and rollout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from flags import stages
from flags.cache import FlagCache
from flags.stages import LADDER, Stage
from orchestrator.ledger import schema

if TYPE_CHECKING:
    from tests.support.database import Database

# What PostgreSQL can store as text.
TEXT = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), max_size=40)
RELAXED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_the_same_bucket_for_100_000_keys(database: Database) -> None:
    conn = database.connect()
    schema.install(conn)
    query = "SELECT changeover.flag_bucket('USE_UNIFIED_AUDITS_TABLE', n::text) FROM generate_series(1, 100000) AS n"
    for number, (bucket,) in enumerate(conn.execute(query), start=1):
        assert stages.bucket("USE_UNIFIED_AUDITS_TABLE", str(number)) == bucket


@pytest.mark.newest
def test_the_same_bucket_for_any_text(database: Database) -> None:
    conn = database.connect()
    schema.install(conn)

    @RELAXED
    @given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=50))
    def check(pairs: list[tuple[str, str]]) -> None:
        flags, keys = zip(*pairs, strict=True)
        query = """SELECT changeover.flag_bucket(f, k)
                     FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS p (f, k, n) ORDER BY n"""
        found = [row[0] for row in conn.execute(query, (list(flags), list(keys)))]
        assert found == [stages.bucket(flag, key) for flag, key in pairs]

    check()


@pytest.mark.newest
def test_the_same_answer(database: Database) -> None:
    conn = database.connect()
    schema.install(conn)
    conn.execute("INSERT INTO changeover.feature_flags (flag) VALUES ('F')")

    @RELAXED
    @given(st.sampled_from(LADDER), st.integers(0, 100), st.none() | TEXT)
    def check(stage: Stage, rollout: int, key: str | None) -> None:
        conn.execute("UPDATE changeover.feature_flags SET stage = %s, rollout = %s", (stage.value, rollout))
        row = conn.execute("SELECT enabled, changeover.flag_reads_new(flag, %s) FROM changeover.feature_flags", (key,))
        enabled, new = row.fetchone() or (None, None)
        assert enabled == stages.reads_new(stage)
        assert new == stages.reads_new(stages.effective(stage, rollout, "F", key))

    check()


PLAIN = (
    st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "a", "ab", "b", "1", "true"])
    | st.sampled_from([1.0, 0.5])
)
WORDS = st.sampled_from(["", "a", "b", "ab"])
OPERATORS = st.fixed_dictionaries(
    {}, optional={"not": PLAIN | st.lists(PLAIN, max_size=3), "prefix": WORDS, "suffix": WORDS}
).filter(bool)
ATTRIBUTES = st.sampled_from(["tenant", "scorecard", "targetingKey"])
RULES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "if": st.dictionaries(ATTRIBUTES, PLAIN | st.lists(PLAIN, max_size=3) | OPERATORS, max_size=2),
            "rollout": st.sampled_from([0, 50, 100]),
        },
    ),
    max_size=3,
)
CONTEXTS = st.dictionaries(ATTRIBUTES, PLAIN | st.none() | st.lists(PLAIN, max_size=2), max_size=3)


@pytest.mark.newest
def test_the_same_answer_by_rules(database: Database) -> None:
    conn = database.connect()
    schema.install(conn)
    conn.execute("INSERT INTO changeover.feature_flags (flag) VALUES ('F')")

    @settings(max_examples=400, deadline=None)
    @given(RULES, st.integers(0, 100), st.none() | WORDS, CONTEXTS)
    def check(rules: list[Any], rollout: int, key: str | None, context: dict[str, Any]) -> None:
        conn.execute(
            "UPDATE changeover.feature_flags SET stage = 'live', rollout = %s, rules = %s", (rollout, Jsonb(rules))
        )
        asked = conn.execute("SELECT changeover.flag_stage('F', %s, %s)", (key, Jsonb(context))).fetchone()
        cache = FlagCache({})
        cache.replace([("F", 1, "live", rollout, rules)])
        assert cache.failures == 0
        assert asked == (str(cache.stage("F", key, context)),)

    check()


def test_the_same_stage_for_100_000_keys(database: Database) -> None:
    """The whole way, not the bucket only: what the SQL function answers and what a client's memory does."""
    conn = database.connect()
    schema.install(conn)
    rules = [{"if": {"scorecard": "sc-1"}, "rollout": 5}]
    conn.execute(
        "INSERT INTO changeover.feature_flags (flag, stage, rollout, rules) VALUES ('F', 'live', 37, %s)",
        (Jsonb(rules),),
    )
    cache = FlagCache({})
    cache.replace(conn.execute("SELECT * FROM changeover.flag_snapshot()").fetchall())
    query = """SELECT n::text, jsonb_build_object('scorecard', 'sc-' || n % 3),
                      changeover.flag_stage('F', n::text, jsonb_build_object('scorecard', 'sc-' || n % 3))
                 FROM generate_series(1, 100000) AS n"""
    differing = [key for key, context, stage in conn.execute(query) if cache.stage("F", key, context) != stage]
    assert differing == []
