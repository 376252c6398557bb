"""`rejects …`: the rows that could not be migrated, each kept whole and with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context, plan_name
from orchestrator.cli.options import AnyPlan, AnyStage, Dsn, Json, RejectReason, Source
from orchestrator.engine import commands
from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.words import counted, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.ledger.rejects import ReasonCount

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
    """List rejects in the order they came, after their number by table and reason.

    Example: changeover rejects list --reason no_date --json
    """
    most = limit if limit is not None or as_json else 101
    at = open_context(dsn).dsn
    name = plan_name(at, plan)
    found = commands.rejects_list(at, plan=name, stage=stage, source=source, reason=reason, limit=most)
    if as_json:
        output.print_json(found)
        return
    shown = found if limit is not None else found[:100]
    if found:
        _summary(commands.rejects_summary(at, plan=name, stage=stage, source=source, reason=reason))
        output.say()
    rows = [(r.id, r.source, r.key, r.reason, r.state, r.stage, r.detail) for r in shown]
    output.table(("id", "table", "key", "reason", "state", "stage", "detail"), rows, right=("id",))
    if len(found) > len(shown):
        output.say("There are more; --limit or --json shows them.")
    if not found:
        output.say("No rejects.")


@app.command()
def summary(
    plan: AnyPlan = None, stage: AnyStage = None, source: Source = None, dsn: Dsn = None, as_json: Json = False
) -> None:
    """Count rejects by table and reason: how many are open, and how many somebody answers for.

    Example: changeover rejects summary --plan cqms
    """
    at = open_context(dsn).dsn
    found = commands.rejects_summary(at, plan=plan_name(at, plan), stage=stage, source=source)
    if as_json:
        output.print_json(found)
    elif found:
        _summary(found)
    else:
        output.say("No rejects.")


@app.command()
def show(reject_id: Annotated[int, typer.Argument(metavar="ID")], dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one reject with the whole row.

    Example: changeover rejects show 17
    """
    found = commands.rejects_show(open_context(dsn).dsn, reject_id)
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
    output.say(f"{found.id}: {found.source} {found.key}: {found.reason}, {found.state} ({moment(found.created_at)})")
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
    context = open_context(dsn)
    name = plan_name(context.dsn, plan)
    result = commands.rejects_replay(context.dsn, ids=chosen, plan=name, source=source, operator=context.operator)
    if as_json:
        output.print_json(result)
    else:
        output.say(f"{result.replayed} replayed: {result.drained} migrated, {result.still_rejected} still rejected.")


@app.command()
def waive(  # noqa: PLR0917 - the options of the command
    reason: Annotated[str, typer.Option("--reason", help="Why they may stay behind; kept with your name.")],
    ids: Ids = None,
    everything: All = False,
    plan: AnyPlan = None,
    stage: AnyStage = None,
    source: Source = None,
    of_reason: RejectReason = None,
    from_now_on: Annotated[
        bool, typer.Option("--from-now-on", help="Also every later reject for the reason, as long as the run lasts.")
    ] = False,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Answer by name for rejects that stay behind; the gate of contract then lets them pass.

    A waived reject stays waived when its row is written again and rejected for the same reason. A waiver ends with its
    run: a rollback of the stage takes it back.

    For example:

    changeover rejects waive 17 --reason "test data"

    changeover rejects waive --all --of-reason no_date --from-now-on --reason "drafts have no date, agreed with QA"
    """
    filtered = any(each is not None for each in (plan, stage, source, of_reason))
    chosen = _chosen(ids, everything=everything, filtered=filtered)
    context = open_context(dsn)
    name = plan_name(context.dsn, plan)
    waived = commands.rejects_waive(
        context.dsn,
        ids=chosen,
        plan=name,
        stage=stage,
        source=source,
        reject_reason=of_reason,
        from_now_on=from_now_on,
        reason=reason,
        operator=context.operator,
    )
    if from_now_on and of_reason and not commands.rejects_reason_is_known(context.dsn, of_reason, plan=name):
        output.tell(f"Nothing was rejected for {of_reason} yet, and no plan at hand gives that reason.", "yellow")
    if as_json:
        output.print_json({"waived": waived, "from_now_on": from_now_on, "by": context.operator, "reason": reason})
        return
    none = "" if waived else " No open reject matches: there is none, or it is waived already."
    output.say(f"{len(waived)} waived by {context.operator}.{none}")
    if from_now_on:
        output.say(f"Later rejects for {of_reason} are waived as they come; `changeover rejects revoke` ends that.")


@app.command("waivers")
def waivers_(plan: AnyPlan = None, dsn: Dsn = None, as_json: Json = False) -> None:
    """List the reasons that are waived from now on: who answers for them, why, and for how many rejects by now.

    Example: changeover rejects waivers --plan cqms
    """
    at = open_context(dsn).dsn
    found = commands.rejects_waivers(at, plan=plan_name(at, plan))
    if as_json:
        output.print_json([each.as_json() for each in found])
        return
    columns = ("id", "plan", "stage", "table", "reason", "waived by", "why", "since", "rejects")
    rows = [
        (w.id, w.plan, w.stage, w.source, w.reason, w.waived_by, w.waived_reason, w.created_at, w.rejects)
        for w in found
    ]
    output.table(columns, rows, right=("id", "rejects"))
    if not found:
        output.say("No reason is waived from now on.")


@app.command()
def revoke(  # noqa: PLR0917 - the options of the command
    reason: Annotated[str, typer.Option("--reason", help="Why the waivers are taken back; kept with your name.")],
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="Every waiver that the options choose.")] = False,
    plan: AnyPlan = None,
    stage: AnyStage = None,
    source: Source = None,
    of_reason: RejectReason = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Take waivers back: the rejects are open again, and later ones of the reason are open as they come.

    For example:

    changeover rejects revoke 17 --reason "it was no test data"

    changeover rejects revoke --plan cqms --of-reason no_date --reason "QA wants them mended"
    """
    filtered = any(each is not None for each in (plan, stage, source, of_reason))
    chosen = _chosen(ids, everything=everything, filtered=filtered)
    context = open_context(dsn)
    waivers, opened = commands.rejects_revoke(
        context.dsn,
        ids=chosen,
        plan=plan_name(context.dsn, plan),
        stage=stage,
        source=source,
        reject_reason=of_reason,
        reason=reason,
        operator=context.operator,
    )
    if as_json:
        output.print_json({"revoked": [each.as_json() for each in waivers], "opened": opened, "by": context.operator})
        return
    if not waivers and not opened:
        output.say("No waiver matches.")
        return
    reasons = "".join(f" {each.reason} is no longer waived." for each in waivers)
    output.say(f"{counted(len(opened), 'reject')} open again.{reasons}")


def _summary(found: Sequence[ReasonCount]) -> None:
    rows = [(each.source, each.reason, each.stage, each.open, each.waived) for each in found]
    output.table(("table", "reason", "stage", "open", "waived"), rows, right=("open", "waived"))


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
