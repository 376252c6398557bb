"""`demo`: the whole migration on a server of its own, under load, with a report."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    audits: Annotated[int, typer.Option("--audits", min=100, help="Audits in the legacy database.")] = 20_000,
    tables: Annotated[int, typer.Option("--tables", min=1, help="Dynamic audit tables.")] = 6,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same database.")] = 1,
    report: Annotated[
        Path | None, typer.Option("--report", help="Also write the report to this file.", show_default=False)
    ] = None,
) -> None:
    """Build a legacy CQMS on a PostgreSQL of its own, migrate it under load, prove that nothing was lost.

    Then it rolls a second copy back and compares the schema dumps. Nothing outside of a temporary folder is touched.

    Example: changeover demo --audits 5000 --tables 4 --seed 7
    """
    # The demo brings a server and a load generator along; no other command should wait for their import.
    module = importlib.import_module("orchestrator.demo.run")
    code = module.main(audits=audits, tables=tables, seed=seed, report=report)
    if code:
        raise typer.Exit(int(code))
