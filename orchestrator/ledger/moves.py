"""The allowed moves of every state in the ledger: one table each, and the reason of each move.

What is not listed is refused. The database refuses too: the state columns have CHECKs, two active runs of a plan
cannot exist (partial unique index), and `Ledger.change` writes only where the state is still the one it judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from orchestrator.ledger.errors import MoveRefusedError


@dataclass(frozen=True, slots=True)
class Move:
    """From one state to another, and why that is right."""

    start: str
    end: str
    why: str


Moves = tuple[Move, ...]

RUN: Final[Moves] = (
    Move("active", "finished", "every phase of every stage is done"),
    Move("active", "rolled_back", "everything was taken back and the old schema stands alone again"),
    Move("active", "abandoned", "a person gave it up; what it left is named by the ledger"),
    Move("finished", "active", "a finished run is taken up again, to be rolled back or to repeat a phase"),
)

PHASE: Final[Moves] = (
    Move("pending", "running", "its turn has come"),
    Move("running", "running", "its runner is gone and another one goes on where the last commit left it"),
    Move("running", "done", "all its actions are done and its own condition holds"),
    Move("running", "failed", "it stopped with an error; what was committed is kept"),
    Move("running", "stopped", "somebody stopped it (a signal, cancel); what was committed is kept"),
    Move("running", "pending", "it waits at a gate; nothing of it was done"),
    Move("failed", "running", "it is tried again"),
    Move("stopped", "running", "the same command goes on from the last commit"),
    Move("done", "running", "it is repeated: a source was added, a column appeared, a second verification"),
    Move("running", "going_back", "it is taken back half way"),
    Move("failed", "going_back", "it is taken back after a failure"),
    Move("stopped", "going_back", "it is taken back half way"),
    Move("done", "going_back", "it is taken back after success"),
    Move("going_back", "going_back", "its runner is gone and another one goes on taking it back"),
    Move("going_back", "running", "it is done again before it was taken back whole"),
    Move("going_back", "rolled_back", "everything that it did is taken back"),
    Move("rolled_back", "running", "done again after the way back"),
)

ACTION: Final[Moves] = (
    Move("started", "started", "begun again: its runner was killed before it could say that it was done"),
    Move("started", "done", "the statement has been executed, or its probe found it done"),
    Move("started", "undone", "taken back though nobody saw it finish: inverses bear that"),
    Move("done", "undone", "its inverse has been executed"),
    Move("done", "started", "its probe no longer finds it: somebody took it away, it is executed again"),
    Move("undone", "started", "executed again after the way back"),
)

SOURCE: Final[Moves] = (
    Move("found", "mirrored", "its triggers are committed"),
    Move("mirrored", "copying", "its first batch may begin, the mirror being on"),
    Move("copying", "copied", "every page has been seen and no queue waits"),
    Move("copied", "copying", "its heap was rewritten or a column was added: its pages are read again"),
    Move("copied", "archived", "contract has put the table away"),
    Move("archived", "copied", "contract was taken back"),
    Move("copying", "mirrored", "backfill was taken back"),
    Move("copied", "mirrored", "backfill was taken back"),
    Move("mirrored", "found", "the mirror was taken away"),
    Move("copying", "found", "mirror and copy were taken away together"),
    Move("copied", "found", "mirror and copy were taken away together"),
)

VERIFICATION: Final[Moves] = (
    Move("running", "clean", "every range was compared and nothing differed"),
    Move("running", "different", "every range was compared and something differed"),
    Move("different", "running", "the differences were repaired and their ranges are compared again"),
)

REJECT: Final[Moves] = (
    Move("open", "waived", "a person answers for it by name and says why"),
    Move("waived", "open", "the waiver was taken back"),
)


def allow(noun: str, moves: Moves, start: str, end: str, which: str = "") -> Move:
    """The move, if it is listed; otherwise an error that says which ones are."""
    for move in moves:
        if (move.start, move.end) == (start, end):
            return move
    open_to = [move.end for move in moves if move.start == start]
    raise MoveRefusedError(
        f"A {noun} cannot go from {start} to {end}{f' ({which})' if which else ''}.",
        kept="Nothing was changed.",
        todo=f"From {start} it can go to: {', '.join(open_to)}." if open_to else f"{start} is its last state.",
    )
