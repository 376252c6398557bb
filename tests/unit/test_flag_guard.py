from __future__ import annotations

from decimal import Decimal

import pytest

from flags.comparison import bounded, differing
from flags.guard import BOUNDS_MS, Limits, Window, decide, p99


def _all_at(ms: int, number: int = 100) -> tuple[int, ...]:
    return (*tuple(number if bound == ms else 0 for bound in BOUNDS_MS), 0)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(100, 0, 0, 0, _all_at(10), _all_at(20)), None),
        (Window(19, 19, 0, 0), None),
        (Window(100, 1, 0, 0), "1 of 100 reads differ"),
        (Window(100, 0, 1, 0), None),
        (Window(100, 0, 1, 1), "2 of 100 reads of the new side failed"),
        (Window(100, 0, 0, 0, _all_at(1), _all_at(20)), None),
        (Window(100, 0, 0, 0, _all_at(20), _all_at(100)), "p99 of the new side is 100 ms"),
    ],
)
def test_when_it_is_too_much(window: Window, words: str | None) -> None:
    said = decide(window, Limits())
    assert (said is None) == (words is None)
    assert words is None or words in str(said)
    assert decide(window, Limits(enabled=False)) is None


def test_p99() -> None:
    assert p99(()) is None
    assert p99((0,) * 14) is None
    assert p99((98, 0, 2) + (0,) * 11) == 5
    assert p99((0,) * 13 + (1,)) == 20_000


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ([1, 2], [2, 1], []),
        ([{"a": 1, "b": 2}], [{"b": 2, "a": 1.0}], []),
        (Decimal("1.50"), 1.5, []),
        (1, True, ["value"]),
        (None, 0, ["value"]),
        ({"a": 1}, {"a": 2, "b": 1}, ["a", "b"]),
        ([1], [1, 1], ["[]"]),
        ({"id": 7, "a": {"id": 1}}, {"id": 8, "a": {"id": 2}}, []),
    ],
)
def test_differences(old: object, new: object, paths: list[str]) -> None:
    assert differing(old, new, ignore={"id"}) == paths


def test_order_counts_if_asked_for() -> None:
    assert differing([1, 2], [2, 1], ordered=True) == ["[0]", "[1]"]


def test_what_is_kept_is_bounded_and_redacted() -> None:
    assert bounded([{"email": "a@b.c", "n": 1}], {"email"}) == [{"email": "<redacted>", "n": 1}]
    assert len(bounded("x" * 100_000)["truncated"]) <= 4000
    assert bounded("a\x00b") == "a�b"
