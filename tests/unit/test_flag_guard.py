from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

import pytest

from flags.comparison import bounded, differing
from flags.guard import BOUNDS_MS, Limits, Window, decide, p99

MOMENT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
ELSEWHERE = timezone(timedelta(hours=2))


class Row(NamedTuple):
    id: int
    name: str


@dataclass
class Person:
    email: str


class Record:
    """What has names and is no mapping, as asyncpg's rows."""

    def __init__(self, values: dict[str, object]) -> None:
        self.values = values

    def keys(self) -> Iterable[str]:
        return self.values.keys()

    def items(self) -> Iterable[tuple[str, object]]:
        return self.values.items()

    def __repr__(self) -> str:
        return f"<Record {self.values}>"


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
        (Window(99, 0, 0, 0, _all_at(20, 99), _all_at(100, 99)), None),
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
        # A row without names: the right values in the wrong columns.
        ([(80, 100), (90, 100)], [(100, 80), (100, 90)], ["[0][0]", "[0][1]", "[1][0]", "[1][1]"]),
        ([(80, 100), (90, 100)], [(90, 100), (80, 100)], []),
        ([{"at": MOMENT}], [{"at": MOMENT.astimezone(ELSEWHERE)}], []),
        ([Row(1, "x")], [{"id": 2, "name": "x"}], []),
        ([Record({"id": 1, "name": "x"})], [Row(1, "y")], ["[0].name"]),
        (float("nan"), float("nan"), []),
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


class Opaque:
    def __repr__(self) -> str:
        return "a@b.c"


@pytest.mark.parametrize("value", [Record({"email": "a@b.c"}), Person("a@b.c"), Opaque(), [{"rows": [Opaque()]}]])
def test_what_is_to_be_hidden_is_hidden_whatever_holds_it(value: object) -> None:
    assert "a@b.c" in json.dumps(bounded(value))
    assert "a@b.c" not in json.dumps(bounded(value, {"email"}))


@pytest.mark.parametrize("value", [float("nan"), "a\0b", "\ud800", {float("inf"): "\udfff"}, {("a", 1): {2, 3}}])
def test_what_is_kept_is_json_that_a_database_takes(value: object) -> None:
    written = json.dumps(bounded(value), allow_nan=False)
    assert "\\u0000" not in written
    assert "\\ud" not in written
