"""The rules of size and pause hold for every history, not only for the pleasant ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.pacing import (
    Limit,
    Pace,
    PacingSettings,
    Reading,
    Reason,
    after_batch,
    after_hindrance,
    first,
    throttle,
)

SETTINGS = PacingSettings(target_seconds=0.2, floor_pages=2, first_pages=16, ceiling_pages=1000)

paces = st.builds(Pace, st.integers(2, 1000), st.none() | st.floats(0, 100))
seconds = st.floats(0, 1000)


@given(paces, seconds, st.integers(1, 1000))
def test_a_step_is_within_its_bounds(pace: Pace, took: float, pages: int) -> None:
    after = after_batch(pace, SETTINGS, pages=min(pages, pace.pages), seconds=took)
    assert SETTINGS.floor_pages <= after.pages <= SETTINGS.ceiling_pages
    assert after.pages <= max(pace.pages * 1.2, pace.pages + 1)


@given(paces)
def test_giving_way_halves_down_to_the_floor(pace: Pace) -> None:
    assert after_hindrance(pace, SETTINGS).pages == max(SETTINGS.floor_pages, pace.pages // 2)


@given(paces)
def test_slow_batches_never_make_it_larger(pace: Pace) -> None:
    calm = Pace(pace.pages, 1.0)
    assert after_batch(calm, SETTINGS, pages=calm.pages, seconds=0.3).pages <= calm.pages


@given(st.lists(seconds, min_size=1, max_size=60), st.data())
def test_no_history_leads_out_of_the_bounds(history: list[float], data: st.DataObject) -> None:
    pace = first(SETTINGS)
    for took in history:
        hindered = data.draw(st.booleans())
        pace = (
            after_hindrance(pace, SETTINGS) if hindered else after_batch(pace, SETTINGS, pages=pace.pages, seconds=took)
        )
        assert SETTINGS.floor_pages <= pace.pages <= SETTINGS.ceiling_pages


@given(st.floats(0.0005, 0.08))
def test_it_settles_where_a_batch_takes_the_target(seconds_a_page: float) -> None:
    pace = first(SETTINGS)
    for _ in range(80):
        pace = after_batch(pace, SETTINGS, pages=pace.pages, seconds=pace.pages * seconds_a_page)
    assert 0.6 * 0.2 <= pace.pages * seconds_a_page <= 1.3 * 0.2 or pace.pages in {2, 3}


def test_it_grows_from_a_single_page() -> None:
    settings = PacingSettings(floor_pages=1, first_pages=1)
    pace = first(settings)
    for _ in range(30):
        pace = after_batch(pace, settings, pages=pace.pages, seconds=0.001)
    assert pace.pages > 50


def test_a_short_last_batch_says_nothing() -> None:
    pace = Pace(100, 0.93)
    assert after_batch(pace, SETTINGS, pages=3, seconds=0.001) == pace
    assert after_batch(pace, SETTINGS, pages=3, seconds=5).pages < 100  # unless it was slow all the same


@pytest.mark.parametrize("wrong", [{"floor_pages": 0}, {"first_pages": 9999}, {"target_seconds": 0.0}])
def test_settings_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        PacingSettings(**wrong)  # type: ignore[arg-type]


LIMITS = {"lag": Limit(10, 5), "waiters": Limit(3)}
values = st.none() | st.floats(allow_nan=True)


@given(values, st.sampled_from([(), (Reason("lag", 11, 10),)]))
def test_a_pause_begins_above_the_limit_and_ends_below_the_lower_mark(
    value: float | None, held: tuple[Reason, ...]
) -> None:
    paused = bool(throttle(held, [Reading("lag", value)], LIMITS))
    if value is None or math.isnan(value):
        assert paused
    else:
        assert paused == (value > (5 if held else 10))


def test_every_reason_is_named() -> None:
    readings = [Reading("lag", 12), Reading("waiters", None, "42501"), Reading("unlimited", 99)]
    reasons = throttle((), readings, LIMITS)
    assert [str(reason) for reason in reasons] == ["lag is 12, limit 10", "waiters is unreadable (42501)"]


def test_one_probe_does_not_hold_another() -> None:
    held = throttle((), [Reading("lag", 12), Reading("waiters", 1)], LIMITS)
    assert [reason.probe for reason in throttle(held, [Reading("lag", 7), Reading("waiters", 2.9)], LIMITS)] == ["lag"]
    assert not throttle(held, [Reading("lag", 5), Reading("waiters", 3)], LIMITS)


def test_the_lower_mark_is_below() -> None:
    assert Limit(10).resume == 8
    with pytest.raises(ValueError, match="resume"):
        Limit(10, 11)
