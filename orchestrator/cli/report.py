"""`report`: what the migration was to bring, measured on this database, each figure with its target."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context
from orchestrator.cli.options import Dsn, Json, PlanArgument
from orchestrator.engine.report import reporting
from orchestrator.kernel.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.engine.report.measuring import Figure
    from orchestrator.engine.report.reporting import Report

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem; max-width: 70rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border-bottom: 1px solid #ccc; padding: .4rem .6rem; text-align: left }}
.met {{ color: #15632b }} .unmet {{ color: #a3191b; font-weight: 600 }}
</style></head><body><h1>{title}</h1><p>{taken}</p>
<table><thead><tr><th>Measure</th><th>Here</th><th>Target</th><th>Document</th><th>Met</th></tr></thead><tbody>
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    plan: PlanArgument,
    html: Annotated[bool, typer.Option("--html", help="Print a page instead of a table.")] = False,
    requests_failed: Annotated[
        int | None,
        typer.Option("--requests-failed", min=0, help="What the application has counted.", show_default=False),
    ] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Measure what the migration was to bring: the plan's measures, completeness, rows lost, orphans, the way back.

    Nothing is changed. Each figure stands beside its target and what the plan's document says.

    Example: changeover report cqms --html > report.html
    """
    if html and as_json:
        raise UsageError("Give --html or --json, not both.", kept="Nothing was changed.")
    found = reporting.report(open_context(dsn).dsn, plan, requests_failed=requests_failed)
    if as_json:
        output.print_json(found)
    elif html:
        output.write(_page(found))
    else:
        rows = [(f.title, f.words, f.target or None, f.document or None, _met(f)) for f in found.figures]
        output.table(("measure", "here", "target", "document", "met"), rows)
        output.say(f"{found.plan} version {found.version}, {found.taken_at}: {found.unmet} not met.")


def _met(figure: Figure) -> str | None:
    return None if figure.met is None else "met" if figure.met else "unmet"


def _page(found: Report) -> str:
    title = escape(f"{found.plan}, version {found.version}")
    taken = escape(f"Measured {found.taken_at}; {found.unmet} not met. Plan checksum {found.checksum}.")
    lines = [
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in (f.title, f.words, f.target, f.document))
        + f'<td class="{_met(f) or ""}">{_met(f) or "not known"}</td></tr>'
        for f in found.figures
    ]
    return _HEAD.format(title=title, taken=taken) + "\n".join(lines) + "\n</tbody></table></body></html>\n"
