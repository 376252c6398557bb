"""`demo`: the whole migration on a server of its own, under load, with a report."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    audits: Annotated[int, typer.Option("--audits", min=100, help="Audits in the legacy database.")] = 30_000,
    tables: Annotated[
        int, typer.Option("--tables", min=1, help="Dynamic audit tables; 12 troubled ones at least.")
    ] = 14,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same database.")] = 1,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", help="Where the report goes: HTML, or Markdown if it ends in .md.", show_default=False
        ),
    ] = None,
    page: Annotated[bool, typer.Option("--page", help="Serve the page beside it, and open it in a browser.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Build a legacy CQMS on a PostgreSQL of its own, migrate it under load, prove that nothing was lost.

    Then it rolls a second copy back and compares the dumps. Nothing outside of a temporary folder is touched, but for
    the report: build/demo-report.html, unless told otherwise.

    Example: changeover demo --audits 5000 --tables 14 --seed 7
    """
    # The demo brings a server and a load generator along; no other command should wait for their import.
    module = importlib.import_module("orchestrator.demo.run")
    code = module.main(
        audits=audits, tables=tables, seed=seed, report=report, json=json, page=page, console=output.out()
    )
    if code:
        raise typer.Exit(int(code))
