"""How the readers came to the new tables, as the report tells it: each step, and what became of the planted defect."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.demo.section import Section

MENDED = "shadow, mended"
"""The step from which on nothing may differ."""


@dataclass(frozen=True)
class Step:
    """The readers at one position of the flags: reads of the new version, and what shadow reads compared."""

    label: str
    reads: int
    new: int
    """Answered by the new tables."""
    compared: int
    different: int
    failed: int
    """On the side that was the candidate, or too late."""


@dataclass(frozen=True)
class Caught:
    """A flag that the guard took back."""

    flag: str
    start: str
    end: str
    compared: int
    different: int
    seconds: float
    """From the move to the way back."""


@dataclass(frozen=True)
class Moved:
    """How the readers came to the new tables."""

    steps: tuple[Step, ...]
    caught: Caught | None
    """The planted defect; None if nobody noticed it."""
    defective: int
    """Reads that were answered by the defective build."""
    stages: dict[str, str]
    """Where each flag stands in the end."""


def sections(moved: Moved | None) -> list[Section]:
    """The two parts of the report; none if the readers have not been moved."""
    return [] if moved is None else [_steps(moved), _defect(moved)]


def _steps(moved: Moved) -> Section:
    headers = ("flags at", "reads", "answered by the new tables", "share", "compared", "different", "failed or late")
    lines = [
        (
            step.label,
            f"{step.reads:,}",
            f"{step.new:,}",
            f"{100 * step.new / step.reads:.0f} %" if step.reads else "",
            f"{step.compared:,}",
            f"{step.different:,}",
            f"{step.failed:,}",
        )
        for step in moved.steps
    ]
    return Section("Readers of the new version, step by step", headers, tuple(lines))


def _defect(moved: Moved) -> Section:
    """The first build of the new report forgets audits; that must be seen before anybody reads it, and be mended."""
    caught = moved.caught
    lines = [("planted", "the first build of the new report leaves out audits whose channel nobody knows")]
    if caught is None:
        lines.append(("found", "NO"))
        after = list(moved.steps)
    else:
        lines += [
            ("found", f"at {caught.start}: {caught.different:,} of {caught.compared:,} compared reports differ"),
            ("taken back by the guard", f"to {caught.end}, {caught.seconds:.1f} s after it went to {caught.start}"),
        ]
        labels = [step.label for step in moved.steps]
        after = list(moved.steps[labels.index(MENDED) :]) if MENDED in labels else []
    different, compared = sum(step.different for step in after), sum(step.compared for step in after)
    stages = ", ".join(f"{flag} {stage}" for flag, stage in moved.stages.items())
    lines += [
        ("reads answered by the defective build", f"{moved.defective:,}"),
        ("compared after the mend", f"{compared:,} reads, {different:,} differ"),
        ("flags at the end", stages),
    ]
    at_end = all(stage == "complete" for stage in moved.stages.values())
    good = caught is not None and moved.defective == 0 and compared > 0 and different == 0 and at_end
    return Section("A defect in the new read path, planted", ("", ""), tuple(lines), good)
