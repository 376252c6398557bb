"""`demo`: the whole migration of a plan on a server of its own, under load, with a report."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import output
from orchestrator.kernel.errors import UsageError

CQMS = "cqms"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    plan: Annotated[
        str, typer.Option("--plan", metavar="PLAN", help="A shipped plan's name, or a folder with a demo.yaml.")
    ] = CQMS,
    rows: Annotated[
        int | None,
        typer.Option("--rows", min=10, help="Rows of the largest old table; not of cqms.", show_default=False),
    ] = None,
    audits: Annotated[
        int | None,
        typer.Option("--audits", min=100, help="Audits in the legacy database of cqms: 10000.", show_default=False),
    ] = None,
    tables: Annotated[
        int | None,
        typer.Option(
            "--tables", min=1, help="Audit tables of cqms: 14; 12 troubled ones at least.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same database and requests.")] = 1,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", help="Where the report goes: HTML, or Markdown if it ends in .md.", show_default=False
        ),
    ] = None,
    page: Annotated[bool, typer.Option("--page", help="Serve the page beside it, and open it in a browser.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Build an old database on a PostgreSQL of its own, migrate it under load, prove that nothing was lost.

    Then it rolls a second copy back and compares the dumps. Nothing outside of a temporary folder is touched, but for
    the report: build/demo-report.html, unless told otherwise. `changeover plan list` shows the plans.

    Example: changeover demo --plan solar --rows 5000 --report solar.md
    """
    if plan == CQMS and rows is not None:
        raise UsageError("The size of cqms is --audits and --tables.", kept="Nothing was started.", todo="Use these.")
    if plan != CQMS and (audits is not None or tables is not None):
        raise UsageError(
            f"--audits and --tables are of cqms, not of {plan}.", kept="Nothing was started.", todo="Use --rows."
        )
    # The demo brings a server and a load generator along; no other command should wait for their import.
    module = importlib.import_module("orchestrator.demo.run")
    size = module.Size(audits or 10_000, tables or 14, rows, seed)
    code = module.main(plan, size, report=report, json=json, page=page, console=output.out())
    if code:
        raise typer.Exit(int(code))
