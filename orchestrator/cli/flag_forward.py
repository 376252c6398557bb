"""The question before readers of a production database see new tables, as the command line asks it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestrator.cli import output
from orchestrator.kernel.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.engine.flag_moves import Confirm


def confirming(*, yes: bool) -> Confirm:
    """Asks on a terminal, refuses elsewhere; with `yes` neither."""
    return _answered if yes else _ask


def _answered(_question: str) -> None:
    """The answer was given with the command."""


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "This moves readers of a production database.",
            kept="Nothing was changed.",
            todo="Add --yes if it is meant.",
        )
    output.ask(question)
