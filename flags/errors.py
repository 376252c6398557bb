"""What the flags refuse, each with what was kept and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.errors import GateUnmetError, RefusedError, UsageError
from orchestrator.kernel.words import meant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class UnknownFlagError(UsageError):
    """There is no flag of this name."""

    def __init__(self, flag: str, known: Iterable[str] = ()) -> None:
        """Name it, and the one of the known ones that it looks like."""
        super().__init__(
            f"There is no flag {flag}{meant(flag, known, '.')}",
            kept="Nothing was changed.",
            todo="`changeover flag list` shows those there are.",
        )


class FlagMoveError(RefusedError):
    """The flag's stage does not allow this move."""


class FlagRulesError(UsageError):
    """Targeting rules that are not understood."""

    def __init__(self, why: str) -> None:
        """Say which, and what a rule looks like."""
        super().__init__(
            f"These rules are not understood: {why}.",
            kept="Nothing was changed.",
            todo='A rule looks like {"name": "pilots", "if": {"scorecard": ["sc-1"]}, "rollout": 100}.',
        )


class FlagGateError(GateUnmetError):
    """The flag would let applications read what has not been verified."""

    def __init__(self, flag: str, stage: str, missing: str) -> None:
        """Say what is missing."""
        super().__init__(
            f"Flag {flag} cannot go to {stage}: {missing}.",
            kept="The flag stands where it stood; a move back is possible at any time.",
            todo="Rows and verification are for `changeover start` and `changeover verify`, a soak is for time. "
            "Then move the flag again.",
        )


class FlagHeldError(RefusedError):
    """The flag was taken back, and nobody has looked into it yet."""

    def __init__(self, flag: str, stage: str, why: str) -> None:
        """Say why it is held."""
        super().__init__(
            f"Flag {flag} cannot go to {stage}: it is held, because {why}.",
            kept="The flag stands where it stood; a move back is possible at any time.",
            todo="`changeover flag mismatches` shows what was found. Who has mended it adds --release to the promote.",
        )


class SecondPersonError(GateUnmetError):
    """The flag wants a second person, and one is not enough."""

    def __init__(self, flag: str, stage: str, proposed_by: str | None = None) -> None:
        """Say whose proposal waits, if there is one."""
        super().__init__(
            f"Flag {flag} cannot go to {stage} in one person's name"
            + (f"; {proposed_by} has proposed it." if proposed_by else "."),
            kept="The flag stands where it stood; a move back needs nobody else.",
            todo=f"Somebody else agrees with `changeover flag approve {flag}`."
            if proposed_by
            else f"`changeover flag promote {flag}` proposes it; somebody else agrees with `changeover flag approve`.",
        )


class NoProposalError(UsageError):
    """There is nothing to agree to."""

    def __init__(self, flag: str) -> None:
        """Name the flag."""
        super().__init__(
            f"Nobody has proposed a move of flag {flag}, or it has been changed since.",
            kept="Nothing was changed.",
            todo=f"`changeover flag promote {flag}` proposes one.",
        )


class FlagConflictError(RefusedError):
    """Somebody else has changed the flag since it was looked at."""

    def __init__(self, flag: str, expected: int, found: int, by: str, at: datetime) -> None:
        """Name the version lost to, and whose it is."""
        super().__init__(
            f"Flag {flag} has version {found} by now, set by {by} at {at:%Y-%m-%d %H:%M:%S} UTC; "
            f"version {expected} was expected.",
            kept="Nothing was changed.",
            todo="Look at it again, then decide again.",
        )
        self.expected = expected
        self.found = found


class FlagTakenError(RefusedError):
    """The flag belongs to another plan stage."""

    def __init__(self, flag: str, owner: str) -> None:
        """Name who it belongs to."""
        super().__init__(
            f"Flag {flag} belongs to {owner} already.",
            kept="Nothing was changed.",
            todo="Give the flag of this plan stage another name.",
        )
