"""`rejects …`: the rows that could not be migrated, each kept whole and with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.desk import open_desk, plan_name
from orchestrator.cli.options import AnyPlan, AnyStage, Dsn, Json, RejectReason, Source
from orchestrator.engine import commands
from orchestrator.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(help="Rows that could not be migrated, kept whole with their reason.", no_args_is_help=True)

Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Rejects by number.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every open reject that the options choose.")]


@app.command("list")
def every(
    plan: AnyPlan = None,
    stage: AnyStage = None,
    source: Source = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="CODE", help="Rejected for this reason only.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many; all of them with --json.", show_default="100")
    ] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """List rejects in the order they came.

    Example: changeover rejects list --reason no_date --json
    """
    most = limit if limit is not None or as_json else 101
    found = commands.rejects_list(
        open_desk(dsn).dsn, plan=plan_name(plan), stage=stage, source=source, reason=reason, limit=most
    )
    if as_json:
        output.print_json(found)
        return
    shown = found if limit is not None else found[:100]
    rows = [(r.id, r.source, r.key, r.reason, r.state, r.stage, r.detail) for r in shown]
    output.table(("id", "table", "key", "reason", "state", "stage", "detail"), rows, right=("id",))
    if len(found) > len(shown):
        output.say("There are more; --limit or --json shows them.")
    if not found:
        output.say("No rejects.")


@app.command()
def show(reject_id: Annotated[int, typer.Argument(metavar="ID")], dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one reject with the whole row.

    Example: changeover rejects show 17
    """
    found = commands.rejects_show(open_desk(dsn).dsn, reject_id)
    if as_json:
        output.print_json(
            {
                **found.as_json(),
                "detail": found.detail,
                "waived_by": found.waived_by,
                "waived_reason": found.waived_reason,
                "waived_at": found.waived_at,
            }
        )
        return
    output.say(
        f"{found.id}: {found.source} {found.key}: {found.reason}, {found.state} ({found.created_at.isoformat()})"
    )
    if found.detail:
        output.say(found.detail)
    if found.waived_by:
        output.say(f"waived by {found.waived_by}: {found.waived_reason}")
    output.say(output.as_json(found.row), lines=True)


@app.command()
def replay(
    ids: Ids = None,
    everything: All = False,
    plan: AnyPlan = None,
    source: Source = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Derive rejected rows again; those that can be migrated now are.

    A row that was mended in the old table has been taken up by the mirror already. Replay is for what changed
    elsewhere: a row that was missing, a rule of the plan.

    For example:

    changeover rejects replay 17 18

    changeover rejects replay --all --source public.phone_qa
    """
    chosen = _chosen(ids, everything=everything, filtered=plan is not None or source is not None)
    desk = open_desk(dsn)
    result = commands.rejects_replay(desk.dsn, ids=chosen, plan=plan_name(plan), source=source, operator=desk.operator)
    if as_json:
        output.print_json(result)
    else:
        output.say(f"{result.replayed} replayed: {result.settled} migrated, {result.still_rejected} still rejected.")


@app.command()
def waive(  # noqa: PLR0917 - the options of the command
    reason: Annotated[str, typer.Option("--reason", help="Why they may stay behind; kept with your name.")],
    ids: Ids = None,
    everything: All = False,
    plan: AnyPlan = None,
    stage: AnyStage = None,
    source: Source = None,
    of_reason: RejectReason = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Answer by name for rejects that stay behind; the gate of contract then lets them pass.

    For example:

    changeover rejects waive 17 --reason "test data"

    changeover rejects waive --all --of-reason invalid_email --reason "never were employees, agreed with HR"
    """
    filtered = any(each is not None for each in (plan, stage, source, of_reason))
    chosen = _chosen(ids, everything=everything, filtered=filtered)
    desk = open_desk(dsn)
    waived = commands.rejects_waive(
        desk.dsn,
        ids=chosen,
        plan=plan_name(plan),
        stage=stage,
        source=source,
        reject_reason=of_reason,
        reason=reason,
        operator=desk.operator,
    )
    if as_json:
        output.print_json({"waived": waived, "by": desk.operator, "reason": reason})
    else:
        already = "" if waived else " Whatever matches is waived already."
        output.say(f"{len(waived)} waived by {desk.operator}.{already}")


def _chosen(ids: Sequence[int] | None, *, everything: bool, filtered: bool) -> list[int] | None:
    """The ids, or None for all that the options choose; never all by mistake."""
    if ids and everything:
        raise UsageError("Give numbers or --all, not both.", kept="Nothing was changed.")
    if not ids and not everything and not filtered:
        raise UsageError(
            "No rejects were named.",
            kept="Nothing was changed.",
            todo="Give their numbers, an option that chooses some, or --all; `changeover rejects list` shows them.",
        )
    return list(ids) if ids else None
