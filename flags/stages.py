"""The stages of a flag: who is read at each, which moves are allowed, and which reader is in which stage.

The stages mean what LaunchDarkly's migration flags mean. Inside a stage a rollout percentage takes effect: a
targeting key whose bucket is outside of it is one stage behind. So `live` at 10 % is ten percent of the keys reading
the new tables and the others still in `shadow`; `rampdown` and `complete` read the new tables at any percentage.

Everything here is a pure function. The database says the same in `sql/triggers.sql` and `sql/functions.sql`, and a
property test compares the two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BUCKETS: Final = 10_000
EVERYBODY: Final = 100


class Stage(StrEnum):
    """Where a flag stands, from the old tables to the new ones."""

    OFF = "off"
    DUALWRITE = "dualwrite"
    SHADOW = "shadow"
    LIVE = "live"
    RAMPDOWN = "rampdown"
    COMPLETE = "complete"


class Side(StrEnum):
    """The old tables or the new ones."""

    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Reads:
    """Whose answer counts, and which side is read as well, to be compared with it."""

    answer: Side
    compared: Side | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A step forward, and what makes it right."""

    start: Stage
    end: Stage
    why: str


LADDER: Final = tuple(Stage)

READS: Final = {
    Stage.OFF: Reads(Side.OLD),
    Stage.DUALWRITE: Reads(Side.OLD),
    Stage.SHADOW: Reads(Side.OLD, compared=Side.NEW),
    Stage.LIVE: Reads(Side.NEW, compared=Side.OLD),
    Stage.RAMPDOWN: Reads(Side.NEW),
    Stage.COMPLETE: Reads(Side.NEW),
}

FAIL_SAFE: Final = {stage: Side.NEW if stage in (Stage.RAMPDOWN, Stage.COMPLETE) else Side.OLD for stage in LADDER}
"""What to read when a flag that stood there cannot be asked any more."""

FORWARD: Final = (
    Move(Stage.OFF, Stage.DUALWRITE, "the mirror is on: what is written to one side is on both"),
    Move(Stage.DUALWRITE, Stage.SHADOW, "the rows are there: both sides can be read and compared"),
    Move(Stage.DUALWRITE, Stage.LIVE, "verified, and the application has no use for shadow reads"),
    Move(Stage.SHADOW, Stage.LIVE, "verified, and the shadow reads agree"),
    Move(Stage.LIVE, Stage.RAMPDOWN, "everybody reads the new tables, and nobody has missed the old ones"),
    Move(Stage.RAMPDOWN, Stage.COMPLETE, "the soak is over; the old tables may be put away"),
)
"""The steps forward of a flag that belongs to a plan stage. Any move back is allowed, at any time."""


def rank(stage: Stage) -> int:
    """How far along a stage is."""
    return LADDER.index(stage)


def reads_new(stage: Stage) -> bool:
    """Is it the new side whose answer counts?"""
    return READS[stage].answer is Side.NEW


def is_forward(start: tuple[Stage, int], end: tuple[Stage, int]) -> bool:
    """Does a change of (stage, rollout) expose more readers to the new side than before?"""
    return (rank(end[0]), end[1]) > (rank(start[0]), start[1])


def bucket(flag: str, key: str) -> int:
    """Which of the 10,000 buckets a key falls into for a flag; `changeover.flag_bucket` computes the same."""
    # Half a character, which no database stores, still has a bucket: a question is never an error.
    digest = hashlib.sha256(f"{flag}\x1f{key}".encode(errors="surrogatepass")).hexdigest()
    return int(digest[:12], 16) % BUCKETS


def within(flag: str, key: str | None, rollout: int) -> bool:
    """Is this key in the rollout? Without a key only a full rollout takes it in: nothing else would be insert_only."""
    if rollout >= EVERYBODY:
        return True
    return key is not None and bucket(flag, key) < rollout * (BUCKETS // EVERYBODY)


def effective(stage: Stage, rollout: int, flag: str, key: str | None) -> Stage:
    """The stage that counts for this key: outside the rollout it is the one before."""
    if stage is Stage.OFF or within(flag, key, rollout):
        return stage
    return LADDER[rank(stage) - 1]


STEPS: Final = (1, 10, 50, EVERYBODY)
"""The shares of the readers that `live` goes through, if nobody says otherwise."""


def next_step(stage: Stage, rollout: int) -> tuple[Stage, int] | None:
    """Where `promote` leads: more of the readers, then the next stage; None at the end."""
    if rollout < EVERYBODY:
        return stage, next(step for step in STEPS if step > rollout)
    if stage is LADDER[-1]:
        return None
    end = LADDER[rank(stage) + 1]
    return end, STEPS[0] if end is Stage.LIVE else EVERYBODY


def step_back(stage: Stage) -> Stage:
    """Where `demote` and the guard lead: the stage before, for everybody."""
    return LADDER[max(rank(stage) - 1, 0)]
