from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backfill.progress import Meter, Position


def at(pages: int, total: int = 100, rows: int | None = None) -> Position:
    return Position(pages, total, pages * 10 if rows is None else rows, 0, 0)


def test_rate_and_estimate() -> None:
    meter = Meter()
    assert meter.mark(0.0, at(0)).eta_seconds is None
    progress = meter.mark(10.0, at(20))
    assert (progress.percent, progress.pages_per_second, progress.rows_per_second) == (20.0, 2.0, 20.0)
    assert progress.eta_seconds == 40.0


def test_only_the_window_counts() -> None:
    meter = Meter(window_seconds=10)
    meter.mark(0.0, at(0))
    meter.mark(1000.0, at(1))  # a long pause
    assert meter.mark(1010.0, at(21)).pages_per_second == 2.0


def test_a_table_that_starts_again_does_not_give_a_negative_rate() -> None:
    meter = Meter()
    meter.mark(0.0, at(0))
    meter.mark(1.0, at(90))
    back = meter.mark(2.0, at(5))
    assert (back.pages_per_second, back.eta_seconds) == (0.0, None)


def test_nothing_to_do_is_done() -> None:
    progress = Meter().mark(0.0, at(0, total=0))
    assert (progress.percent, progress.eta_seconds) == (100.0, 0.0)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 100)), min_size=1, max_size=40))
def test_no_history_gives_nonsense(steps: list[tuple[float, int]]) -> None:
    meter, now = Meter(), 0.0
    for elapsed, pages in steps:
        now += elapsed
        progress = meter.mark(now, at(pages))
        assert 0 <= progress.percent <= 100
        assert progress.rows_per_second >= 0
        assert progress.eta_seconds is None or progress.eta_seconds >= 0
