"""What the engine refuses, and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engine.results import CHECKS_NOT_MET
from orchestrator.kernel.errors import GateUnmetError, MismatchError, RefusedError, RetryableError, UsageError
from orchestrator.kernel.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.engine.results import VerifyResult


class NotInstalledError(RefusedError):
    """The ledger is not in this database."""

    def __init__(self) -> None:
        """There is only one thing to say."""
        super().__init__(
            "Changeover is not installed in this database.",
            kept="Nothing was changed.",
            todo="Run `changeover init` first.",
        )


class RunEndedError(RefusedError):
    """The run that stood when the command was given has ended while the command waited for the lease."""

    def __init__(self, run: int, plan: str, state: str) -> None:
        """Say which, and what has become of it (`state`, of the ledger)."""
        self.state = state
        super().__init__(
            f"Run {run} of plan {plan} was {state.replace('_', ' ')} by somebody else while this command waited "
            "for the lease.",
            kept="Nothing was changed.",
            todo="`changeover history` tells who it was; `changeover start` begins a new run.",
        )


class OrderError(RefusedError):
    """A phase was asked for before the one it needs."""


class UnknownPhaseError(UsageError):
    """There is no phase of that name."""


class StageGateError(GateUnmetError):
    """A gate of a stage does not hold; names it in words."""


class DifferencesError(MismatchError):
    """The comparison found differences: `results` has every stage, `result` the first one that differs."""

    def __init__(self, results: Sequence[VerifyResult], plan: str) -> None:
        """Say how many and where to look."""
        self.results = results
        different = [each for each in results if not each.clean]
        self.result = different[0]
        if not any(each.differences or not each.pending for each in different):
            super().__init__(
                " ".join(_undrained(each) for each in different),
                kept="Nothing was changed; all other rows are equal.",
                todo=f"`changeover drain --plan {plan}` says what hinders them; mend it, then run this again.",
            )
            return
        option = f" --stage {different[0].stage}" if len(different) == 1 else ""
        if all(0 < each.differences == each.by_kind.get(CHECKS_NOT_MET) for each in different):
            super().__init__(
                " ".join(_different(each) for each in different),
                kept="Nothing was changed; no row differs.",
                todo=f"`changeover verify --plan {plan}{option}` says what is not met. Mend that, then run this again.",
            )
            return
        super().__init__(
            " ".join(_different(each) for each in different),
            kept="Nothing was changed; each differing row is in changeover.difference.",
            todo=f"`changeover verify --plan {plan}{option} --json` names them, --repair mends them.",
        )


def _undrained(result: VerifyResult) -> str:
    return f"Stage {result.stage}: {counted(result.pending, 'key')} could not be drained, and so not be compared."


def _different(result: VerifyResult) -> str:
    if result.pending and not result.differences:
        return _undrained(result)
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(result.by_kind.items()))
    return f"Stage {result.stage}: {counted(result.differences, 'difference')} ({kinds or 'counts do not add up'})."


class StoppedError(RetryableError):
    """Stopped on request; the checkpoint stands."""

    def __init__(self, what: str) -> None:
        """Say what was stopped."""
        super().__init__(
            f"{what} was stopped before its end.",
            kept="Every committed batch is kept.",
            todo="Run the same command again: it goes on from there.",
        )
