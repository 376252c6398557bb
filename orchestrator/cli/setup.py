"""`init`, `uninstall`, `doctor`: before the first plan, and after the last."""

from __future__ import annotations

import sys

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context
from orchestrator.cli.failure import FailedChecksError
from orchestrator.cli.options import AnyPlan, Dsn, Json, Workers, Yes
from orchestrator.engine import commands
from orchestrator.engine.doctor import doctor


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init")(init)
    app.command("uninstall")(uninstall)
    app.command("doctor")(examine)


def init(dsn: Dsn = None, as_json: Json = False) -> None:
    """Install the ledger: schema `changeover` in the database that is to be migrated.

    It may be repeated; a second time it changes nothing.

    Example: changeover init --dsn postgresql://owner@db.example/cqms
    """
    installed = commands.init(open_context(dsn).dsn)
    if as_json:
        output.print_json({"installed": installed})
    else:
        output.say("Changeover is installed." if installed else "Changeover was installed already.")


def uninstall(
    dsn: Dsn = None,
    force: bool = typer.Option(False, "--force", help="Also while a run is active or anything depends on it."),
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove schema `changeover` and all that is in it.

    It refuses while a run is active or mirrors are on: roll back first. `--force` takes all of that along. On a
    terminal it asks, unless `--yes`: flags, rejects and the history go with it.

    Example: changeover uninstall --yes
    """
    context = open_context(dsn)
    if sys.stdin.isatty() and not yes:
        more = ", and the mirrors and views that depend on it" if force else ""
        output.ask(f"Remove schema changeover with its flags, rejects and history{more}? They do not come back.")
    removed = commands.uninstall(context.dsn, force=force)
    if as_json:
        output.print_json({"removed": removed})
    else:
        output.say("Changeover is removed." if removed else "Changeover was not installed.")


def examine(plan: AnyPlan = None, workers: Workers = None, dsn: Dsn = None, as_json: Json = False) -> None:
    """Look at rights, version, row-level security, pooler, replicas, and what a plan would meet.

    Ends with 5 when something fails. Nothing is changed.

    Example: changeover doctor --plan cqms
    """
    context = open_context(dsn)
    loaded = None if plan is None else commands.open_plan(plan, context.dsn)
    checks = doctor.examine(context.dsn, loaded, workers=context.workers(workers))
    healthy = doctor.healthy(checks)
    if as_json:
        output.print_json({"healthy": healthy, "checks": checks})
    else:
        output.table(("", "looked at", "found", "what to do"), [(c.level, c.name, c.detail, c.todo) for c in checks])
    if not healthy:
        failed = [c.name for c in checks if c.level == "fail"]
        raise FailedChecksError(
            f"Changeover cannot do its work here: {', '.join(failed)}.",
            kept="Nothing was changed.",
            todo="Do what stands beside each line that fails, then ask again.",
        )
