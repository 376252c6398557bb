"""`retire`: the old tables are dropped, and with them the way back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.context import working
from orchestrator.cli.options import Dsn, Json, PlanArgument, Verbose, Yes
from orchestrator.engine import commands
from orchestrator.jobs.job import terms_of
from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.words import counted

if TYPE_CHECKING:
    from orchestrator.cli.context import Context
    from orchestrator.engine.contract.retiring import Retirement

_MB = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("retire")(retire)


def retire(
    plan: PlanArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compare, and show what there is to drop; drop nothing.")
    ] = False,
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Leave with 0 while something still speaks against it: for a scheduler.")
    ] = False,
    yes: Yes = False,
    dsn: Dsn = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Drop the archived tables, their views and their mirrors: the end of the double write, and of the way back.

    The plan says how many days they are kept (keep_days). The flags must be at `complete`, no reject may be open,
    and both sides are compared once more. What depends on an old table is named, and nothing is dropped.

    For example:

    changeover retire cqms --dry-run

    changeover retire cqms --if-due --yes
    """
    with working(dsn, quiet=as_json, verbose=verbose) as context:
        found = _call(context, plan, dry_run=True, compared=dry_run)
        if not (dry_run or found.done or (if_due and found.unmet)):
            if not found.unmet and not found.dependents and not yes:
                _ask(found)
            found = _call(context, plan, dry_run=False)
    if as_json:
        output.print_json(found)
    else:
        _show(found)


def _call(context: Context, plan: str, *, dry_run: bool, compared: bool = False) -> Retirement:
    return commands.retire(
        *(context.dsn, plan),
        dry_run=dry_run,
        compared=compared,
        bus=context.bus,
        stop=context.stop,
        operator=context.operator,
        terms=terms_of(context.settings),
    )


def _ask(found: Retirement) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "What is dropped does not come back; there is nobody to ask.",
            kept="Nothing was changed.",
            todo="Give --yes.",
        )
    megabytes = sum(t.bytes for t in found.tables) / _MB
    question = (
        f"Drop {counted(len(found.tables), 'table')} ({megabytes:,.0f} MB) for good? There is no way back after it."
    )
    output.ask(question)


def _show(found: Retirement) -> None:
    if found.tables:
        rows = [(f"{t.schema}.{t.name}", t.rows, f"{t.bytes / _MB:,.1f}") for t in found.tables]
        output.table(("table", "rows (estimate)", "MB"), rows, right=("rows (estimate)", "MB"))
    if found.done:
        output.say("The old tables are dropped, with their views and mirrors. The new ones are the only ones now.")
    elif found.unmet or found.dependents:
        output.say(f"Kept: {'; '.join([*found.unmet, *found.dependents])}.")
    else:
        output.say("Nothing speaks against dropping them. The views under their names go with them:")
        output.say("  " + ", ".join(found.views))
