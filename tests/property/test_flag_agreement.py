"""SQL and Python say the same about a flag, for any name, key, stage and rollout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flags import stages
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
