"""Numbers in words: a verification is told in one way, a probe with its unit beside its number."""

from __future__ import annotations

import pytest

from orchestrator.kernel.words import compared, compared_or_checked, meant, measured


def test_a_verification_is_told_in_one_way() -> None:
    found = {"tables": 1, "checks": 4, "rows": 1200, "differences": 1}
    assert compared_or_checked(found) == compared(1200, 1) == "1,200 rows compared, 1 difference"
    assert compared_or_checked({**found, "tables": 0}) == "nothing to compare; 4 checks passed"


@pytest.mark.parametrize(
    ("name", "value", "limit", "label", "said"),
    [
        ("replica_lag_seconds", 0.25, 10.0, "replica lag", "0.2 s of 10 s"),
        ("archive_backlog_segments", 3, 64, "archive backlog", "3 segments of 64 segments"),
        ("lock_waiters", 2, None, "lock waiters", "2"),
        ("disk", None, 5.0, "disk", "unreadable"),
        ("oldest_transaction_seconds", 4000, 3600, "oldest transaction", "4,000 s of 3,600 s"),
    ],
)
def test_a_probe_has_its_unit_beside_its_number(
    name: str, value: float | None, limit: float | None, label: str, said: str
) -> None:
    assert measured(name, value, limit) == (label, said)


@pytest.mark.parametrize(
    ("given", "told"),
    [("Bestelung", "; did you mean `bestellung`?"), ("KUNDE", "; did you mean `Kunde`?"), ("x", "."), ("", ".")],
)
def test_a_name_that_is_none_is_told_with_the_one_that_looks_like_it(given: str, told: str) -> None:
    assert meant(given, ("Kunde", "bestellung"), ".") == told
    assert meant(given, (), ".") == "."
