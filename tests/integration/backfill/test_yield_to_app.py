"""Giving way to others before a batch, on a real server."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from backfill.pacing import PacingSettings
from backfill.yield_to_app import LONGEST_SECONDS
from tests.integration.backfill.world import QUICK, Recorder, add_source, copy, is_equal

if TYPE_CHECKING:
    from tests.support.database import Database

COURTEOUS = replace(QUICK, give_way=0, pacing=PacingSettings(first_pages=4, ceiling_pages=4))


def test_a_batch_begins_in_a_gap(small: Database) -> None:
    source, recorder = add_source(small, 1, 30), Recorder()
    other = small.connect("app", autocommit=False)
    other.execute("SELECT 1")
    with other:
        ending = threading.Timer(1.5, other.rollback)
        ending.start()
        begun = time.monotonic()
        result = asyncio.run(copy(small, source, recorder=recorder, workers=1, settings=COURTEOUS))
        ending.join()
        assert time.monotonic() - begun > 1.4
    assert result.complete
    assert is_equal(small, source)
    assert recorder.of("backfill.yielded")[0]["seconds"] > 0


def test_somebody_who_never_ends_does_not_stop_it(small: Database) -> None:
    source, recorder = add_source(small, 1, 60), Recorder()
    with small.connect("app", autocommit=False) as other:
        other.execute("SELECT 1")
        result = asyncio.run(copy(small, source, recorder=recorder, workers=1, settings=COURTEOUS))
    assert result.complete
    waits = [each["seconds"] for each in recorder.of("backfill.yielded")]
    assert len(waits) == result.batches > 1
    assert all(LONGEST_SECONDS <= seconds < 2 * LONGEST_SECONDS for seconds in waits)


def test_so_many_others_as_are_allowed_are_no_reason(small: Database) -> None:
    source, recorder = add_source(small, 1, 60), Recorder()
    with small.connect("app", autocommit=False) as other:
        other.execute("SELECT 1")
        asyncio.run(copy(small, source, recorder=recorder, settings=replace(COURTEOUS, give_way=1000)))
    assert is_equal(small, source)
    assert recorder.of("backfill.yielded") == []
