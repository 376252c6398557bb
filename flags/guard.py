"""The guard: takes a flag back one stage when the new side disappoints, and holds it there for a person.

Whoever reports shadow reads asks it after each report (`flags.recorder`), so it needs no process of its own. `decide`
is a pure function of a window's sums and the limits; the move is one function in the database that moves back only, and
only from the version that was judged: somebody who moved the flag meanwhile is not overruled. Evidence counts for the
version it was gathered under, so one defect takes a flag back one stage, not all of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from psycopg.rows import tuple_row

from .queries import load

if TYPE_CHECKING:
    import psycopg


BOUNDS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
"""Upper bounds of the latency histogram; one more bucket stands for what is slower."""
WINDOW_S: Final = 60
_WATCHED: Final = ("shadow", "live")
_ENOUGH_FOR_P99: Final = 100
"""Of fewer reads the 99th percentile is the slowest one, and that is chance."""


class Listens(Protocol):
    """Something that is told what happened; the orchestrator's event bus is one."""

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Hear that `kind` happened."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When it is too much. Shares are of the reads that were compared."""

    enabled: bool = True
    window_s: int = WINDOW_S
    least: int = 20
    """Below so many compared reads nothing is decided."""
    mismatches: float = 0.0
    errors: float = 0.01
    """Errors and reads over their deadline, of the new side."""
    slower: float = 3.0
    """The new side's p99 as a multiple of the old side's,"""
    floor_ms: float = 50.0
    """and only if it is above this."""


@dataclass(frozen=True, slots=True)
class Window:
    """The sums of a window."""

    compared: int
    mismatches: int
    errors: int
    late: int
    old_ms: tuple[int, ...] = ()
    new_ms: tuple[int, ...] = ()


def decide(window: Window, limits: Limits) -> str | None:
    """Why the flag has to go back, None if it may stay."""
    if not limits.enabled or window.compared < limits.least:
        return None
    compared = window.compared
    if window.mismatches > limits.mismatches * compared:
        return f"{window.mismatches} of {compared} reads differ"
    failed = window.errors + window.late
    if failed > limits.errors * compared:
        return f"{failed} of {compared} reads of the new side failed ({window.late} too late)"
    if min(sum(window.old_ms), sum(window.new_ms)) < _ENOUGH_FOR_P99:
        return None
    old, new = p99(window.old_ms), p99(window.new_ms)
    if old is not None and new is not None and new > limits.floor_ms and new > old * limits.slower:
        return f"p99 of the new side is {new:g} ms, of the old side {old:g} ms"
    return None


def p99(histogram: tuple[int, ...]) -> float | None:
    """The bound below which 99 % of the reads are; None without reads."""
    total, seen = sum(histogram), 0
    for number, bucket in enumerate(histogram):
        seen += bucket
        if total and seen >= 0.99 * total:
            return BOUNDS_MS[number] if number < len(BOUNDS_MS) else 2.0 * BOUNDS_MS[-1]
    return None


def check(conn: psycopg.Connection[Any], flag: str, bus: Listens | None = None) -> str | None:
    """Judge a flag by its window and take it back if need be; why, or None."""
    rows = conn.cursor(row_factory=tuple_row)
    found = rows.execute(load("window.sql"), {"flag": flag, "window_s": WINDOW_S}).fetchone()
    if found is None or found[0] not in _WATCHED:
        return None
    stage, version, compared, mismatches, errors, late, old_ms, new_ms, limits = found
    window = Window(compared, mismatches, errors, late, tuple(old_ms or ()), tuple(new_ms or ()))
    why = decide(window, Limits(**limits) if limits else Limits())
    if why is None:
        return None
    moved = rows.execute(load("retreat.sql"), {"flag": flag, "version": version, "why": why}).fetchone()
    if moved is None or moved[0] is None:
        return None
    if bus is not None:
        bus.emit("flag.retreated", flag=flag, start=stage, end=moved[0], why=why)
    return why


def limits_of(conn: psycopg.Connection[Any], flag: str) -> Limits:
    """The limits of a flag."""
    rows = conn.cursor(row_factory=tuple_row)
    found = rows.execute(load("window.sql"), {"flag": flag, "window_s": WINDOW_S}).fetchone()
    return Limits(**found[-1]) if found is not None and found[-1] else Limits()


def set_limits(conn: psycopg.Connection[Any], flag: str, limits: Limits) -> None:
    """Set the limits of a flag."""
    conn.execute(load("limits.sql"), {"flag": flag, **asdict(limits)})
