from __future__ import annotations

import pytest

from flags import stages
from flags.errors import FlagMoveError
from flags.moves import check_move
from flags.stages import LADDER, Side, Stage


def test_every_stage_says_who_is_read() -> None:
    assert set(stages.READS) == set(LADDER)
    assert [stage for stage in LADDER if stages.reads_new(stage)] == [Stage.LIVE, Stage.RAMPDOWN, Stage.COMPLETE]
    assert stages.READS[Stage.SHADOW].compared is Side.NEW
    assert stages.READS[Stage.LIVE].compared is Side.OLD
    for reads in stages.READS.values():
        assert reads.compared is not reads.answer


def test_every_step_goes_forward_and_says_why() -> None:
    assert {move.end for move in stages.FORWARD} == set(LADDER) - {Stage.OFF}
    for move in stages.FORWARD:
        assert stages.rank(move.end) > stages.rank(move.start)
        assert move.why


@pytest.mark.parametrize("start", LADDER)
@pytest.mark.parametrize("end", LADDER)
@pytest.mark.parametrize("rollout", [0, 10, 100])
def test_moves(start: Stage, end: Stage, rollout: int) -> None:
    check_move("F", (start, rollout), end, planned=False)
    step = any((move.start, move.end) == (start, end) for move in stages.FORWARD)
    if stages.rank(end) <= stages.rank(start) or (step and (start is not Stage.LIVE or rollout == 100)):
        check_move("F", (start, rollout), end, planned=True)
    else:
        with pytest.raises(FlagMoveError) as refused:
            check_move("F", (start, rollout), end, planned=True)
        assert refused.value.todo


def test_forward_is_more_readers() -> None:
    assert stages.is_forward((Stage.LIVE, 10), (Stage.LIVE, 11))
    assert stages.is_forward((Stage.SHADOW, 100), (Stage.LIVE, 1))
    assert not stages.is_forward((Stage.LIVE, 1), (Stage.SHADOW, 100))
    assert not stages.is_forward((Stage.LIVE, 10), (Stage.LIVE, 10))


def test_a_key_stays_in_as_the_rollout_grows() -> None:
    for key in map(str, range(300)):
        inside = [stages.within("F", key, rollout) for rollout in range(101)]
        assert inside == sorted(inside)
        assert not inside[0]
        assert inside[100]


def test_buckets_are_even_and_differ_by_flag() -> None:
    first = [stages.bucket("F", str(number)) for number in range(20_000)]
    assert abs(sum(bucket < 1000 for bucket in first) - 2000) < 200
    second = [stages.bucket("G", str(number)) for number in range(20_000)]
    both = sum(a < 1000 and b < 1000 for a, b in zip(first, second, strict=True))
    assert both < 300  # 200 expected: the same keys do not go first everywhere
