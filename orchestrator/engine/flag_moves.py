"""A flag's moves by what is meant (promote, demote, agree), with what guards them, for the command line and the page.

Letting readers come to the new tables is asked for in production, and takes two where the flag wants a second person. A
database with a cutover run is production. What the flag refuses to one person becomes a proposal, and the move ends as
at any gate that is not met. A promote is a compare-and-set on the version that was shown: of two engineers one wins,
and the other is told whom they lost to. A move back asks nothing and waits for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flags import proposals, store
from flags.errors import SecondPersonError
from flags.stages import EVERYBODY, Stage, is_forward, next_step, rank, reads_new, step_back
from orchestrator.kernel.errors import UsageError
from orchestrator.ledger import runs

if TYPE_CHECKING:
    from flags.store import By, Change, Flag
    from orchestrator.ledger.store import Ledger

Confirm = Callable[[str], None]
"""Is given a question, and raises unless the answer is yes."""


def promote(
    ledger: Ledger,
    flag: str,
    by: By,
    confirm: Confirm,
    *,
    to: Stage | None = None,
    rollout: int | None = None,
    release: bool = False,
    expected_version: int | None = None,
) -> Flag:
    """A step forward: to a stage, to a share of the readers, or to the next step."""
    found = store.get(ledger.conn, flag)
    stage, share = forward(found, to, rollout)
    version = found.version if expected_version is None else expected_version
    return change(
        ledger, found, store.Change(stage, rollout=share, release=release), by, confirm, expected_version=version
    )


def demote(ledger: Ledger, flag: str, by: By, *, to: Stage | None = None) -> Flag:
    """A stage back, or several, for everybody."""
    found = store.get(ledger.conn, flag)
    stage = step_back(Stage(found.stage)) if to is None else to
    if rank(stage) > rank(Stage(found.stage)):
        raise UsageError(
            f"{stage.value} is not behind {found.stage}.",
            kept="Nothing was changed.",
            todo="`changeover flag promote` goes forward.",
        )
    return store.set_flag(ledger.conn, flag, store.Change(stage, rollout=EVERYBODY), by)


def agree(ledger: Ledger, flag: str, by: By, confirm: Confirm) -> Flag:
    """Agree to the move that another person has proposed, which makes it."""
    found, proposal = store.get(ledger.conn, flag), proposals.pending(ledger.conn, flag)
    if proposal is not None:
        _ask(
            ledger,
            found,
            store.Change(Stage(proposal.stage), rollout=proposal.rollout, rules=proposal.rules),
            confirm,
        )
    return proposals.approve(ledger.conn, flag, by)


def change(
    ledger: Ledger, found: Flag, wanted: Change, by: By, confirm: Confirm, *, expected_version: int | None = None
) -> Flag:
    """Make a change, after a question if it needs one; raises SecondPersonError when it has become a proposal."""
    _ask(ledger, found, wanted, confirm)
    try:
        return store.set_flag(ledger.conn, found.flag, wanted, by, expected_version=expected_version)
    except SecondPersonError:
        made = proposals.propose(ledger.conn, found.flag, wanted, by, expected_version=expected_version)
        raise SecondPersonError(found.flag, made.stage, made.proposed_by) from None


def forward(found: Flag, to: Stage | None = None, rollout: int | None = None) -> tuple[Stage, int]:
    """Where a promote leads."""
    stage = Stage(found.stage)
    if to is not None and to is not stage:
        return to, (EVERYBODY if rollout is None else rollout)
    if rollout is not None:
        return stage, rollout
    step = next_step(stage, found.rollout)
    if step is None:
        raise UsageError(f"{found.flag} is complete; there is nothing further.", kept="Nothing was changed.")
    return step


def question(ledger: Ledger, found: Flag, wanted: Change) -> str | None:
    """What is asked before readers of a production database see new tables; None where nothing is."""
    start, end = (Stage(found.stage), found.rollout), wanted.of(found)
    more = is_forward(start, end) or wanted.rules is not None
    run = None if found.plan is None else runs.latest(ledger, found.plan)
    if not (more and reads_new(end[0])) or run is None or run.kind != "cutover":
        return None
    rules = "" if wanted.rules is None else f", {len(wanted.rules)} rules"
    return f"{found.flag}: {found.stage} {found.rollout} % -> {end[0].value} {end[1]} %{rules}. Go on?"


def _ask(ledger: Ledger, found: Flag, wanted: Change, confirm: Confirm) -> None:
    asked = question(ledger, found, wanted)
    if asked is not None:
        confirm(asked)
