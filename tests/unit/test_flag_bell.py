from __future__ import annotations

from flags.bell import LONGEST_S, SHORTEST_S, Bell


def test_the_first_bell_is_answered_at_once_and_false_alarms_less_and_less() -> None:
    bell = Bell()
    assert bell.pause == 0
    pauses = []
    for _ in range(12):
        bell.looked(rung=True, changed=False)
        pauses.append(bell.pause)
    assert pauses[0] == SHORTEST_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_S


def test_a_change_or_a_quiet_look_ends_the_pause() -> None:
    bell = Bell()
    for rung, changed in ((True, True), (False, False), (False, True)):
        bell.looked(rung=True, changed=False)
        bell.looked(rung=rung, changed=changed)
        assert bell.pause == 0
