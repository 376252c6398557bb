"""`start`, `verify`, `rollback`: what moves a plan forward, and back."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context, working
from orchestrator.cli.options import (
    AnyStage,
    BackTo,
    Dsn,
    Json,
    PlanArgument,
    PlanOption,
    Until,
    Verbose,
    Wait,
    Workers,
    Yes,
)
from orchestrator.engine import commands
from orchestrator.engine.errors import DifferencesError
from orchestrator.jobs.job import Job, terms_of
from orchestrator.kernel.errors import GateUnmetError, UsageError
from orchestrator.kernel.words import counted, counted_of
from orchestrator.ledger.check_results import ORPHANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.engine.results import PhaseResult, VerifyResult
    from orchestrator.engine.rollback.rollback import Outline


class Kind(StrEnum):
    """What a run is for."""

    REHEARSAL = "rehearsal"
    CUTOVER = "cutover"


KindOption = Annotated[
    Kind | None,
    typer.Option("--kind", help="A rehearsal passes the gates of time and people.", show_default="cutover"),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("start")(start)
    app.command("verify")(verify)
    app.command("rollback")(rollback)


def start(  # noqa: PLR0917 - options; typer passes them by name
    plan: PlanArgument,
    until: Until = None,
    stage: AnyStage = None,
    workers: Workers = None,
    kind: KindOption = None,
    wait: Wait = None,
    dsn: Dsn = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Carry a plan out: every stage, phase by phase, from where it stopped to the first unmet gate.

    Kill it at any time and run the same command again: it goes on from the last committed batch. Ends with 3 and says
    in words which gate it stopped at.

    For example:

    changeover start cqms --until verify

    changeover start cqms --stage audits --workers 4 --kind rehearsal
    """
    stopped: GateUnmetError | None = None
    loaded = commands.check_names(open_context(dsn).dsn, plan, stage, until)
    try:
        with working(dsn, quiet=as_json, verbose=verbose) as context:
            context.wait(wait)
            job = Job(context.dsn, loaded, context.settings, context.bus, asked=context.stop)
            found = job.run(
                lambda stop, terms: commands.start(
                    context.dsn,
                    loaded,
                    until=until,
                    stage=stage,
                    workers=context.workers(workers),
                    kind=kind_of(kind),
                    bus=context.bus,
                    stop=stop,
                    operator=context.operator,
                    terms=terms,
                )
            )
            phases, reason = found.phases, found.reason
    except GateUnmetError as exc:
        # What was done until there is a result, that it stopped is an error: each has its place.
        phases, stopped, reason = getattr(exc, "phases", []), exc, exc.what
    if as_json:
        output.print_json({"phases": phases, "reason": reason})
    else:
        show_phases(phases, "" if stopped else "Everything that was asked for is done already.")
        if stopped is None and reason:
            output.say(reason)
    if stopped is not None:
        raise stopped


def verify(
    plan: PlanOption,
    stage: AnyStage = None,
    repair: bool = typer.Option(False, "--repair", help="Make the new table what the old one says, where they differ."),
    workers: Workers = None,
    dsn: Dsn = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Compare both sides value by value, online, and count: legacy = migrated + rejected.

    Without --repair nothing is changed, but that keys which mirrors left in the queue are drained first; it says so.
    Ends with 4 and names the rows and columns that differ. An interrupted comparison goes on where it stopped.

    Example: changeover verify --plan cqms --stage audits --repair
    """
    try:
        with working(dsn, quiet=as_json, verbose=verbose) as context:
            results = commands.verify(
                context.dsn,
                plan,
                stage=stage,
                repair=repair,
                workers=context.workers(workers),
                bus=context.bus,
                stop=context.stop,
                operator=context.operator,
                terms=terms_of(context.settings),
            )
    except DifferencesError as exc:
        # Standard output tells what was found, standard error that it is not good.
        _verified(exc.results, as_json=as_json)
        raise
    _verified(results, as_json=as_json)


def rollback(  # noqa: PLR0917 - the options of the command
    plan: PlanOption,
    stage: AnyStage = None,
    to: BackTo = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with your name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be taken back.")] = False,
    yes: Yes = False,
    dsn: Dsn = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Take phases back, the last one first, until `--to` is the last one done.

    No write is lost: the old tables are current as long as the mirrors are on. Afterwards the catalog is what it was.
    Flags are lowered first; then it waits until no client can still read what goes. It asks in a cutover run whose flag
    is live, unless `--yes`.

    For example:

    changeover rollback --plan cqms

    changeover rollback --plan cqms --stage audits --to expand
    """
    with working(dsn, quiet=as_json, verbose=verbose) as context:
        loaded = commands.open_plan(plan, context.dsn)
        if dry_run or not yes:
            ahead = commands.rollback_outline(context.dsn, loaded, stage=stage, to=to)
            if dry_run:
                _show_way_back(ahead, as_json=as_json)
                return
            if ahead.asks:
                _ask_back(ahead)
        results = commands.rollback(
            *(context.dsn, loaded),
            stage=stage,
            to=to,
            reason=reason,
            bus=context.bus,
            stop=context.stop,
            operator=context.operator,
            terms=terms_of(context.settings),
        )
    if as_json:
        output.print_json(results)
    else:
        show_phases(results, "Nothing is left to take back: it is done already.")


def _show_way_back(ahead: Outline, *, as_json: bool) -> None:
    if as_json:
        output.print_json(ahead)
        return
    for stage, phase in ahead.phases:
        output.say(f"{stage}: {phase} would be taken back")
    for flag in ahead.flags:
        output.say(f"flag {flag} would be lowered first")
    if not ahead.phases:
        output.say("Nothing is left to take back.")


def _ask_back(ahead: Outline) -> None:
    live = ", ".join(str(flag) for flag in ahead.flags if flag.live)
    if not sys.stdin.isatty():
        raise UsageError(
            f"This sends readers of a production database back: {live}.",
            kept="Nothing was changed.",
            todo="Add --yes if it is meant; --dry-run shows what would be taken back.",
        )
    output.ask(f"Lower {live}, and take {counted(len(ahead.phases), 'phase')} back?")


def kind_of(kind: Kind | None) -> Any:
    """The kind as the engine knows it."""
    return None if kind is None else kind.value


def show_phases(results: Sequence[PhaseResult], empty: str = "") -> None:
    """Show what was carried out or taken back."""
    if not results:
        if empty:
            output.say(empty)
        return
    rows = [(r.stage, r.phase, r.state, r.seconds, _detail(r.detail)) for r in results]
    output.table(("stage", "phase", "state", "seconds", ""), rows, right=("seconds",))


def _detail(detail: dict[str, Any]) -> str:
    """What a phase reports, in a few words: its own numbers and those of its steps."""
    own = {name: value for name, value in detail.items() if isinstance(value, int) and name != "executed"}
    told = [counted_of(value, name) for name, value in own.items() if value]
    for step, value in detail.items():
        if isinstance(value, dict):
            numbers = [_number(number, name) for name, number in value.items() if isinstance(number, int) and number]
            told.append(f"{step}: {', '.join(numbers) or 'nothing more'}")
    return "; ".join(told)


def _number(number: int, name: str) -> str:
    """Of a step: `2 indexes`, or where a table is named, `1 row of archive.labels`."""
    return f"{counted(number, 'row')} of {name}" if "." in name else counted_of(number, name)


def _verified(results: Sequence[VerifyResult], *, as_json: bool) -> None:
    if as_json:
        output.print_json(results)
        return
    for result in results:
        state = "clean" if result.clean else "different"
        kinds = "".join(f", {number} {kind}" for kind, number in result.by_kind.items() if number)
        repaired = f", {result.repaired} repaired" if result.repaired else ""
        compared = f"{counted(result.rows, 'row')} compared in {result.seconds:.1f} s"
        if not result.counts:
            passed = sum(1 for check in result.checks if check.get("ok", True))
            compared = f"nothing to compare; {counted(passed, 'check')} passed"
        output.say(f"{result.stage}: {state}, {compared}{kinds}{repaired}")
        counts = [
            (c["source"], c["mapping"], c["legacy"], c["migrated"], c["rejected"], c.get("exempt"), _adds_up(c))
            for c in result.counts
        ]
        numbers = ("legacy", "migrated", "rejected", "exempt")
        if counts:
            output.table(("table", "mapping", *numbers, "adds up"), counts, right=numbers)
        for check in result.checks:
            if "words" in check:
                state = "good" if check["ok"] else "not met" if check["binding"] else "warning"
                if not check["ok"] or not check["check"].startswith(ORPHANS):
                    output.say(f"  {state}: {check['words']}")
            elif not check.get("ok", True):
                output.say(f"  not so: {check.get('check')}")
        for each in result.samples:
            columns = ", ".join(each.get("columns") or ())
            # A row that somebody has put beside the mirrors has no old key: its new one names it.
            which = each.get("key") or output.as_json(each.get("actual"), indent=None)
            output.say(f"  {each.get('source')} {which}: {each.get('kind')} {columns}".rstrip())


def _adds_up(count: dict[str, Any]) -> bool:
    return bool(count["legacy"] == count["migrated"] + count["rejected"])
