"""What a seed says: which case, which commands, and what happens to them when. Drawn whole before anything starts.

A fault waits for its moment: so many lines in the log of the job that is at work, and then so many seconds. A command
may be done before; then the fault is for the next one. So the same seed gives the same schedule, though not the same
race: machines differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.support.cases import CASES, Case

HOUR = 3600.0


class Kind(StrEnum):
    """What may happen."""

    KILL = "SIGKILL of the job"
    TERM = "SIGTERM of the job"
    PAUSE = "SIGSTOP for longer than the lease, another copy takes over, SIGCONT"
    PARTITION = "no byte gets through for longer than the lease, another copy takes over"
    THEFT = "the lease runs out at once and somebody else takes it"
    CRASH = "restart of the server, immediate"
    CUT = "every connection of the job is reset"
    CUT_ALL = "every connection of job and applications is reset"
    REFUSE = "connections are reset and refused for a while"
    STALL = "no byte gets through for a while"
    DISK = "no room on the disk of the new tables for a while"
    CLOCK = "the server's clock jumps by an hour, as the lease sees it"


WEIGHTS = {
    Kind.KILL: 5,
    Kind.TERM: 2,
    Kind.PAUSE: 2,
    Kind.PARTITION: 2,
    Kind.THEFT: 3,
    Kind.CRASH: 3,
    Kind.CUT: 3,
    Kind.CUT_ALL: 2,
    Kind.REFUSE: 2,
    Kind.STALL: 2,
    Kind.DISK: 3,
    Kind.CLOCK: 2,
}


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    kind: Kind
    lines: int
    """Not before the job has logged so many lines,"""
    after: float
    """and so many seconds have passed since."""
    lasts: float
    """Seconds, for what has an end."""
    sign: int
    """Which way a clock jumps."""

    def __str__(self) -> str:
        return (
            f"{self.kind} ({self.lines} lines and {self.after:.2f} s into it, for {self.lasts:.2f} s, {self.sign:+d})"
        )


@dataclass(frozen=True)
class Step:
    """A command, what happens to it, and how its wall clock jumps: (seconds after its start, seconds of offset)."""

    argv: tuple[str, ...]
    faults: tuple[Fault, ...]
    clock: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        lines = [" ".join(self.argv), *(f"    {each}" for each in self.faults)]
        lines += [f"    its wall clock is off by {offset:+.0f} s after {after:.2f} s" for after, offset in self.clock]
        return "\n".join(lines)


@dataclass(frozen=True)
class Schedule:
    """Everything that a seed decides."""

    seed: int
    case: Case
    rest: float
    """How long the copy rests after a batch, as a multiple of its time."""
    pace: float
    """Seconds that a writer rests after a request: a crowded table and an empty one meet other races."""
    early: bool
    """Whether the new version writes from dual-write on."""
    forward: tuple[Step, ...]
    contract: tuple[Step, ...]
    back: tuple[Step, ...]

    def __str__(self) -> str:
        head = f"seed {self.seed}: {self.case.name}, rest {self.rest:.1f}, pace {self.pace}, {'early' if self.early else 'late'} new version"
        return "\n".join([head, *(f"  {step}".replace("\n", "\n  ") for step in self.steps)])

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.forward, *self.contract, *self.back)


def drawn(seed: int) -> Schedule:
    """The schedule of a seed."""
    dice = Random(seed)
    case = CASES[seed % len(CASES)]
    plan = case.plan
    by_start = dice.random() < 0.25
    forward: list[tuple[str, ...]] = [("start", plan, "--until", "verify", "--verbose")]
    if not by_start:
        forward = [_run(phase, case, stage) for stage in case.stages for phase in _PHASES]
    # Later stages first: their archive may refer to tables of the earlier ones.
    contract = [_run("contract", case, stage) for stage in reversed(case.stages)] if dice.random() < 0.4 else []
    back: list[tuple[str, ...]] = []
    if dice.random() < 0.5:
        back = [("rollback", "--yes", "--plan", plan)]
        if contract:
            back.insert(0, ("rollback", "--yes", "--plan", plan, "--to", "verify"))
    return Schedule(
        seed=seed,
        case=case,
        rest=dice.choice((0.5, 2.0, 5.0)),
        pace=dice.choice((0.03, 0.06, 0.12)),
        early=dice.random() < 0.7,
        forward=tuple(_step(dice, argv) for argv in forward),
        contract=tuple(_step(dice, argv) for argv in contract),
        back=tuple(_step(dice, argv) for argv in back),
    )


_PHASES = ("expand", "dual-write", "backfill", "verify")
_BUSY = {"backfill": (1, 3), "start": (2, 5), "rollback": (0, 2), "contract": (0, 2)}
"""How many faults: fewest and most. Others get one at most."""
_TALKATIVE = {"expand": 6, "dual-write": 16, "backfill": 40, "verify": 8, "contract": 10, "start": 60, "rollback": 0}
"""About how many lines each logs."""


def _run(phase: str, case: Case, stage: str) -> tuple[str, ...]:
    return ("run", phase, "--plan", case.plan, "--stage", stage, "--wait", "60")


def _step(dice: Random, argv: tuple[str, ...]) -> Step:
    busy = argv[1] if argv[0] == "run" else argv[0]
    faults = [_fault(dice, _TALKATIVE[busy]) for _ in range(dice.randint(*_BUSY.get(busy, (0, 1))))]
    clock: list[tuple[float, float]] = []
    if dice.random() < 0.2:
        after = 0.0
        for _ in range(dice.randint(1, 3)):
            after += dice.uniform(0, 0.5)
            clock.append((after, dice.choice((-HOUR, HOUR, -24 * HOUR, 24 * HOUR, 0.0))))
    return Step(argv, tuple(faults), tuple(clock))


def _fault(dice: Random, lines: int) -> Fault:
    kind = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    return Fault(
        kind=kind,
        lines=int(lines * dice.random() ** 2),
        # Whoever logs nothing needs a moment before it has begun at all.
        after=dice.choice((0.0, dice.uniform(0, 0.1), dice.uniform(0, 0.5))) if lines else dice.uniform(0.1, 1.0),
        lasts=dice.uniform(0.1, 1.5),
        sign=dice.choice((-1, 1)),
    )
