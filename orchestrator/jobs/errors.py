"""How a job can end other than done."""

from __future__ import annotations

from orchestrator.kernel.errors import RefusedError, UsageError


class CancelledError(RefusedError):
    """An operator has ended the job. Not an error that a scheduler should answer with another attempt."""

    def __init__(self, by: str, reason: str) -> None:
        """Name who it was, and why."""
        why = f": {reason}" if reason else ""
        super().__init__(
            f"The job was cancelled by {by}{why}.",
            kept="Every committed batch and action is kept; the one in hand was rolled back.",
            todo="Run the same command again when it shall go on: it starts from there.",
        )


class LeaseGoneError(RefusedError):
    """Another runner has taken the lease over while this one did not answer."""

    def __init__(self, why: str) -> None:
        """Hand on what the heartbeat was told."""
        super().__init__(
            f"This job has lost its lease: {why}",
            kept="Everything up to the last committed batch is kept; nothing was committed after the lease was lost.",
            todo="`changeover status` names the runner that holds it now. Leave the work to it.",
        )


class ThrottleError(UsageError):
    """A setting that does not exist, or a value that it cannot have."""
