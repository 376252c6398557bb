"""Chunks, ranges and the gate: what needs no database of them."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.chunk import Chunk
from backfill.errors import FenceLostError
from backfill.faults import Fault, backoff, classify
from backfill.gate import Gate
from backfill.pacing import Pace
from backfill.ranges import gaps
from backfill.refs import SourceRef


def chunk(pages: int, pace: int) -> Chunk:
    return Chunk(SourceRef(1, "s.t", 1), 0, 0, 0, pages, 1, Pace(pace))


@given(st.integers(1, 300), st.integers(1, 64), st.sets(st.integers(0, 299), max_size=12))
def test_narrowing_isolates_exactly_the_bad_pages(pages: int, pace: int, bad: set[int]) -> None:
    """Walk a chunk whose `bad` pages fail: it ends, every page is done once, and only bad pages go row by row."""
    walked, isolated, tries = chunk(pages, pace), set(), 0
    while walked.open:
        tries += 1
        assert tries < 2000
        upto, verb = walked.step()
        assert walked.next < upto <= walked.end
        touched = set(range(walked.next, upto))
        if verb == "isolate":
            assert len(touched) == 1
            isolated |= touched
            walked.moved(upto, 0, 0, 0)
        elif touched & bad:
            walked.narrow(upto)
        else:
            walked.moved(upto, 0, 0, 0)
    assert isolated == {page for page in bad if page < pages}


def test_a_resync_says_so() -> None:
    walked = Chunk(SourceRef(1, "s.t", 1, "resync"), 0, 0, 0, 10, 1, Pace(4))
    assert walked.step() == (4, "resync")


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=8), st.integers(0, 70))
def test_gaps_are_exactly_what_is_missing(done: list[tuple[int, int]], pages: int) -> None:
    ranges = [(lo, lo + size) for lo, size in done]
    covered = {page for lo, hi in ranges for page in range(lo, hi)}
    missing = [page for lo, hi in gaps(ranges, pages) for page in range(lo, hi)]
    assert missing == [page for page in range(pages) if page not in covered]


@pytest.mark.parametrize(
    ("sqlstate", "fault"),
    [
        ("40001", Fault.HINDERED),
        ("40P01", Fault.HINDERED),
        ("55P03", Fault.HINDERED),
        ("57014", Fault.HINDERED),
        ("53100", Fault.HINDERED),
        ("08006", Fault.LOST),
        ("57P01", Fault.LOST),
        ("57P03", Fault.LOST),
        ("25P03", Fault.LOST),
        ("22P02", Fault.DATA),
        ("23502", Fault.DATA),
        ("0A000", Fault.DATA),
        ("54000", Fault.DATA),
        ("P0001", Fault.DATA),
        ("42883", Fault.FATAL),
        ("42501", Fault.FATAL),
        ("XX000", Fault.FATAL),
        ("55000", Fault.FATAL),
    ],
)
def test_sqlstates_decide(sqlstate: str, fault: Fault) -> None:
    exc = asyncpg.PostgresError.new({"C": sqlstate, "M": "the text does not matter"})
    assert classify(exc) is fault


@pytest.mark.parametrize(
    ("exc", "fault"),
    [
        (ConnectionResetError(), Fault.LOST),
        (TimeoutError(), Fault.LOST),
        (asyncpg.InterfaceError("connection is closed"), Fault.LOST),
        (asyncpg.exceptions.DataError("not an int"), Fault.DATA),
        (FenceLostError(), Fault.FATAL),
        (ValueError(), Fault.FATAL),
    ],
)
def test_errors_without_a_sqlstate(exc: Exception, fault: Fault) -> None:
    assert classify(exc) is fault


@given(st.integers(1, 10_000))
def test_backoff_is_bounded(attempt: int) -> None:
    assert 0 < backoff(attempt) <= 5


def test_a_drain_waits_for_batches_and_goes_before_later_ones() -> None:
    order: list[str] = []

    async def batch(gate: Gate, name: str, seconds: float) -> None:
        async with gate.shared():
            order.append(f"{name} in")
            await asyncio.sleep(seconds)
            order.append(f"{name} out")

    async def drain(gate: Gate) -> None:
        async with gate.exclusive():
            order.append("drain in")
            await asyncio.sleep(0.01)
            order.append("drain out")

    async def scenario() -> None:
        gate = Gate()
        work: list[Any] = [asyncio.create_task(batch(gate, "a", 0.03)), asyncio.create_task(batch(gate, "b", 0.01))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        work += [asyncio.create_task(drain(gate))]
        await asyncio.sleep(0.005)
        work += [asyncio.create_task(batch(gate, "c", 0))]
        await asyncio.gather(*work)

    asyncio.run(scenario())
    assert order == ["a in", "b in", "b out", "a out", "drain in", "drain out", "c in", "c out"]


def test_a_cancelled_drain_leaves_the_gate_open() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with gate.shared():
            waiting = asyncio.create_task(gate.exclusive().__aenter__())
            await asyncio.sleep(0.005)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            async with asyncio.timeout(1), gate.shared():
                pass

    asyncio.run(scenario())
