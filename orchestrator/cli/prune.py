"""`prune`: the ledger forgets what nobody asks for any more."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.context import working
from orchestrator.cli.options import Dsn, Json
from orchestrator.engine import commands
from orchestrator.kernel.words import counted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prune")(prune)


def prune(
    older_than: Annotated[
        float, typer.Option("--older-than", min=1, metavar="DAYS", help="Keep what is younger than this.")
    ] = 90,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Delete what the ledger need not keep: old verifications, runs that were taken back, mismatches, their events.

    What gates, rollback and the history of an open run need stays, and so do rejects and the flags' history. It may
    run beside a job.

    For example:

    changeover prune --older-than 30 --dry-run

    changeover prune --older-than 90
    """
    with working(dsn, quiet=as_json) as context:
        found = commands.prune(
            context.dsn, days=older_than, dry_run=dry_run, stop=context.stop, operator=context.operator
        )
    if as_json:
        output.print_json(found)
        return
    rows = [(table, number) for table, number in found.rows.items() if number]
    if rows:
        output.table(("table", "rows"), rows, right=("rows",))
    would = "would go" if dry_run else "deleted"
    output.say(f"{counted(found.total, 'row')} {would}, from before {found.before:%Y-%m-%d %H:%M} UTC.")
