"""What can be wrong with the statements of a phase."""

from __future__ import annotations

from orchestrator.kernel.errors import RefusedError, UsageError


class StatementError(UsageError):
    """A statement that does not belong in its file."""

    def __init__(self, place: str, rule: str, head: str) -> None:
        """Say where, which rule, and what stands there."""
        super().__init__(
            f"{place}: {rule}; this one reads: {head}", kept="Nothing was changed.", todo="Correct the plan."
        )


class ForeignIndexError(RefusedError):
    """A valid index stands under the name of one that the plan makes, and is another one."""

    def __init__(self, action: str, definition: str) -> None:
        """Say which, and what stands there."""
        super().__init__(
            f"The plan makes {action}, and another index has that name: {definition}.",
            kept="Nothing was changed by this statement; what was done before is recorded.",
            todo="Rename or drop that index, then run the same command again.",
        )


class ForeignObjectError(RefusedError):
    """An object that the plan would make is there already, and we have not made it."""

    def __init__(self, action: str) -> None:
        """Say which."""
        super().__init__(
            f"The plan makes {action}, and an object of that name is there already; this run has not made it.",
            kept="Nothing was changed by this statement; what was done before is recorded.",
            todo="Rename or drop that object, or take it out of the plan, then run the same command again.",
        )
