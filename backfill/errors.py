"""What can stop a copy or a comparison, each with what was kept and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.errors import (
    LOCK_NOT_AVAILABLE,
    ChangeoverError,
    LockTimeoutError,
    MismatchError,
    RefusedError,
    RetryableError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEPT = "Everything up to the last committed batch is kept."
_GONE = frozenset({"42703", "42P01"})
_NOT_ALLOWED = "42501"
_IN_THE_WAY = frozenset({LOCK_NOT_AVAILABLE, "40P01", "40001", "57014"})
_RERUN = "Run the same command again: it goes on from the last committed batch."


class OutdatedError(Exception):
    """What this process remembers of a table is no longer so. An answer within the package; it never leaves it."""


class ChunkMovedError(OutdatedError):
    """The chunk does not stand where this process believes it stands."""


class HeapRewrittenError(OutdatedError):
    """The table's pages are other pages now."""


class FenceLostError(RefusedError):
    """Somebody else holds the lease now; this process must not commit anything more."""

    def __init__(self) -> None:
        super().__init__(
            "The lease was lost while rows were being moved: another runner has taken over.",
            kept=_KEPT,
            todo="Leave the work to the other runner (`changeover status` names it), or run again when it has ended.",
        )


class SourceGoneError(RefusedError):
    """A source table is no longer there."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"The source table {source} no longer exists.",
            kept=_KEPT,
            todo="`changeover plan check` shows what has drifted; put the table back or drop it from the plan.",
        )


class TargetGoneError(RefusedError):
    """A target table is not there."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"The target table {target} does not exist.",
            kept=_KEPT,
            todo="Run the phases before this one: `changeover status` shows which are done.",
        )


class BatchError(RefusedError):
    """A page fails even row by row: not a row is at fault but the mapping or its functions."""

    def __init__(self, source: str, page: int, cause: ChangeoverError) -> None:
        super().__init__(
            f"Page {page} of {source} cannot be copied, not even row by row: {cause.what}",
            kept=_KEPT,
            todo="Correct the mapping, then run the same command again.",
            sqlstate=cause.sqlstate,
        )


class PausedTooLongError(RetryableError):
    """The database was too busy for longer than we are willing to wait."""

    def __init__(self, seconds: float, reasons: str) -> None:
        super().__init__(
            f"Copying has been paused for {seconds:.0f} s: {reasons}.",
            kept=_KEPT,
            todo="Relieve the database or raise the limit of that probe, then run the same command again.",
        )


class DrainError(MismatchError):
    """Keys in the queue that cannot be drained."""

    def __init__(self, source: str, detail: str, causes: Sequence[str]) -> None:
        super().__init__(
            f"Keys of {source} in the queue cannot be drained: {detail}",
            kept=f"{_KEPT} The keys stay in changeover.queue.",
            todo=drain_todo(causes),
        )


def drain_todo(causes: Sequence[str]) -> str:
    """What to do about keys that wait, by what their attempts have ended with: a SQLSTATE, a blank and the message."""
    gone = sorted({cause[6:].splitlines()[0] for cause in causes if cause[:5] in _GONE and cause[6:].strip()})
    if gone:
        return (
            f"DDL of the application took away or renamed what the mapping names ({'; '.join(gone)}): put it back "
            "under its name, as the plan stays the same until the run has ended; then run the same command again."
        )
    if all(cause[:5] in _IN_THE_WAY for cause in causes):
        return "Look for long transactions in pg_stat_activity, then run the same command again."
    if all(cause[:5] == _NOT_ALLOWED for cause in causes):
        return (
            "A right was taken away, or row-level security was switched on or forced: `changeover doctor --plan PLAN` "
            "names the table. Give the right back, then run the same command again."
        )
    return "Mend the rows or the mapping, then run the same command again."


def hindered(subject: str, attempts: int, sqlstate: str | None, cause: str) -> ChangeoverError:
    """Give up on something that gave way too often."""
    kind = LockTimeoutError if sqlstate == LOCK_NOT_AVAILABLE else RetryableError
    what = f"{subject} gave way {attempts} times in a row and was not let through: {cause}"
    return kind(what, kept=_KEPT, todo=f"Look for long transactions in pg_stat_activity. {_RERUN}", sqlstate=sqlstate)
