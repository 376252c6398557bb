"""Letting readers come to the new tables: asked for in production, and by two where the flag wants a second person.

`flag set`, `promote`, `rules` and `approve` end here. A database with a cutover run is production. What the flag
refuses to one person becomes a proposal, and the command ends as at any gate that is not met.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flags import proposals, store
from flags.errors import SecondPersonError
from flags.stages import Stage, is_forward, reads_new
from orchestrator.cli import output
from orchestrator.kernel.errors import UsageError
from orchestrator.ledger import runs

if TYPE_CHECKING:
    from flags.store import By, Change, Flag
    from orchestrator.ledger.store import Ledger


def carry_out(
    ledger: Ledger, found: Flag, change: Change, by: By, *, expected_version: int | None = None, yes: bool
) -> Flag:
    """Make a change, after a question if it needs one; raises SecondPersonError when it has become a proposal."""
    if not yes:
        confirm(ledger, found, change)
    try:
        return store.set_flag(ledger.conn, found.flag, change, by, expected_version=expected_version)
    except SecondPersonError:
        made = proposals.propose(ledger.conn, found.flag, change, by, expected_version=expected_version)
        raise SecondPersonError(found.flag, made.stage, made.proposed_by) from None


def confirm(ledger: Ledger, found: Flag, change: Change) -> None:
    """Ask before readers of a production database see new tables."""
    start, end = (Stage(found.stage), found.rollout), change.of(found)
    more = is_forward(start, end) or change.rules is not None
    run = None if found.plan is None else runs.latest(ledger, found.plan)
    if not (more and reads_new(end[0])) or run is None or run.kind != "cutover":
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "This moves readers of a production database.",
            kept="Nothing was changed.",
            todo="Add --yes if it is meant.",
        )
    rules = "" if change.rules is None else f", {len(change.rules)} rules"
    question = f"{found.flag}: {found.stage} {found.rollout} % -> {end[0].value} {end[1]} %{rules}. Go on?"
    output.ask(question)
