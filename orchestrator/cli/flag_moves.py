"""`flag promote`, `demote`, `kill`: a flag's moves by what is meant, not by where it ends.

What guards them stands in `engine.flag_moves`, for the page as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flags import store
from flags.moves import read_rules
from flags.override import override
from flags.stages import Stage
from orchestrator.cli import output
from orchestrator.cli.flag import ExpectVersion, FlagArgument, Reason, connected
from orchestrator.cli.flag_forward import confirming
from orchestrator.cli.options import Dsn, Json, Yes
from orchestrator.engine import flag_moves
from orchestrator.kernel.errors import UsageError

if TYPE_CHECKING:
    from flags.store import Flag

BackTo = Annotated[Stage | None, typer.Option("--to", help="The stage; one stage back otherwise.", show_default=False)]


def promote(  # noqa: PLR0917 - a command has as many options as it has
    flag: FlagArgument,
    to: Annotated[
        Stage | None, typer.Option("--to", help="The stage; the next step otherwise.", show_default=False)
    ] = None,
    rollout: Annotated[
        int | None, typer.Option("--rollout", min=0, max=100, help="Percent of the keys.", show_default=False)
    ] = None,
    expect_version: ExpectVersion = None,
    release: Annotated[
        bool, typer.Option("--release", help="End a hold: you have looked into what the guard or a kill left.")
    ] = False,
    yes: Yes = False,
    reason: Reason = "",
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Move a flag forward: more of the readers (1, 10, 50, 100 %), then the next stage.

    Where the flag wants a second person it is proposed, and `flag approve` by somebody else carries it out.

    Example: changeover flag promote USE_UNIFIED_AUDITS_TABLE --reason "no mismatch in a day"
    """
    with connected(dsn) as (ledger, actor):
        moved = flag_moves.promote(
            *(ledger, flag, store.By(actor, reason), confirming(yes=yes)),
            to=to,
            rollout=rollout,
            release=release,
            expected_version=expect_version,
        )
    _show(moved, as_json=as_json)


def approve(flag: FlagArgument, yes: Yes = False, reason: Reason = "", dsn: Dsn = None, as_json: Json = False) -> None:
    """Agree to the move that somebody else has proposed, which makes it.

    Example: changeover flag approve USE_UNIFIED_AUDITS_TABLE
    """
    with connected(dsn) as (ledger, actor):
        moved = flag_moves.agree(ledger, flag, store.By(actor, reason), confirming(yes=yes))
    _show(moved, as_json=as_json)


def demote(
    flag: FlagArgument,
    to: BackTo = None,
    reason: Reason = "",
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Move a flag one stage back, for everybody. Always allowed.

    Example: changeover flag demote USE_UNIFIED_AUDITS_TABLE --reason "reports differ"
    """
    with connected(dsn) as (ledger, actor):
        moved = flag_moves.demote(ledger, flag, store.By(actor, reason), to=to)
    _show(moved, as_json=as_json)


def kill(flag: FlagArgument, reason: Reason = "", dsn: Dsn = None, as_json: Json = False) -> None:
    """Send everybody back to the old tables at once. Nothing comes forward again without `promote --release`.

    Example: changeover flag kill USE_UNIFIED_AUDITS_TABLE --reason "p99 doubled"
    """
    with connected(dsn) as (ledger, actor):
        killed = store.kill(ledger.conn, flag, store.By(actor, reason))
    _show(killed, as_json=as_json)


def rules(
    flag: FlagArgument,
    given: Annotated[
        str | None, typer.Argument(metavar="[RULES]", help="JSON, or @FILE; shows them without.", show_default=False)
    ] = None,
    yes: Yes = False,
    reason: Reason = "",
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show or set the targeting rules: whose percentage it is, by scorecard, tenant or any attribute.

    Example: changeover flag rules USE_UNIFIED_AUDITS_TABLE '[{"if": {"tenant": "acme"}, "rollout": 100}]'
    """
    with connected(dsn) as (ledger, actor):
        if given is None:
            found = store.get(ledger.conn, flag)
        else:
            change = store.Change(rules=read_rules(_text(given)))
            by = store.By(actor, reason)
            found = flag_moves.change(ledger, store.get(ledger.conn, flag), change, by, confirming(yes=yes))
    if as_json or given is None:
        output.print_json(found.rules)
    else:
        _show(found, as_json=False)


def register(app: typer.Typer) -> None:
    """Add these commands to `flag`."""
    for command in (promote, approve, demote, kill, rules):
        app.command()(command)


def _text(given: str) -> str:
    """The rules themselves, or what stands in the file they are said to be in."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{given[1:]} cannot be read: {exc}.", kept="Nothing was changed.") from exc


def _show(flag: Flag, *, as_json: bool) -> None:
    if as_json:
        output.print_json(flag)
        return
    output.say(f"{flag.flag} is {flag.stage}, {flag.rollout} %, version {flag.version}.")
    if flag.hold is not None:
        output.tell(f"It is held: {flag.hold}.", "yellow")
    if (forced := override(flag.flag, os.environ)) is not None:
        output.tell(f"Here the environment overrides it: {forced.value}.", "yellow")
