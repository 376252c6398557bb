from __future__ import annotations

import pytest

from orchestrator.ledger import moves, tables
from orchestrator.ledger.errors import MoveRefusedError

TABLES = {
    "run": (moves.RUN, tables.RUN_STATES),
    "phase": (moves.PHASE, tables.PHASE_STATES),
    "action": (moves.ACTION, tables.ACTION_STATES),
    "source": (moves.SOURCE, tables.SOURCE_STATES),
    "verification": (moves.VERIFICATION, tables.VERIFICATION_STATES),
    "reject": (moves.REJECT, tables.REJECT_STATES),
}


@pytest.mark.parametrize("noun", TABLES)
def test_every_move_is_between_known_states_and_says_why(noun: str) -> None:
    listed, states = TABLES[noun]
    assert len({(move.start, move.end) for move in listed}) == len(listed)
    for move in listed:
        assert {move.start, move.end} <= set(states)
        assert move.why


@pytest.mark.parametrize("noun", TABLES)
def test_every_state_can_be_reached(noun: str) -> None:
    listed, states = TABLES[noun]
    reached = {states[0]}
    for _ in states:
        reached |= {move.end for move in listed if move.start in reached}
    assert reached == set(states)


@pytest.mark.parametrize("noun", TABLES)
def test_what_is_not_listed_raises(noun: str) -> None:
    listed, states = TABLES[noun]
    allowed = {(move.start, move.end) for move in listed}
    for start in states:
        for end in states:
            if (start, end) in allowed:
                assert moves.allow(noun, listed, start, end).end == end
            else:
                with pytest.raises(MoveRefusedError, match=f"from {start} to {end}"):
                    moves.allow(noun, listed, start, end)


def test_the_error_says_where_it_can_go() -> None:
    with pytest.raises(MoveRefusedError) as refused:
        moves.allow("source", moves.SOURCE, "found", "copied", "public.chat")
    assert refused.value.todo == "From found it can go to: mirrored."
    with pytest.raises(MoveRefusedError) as refused:
        moves.allow("run", moves.RUN, "abandoned", "active")
    assert refused.value.todo == "abandoned is its last state."
