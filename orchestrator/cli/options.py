"""The options that several commands share, each with one text and one meaning."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.secret_files import dsn_of
from orchestrator.engine.commands import PHASES
from orchestrator.kernel.errors import ChangeoverError
from orchestrator.plan.loader import load, shipped


def _plans(incomplete: str) -> list[str]:
    return [name for name in shipped() if name.startswith(incomplete)]


def _phases(incomplete: str) -> list[str]:
    return [name for name in PHASES if name.startswith(incomplete)]


def _stages(ctx: typer.Context, incomplete: str) -> list[str]:
    """The stages of the plan that stands on the line already."""
    # Half a line is parsed: an argument may not have got its name yet.
    name = ctx.params.get("plan") or next(iter(ctx.args), None)
    try:
        stages = load(name).model.stages if isinstance(name, str) else []
    except ChangeoverError:
        return []
    return [stage.stage for stage in stages if stage.stage.startswith(incomplete)]


Dsn = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        metavar="DSN",
        help="The database: a URI or `key=value`; CHANGEOVER_DSN otherwise.",
        callback=dsn_of,
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, to standard output.")]
_WHICH_PLAN = "A plan's folder, or its name if it is shipped or was begun here."
PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help=_WHICH_PLAN, autocompletion=_plans)]
PlanOption = Annotated[
    str,
    typer.Option("--plan", metavar="PLAN", help=_WHICH_PLAN, autocompletion=_plans),
]
AnyPlan = Annotated[
    str | None,
    typer.Option("--plan", metavar="PLAN", help="Of this plan only.", autocompletion=_plans, show_default=False),
]
Stage = Annotated[str, typer.Option("--stage", metavar="STAGE", help="A stage of the plan.", autocompletion=_stages)]
AnyStage = Annotated[
    str | None,
    typer.Option("--stage", metavar="STAGE", help="Of this stage only.", autocompletion=_stages, show_default=False),
]
PhaseArgument = Annotated[
    str, typer.Argument(metavar="PHASE", help=f"One of: {', '.join(PHASES)}.", autocompletion=_phases)
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="PHASE", help="The last phase to carry out.", autocompletion=_phases, show_default=False
    ),
]
BackTo = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="PHASE",
        help="The phase that stays done; everything is taken back without it.",
        autocompletion=_phases,
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=64,
        help="Connections that copy or compare; CHANGEOVER_WORKERS, or 2.",
        show_default=False,
    ),
]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="TABLE", help="Of this old table (schema.name) only.", show_default=False),
]
RejectReason = Annotated[
    str | None,
    typer.Option("--of-reason", metavar="CODE", help="Rejected for this reason only (no_date, …).", show_default=False),
]
Wait = Annotated[
    float | None,
    typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long for a lease that another runner holds."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log every event to standard error.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
