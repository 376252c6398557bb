"""What the ledger refuses, each with what was kept and what to do next."""

from __future__ import annotations

from orchestrator.kernel.errors import RefusedError, RetryableError


class SchemaRefusedError(RefusedError):
    """The ledger's schema cannot be installed, used or removed as it stands."""


class MoveRefusedError(RefusedError):
    """A state does not allow this move, or somebody else has moved it in the meantime."""


class ActiveRunError(RefusedError):
    """There is an active run of this plan already, with another checksum or version."""


class LeaseLostError(RefusedError):
    """This runner does not hold the lease any more: another one has taken over."""

    def __init__(self, plan: str, epoch: int) -> None:
        """Name the lease that was lost."""
        super().__init__(
            f"lease lost: plan {plan}, epoch {epoch}; another runner has taken over.",
            kept="Nothing of the interrupted step was committed; everything before it is kept.",
            todo="`changeover status` names the runner that holds it now. This one must stop.",
        )
        self.plan = plan
        self.epoch = epoch


class LeaseHeldError(RetryableError):
    """Another runner holds the lease and is alive."""


class UnknownRejectError(RefusedError):
    """There is no such reject, or no such source."""


class DriftError(RefusedError):
    """What is recorded and what is at hand differ: the plan was changed under a run."""
