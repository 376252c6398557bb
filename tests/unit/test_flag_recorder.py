from __future__ import annotations

from typing import Any

import psycopg
import pytest

from flags.guard import BOUNDS_MS
from flags.recorder import Recorder, Seen


def _away() -> psycopg.Connection[Any]:
    raise psycopg.OperationalError


def test_what_could_not_be_written_is_added_to_what_came_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flags.recorder.time.time", lambda: 1000.5)
    recorder = Recorder(_away)
    seen = Seen("F", 1, "report", "k", "different", ["a"], 1, 2, old_ms=1, new_ms=7)
    for _ in range(3):
        recorder.note(seen)
        assert not recorder.flush()
    recorder.note(Seen("F", 1, "report", "k", None, old_ms=1, new_ms=7))
    assert isinstance(recorder.last_error, psycopg.OperationalError)
    ((key, sums),) = recorder._sums.items()
    assert key == ("F", 1, "report", 1000)
    assert (sums["compared"], sums["mismatches"], sums["errors"]) == (4, 3, 0)
    assert (sums["old_ms"][BOUNDS_MS.index(1)], sums["new_ms"][BOUNDS_MS.index(10)]) == (4, 4)
    assert len(recorder._samples) == 3
