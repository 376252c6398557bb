"""`plan …`: what plans there are, what they will do, and what can be said against them."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import typer

from orchestrator.cli import output
from orchestrator.cli.context import open_context
from orchestrator.cli.failure import FailedChecksError, PlanComplaintsError
from orchestrator.cli.options import Dsn, Json, PlanArgument
from orchestrator.cli.progress import listener
from orchestrator.engine import commands
from orchestrator.engine.check import check as checking
from orchestrator.kernel.words import counted, meant
from orchestrator.plan import lint as linting
from orchestrator.plan.loader import shipped
from orchestrator.plan.schema import schema

if TYPE_CHECKING:
    from orchestrator.engine.check.check import MappingCheck, PlanCheck
    from orchestrator.engine.results import OutlineItem
    from orchestrator.plan.loader import LoadedPlan

app = typer.Typer(help="Plans: what is to change.", no_args_is_help=True)


@app.command("list")
def every(as_json: Json = False) -> None:
    """List the plans that come with the program.

    Example: changeover plan list
    """
    plans = [commands.open_plan(name) for name in shipped()]
    rows = [(p.name, p.model.version, [s.stage for s in p.model.stages], p.model.title) for p in plans]
    if as_json:
        output.print_json([dict(zip(("plan", "version", "stages", "title"), row, strict=True)) for row in rows])
    else:
        output.table(("plan", "version", "stages", "title"), rows)
        output.say("\n`changeover demo --plan PLAN` carries one out on a server of its own, with applications at work.")


@app.command()
def show(
    plan: PlanArgument,
    sql: bool = typer.Option(False, "--sql", help="Print every statement; needs the database, changes nothing."),
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show what a plan will do, phase by phase, with the lock that each statement takes.

    With --sql exactly the statements that will be executed, compiled against the database.

    Example: changeover plan show cqms --sql | less
    """
    context = open_context(dsn)
    known = sql or context.settings.dsn is not None
    loaded = commands.open_plan(plan, context.dsn if known else None)
    items = commands.outline(context.dsn if known else None, loaded)
    if as_json:
        head = {"plan": loaded.name, "version": loaded.model.version, "checksum": loaded.checksum}
        output.print_json({**head, "compiled": known, "items": items})
    elif sql:
        _statements(loaded, items)
    else:
        _summary(loaded, items)


@app.command()
def lint(plan: PlanArgument, as_json: Json = False) -> None:
    """Look for mistakes without a database; each is named with its file and line.

    Ends with 2 when there are errors.

    Example: changeover plan lint ./my_plan
    """
    complaints = linting.lint(commands.open_plan(plan))
    errors = sum(c.level == "error" for c in complaints)
    if as_json:
        output.print_json({"ok": not errors, "complaints": complaints})
    else:
        for complaint in complaints:
            output.say(str(complaint))
        output.say(f"{counted(errors, 'error')}, {counted(len(complaints) - errors, 'warning')}.")
    if errors:
        raise PlanComplaintsError(
            f"Plan {plan} has {counted(errors, 'error')}.", kept="Nothing was changed.", todo="Correct them."
        )


@app.command()
def check(plan: PlanArgument, dsn: Dsn = None, as_json: Json = False) -> None:
    """Hold a plan against the live database: sources, columns, targets, and whether everything compiles.

    Nothing is changed. Ends with 5 when something stops the plan.

    Example: changeover plan check cqms
    """
    context = open_context(dsn)
    with listener(context.bus, quiet=as_json):
        result = checking.check(context.dsn, commands.open_plan(plan, context.dsn), bus=context.bus)
    if as_json:
        output.print_json({**asdict(result), "ok": result.ok})
    else:
        _checked(result)
    if not result.ok:
        raise FailedChecksError(
            f"Plan {result.plan} does not fit this database.",
            kept="Nothing was changed.",
            todo="The problems stand above; mend the plan or what it names here, or give the right DSN.",
        )


@app.command("schema")
def print_schema() -> None:
    """Print the JSON schema of plan.yaml, for editors.

    Example: changeover plan schema > plan.schema.json
    """
    output.print_json(schema())


def _summary(plan: LoadedPlan, items: list[OutlineItem]) -> None:
    output.say(f"{plan.name} version {plan.model.version}, checksum {plan.checksum}: {plan.model.title}")
    for stage in plan.model.stages:
        after = f", after {stage.after}" if stage.after else ""
        flag = f", flag {stage.flag}" if stage.flag else ""
        output.say(f"\nstage {stage.stage}{after}{flag}: {stage.title}")
        for mapping in stage.mappings:
            output.say(f"  mapping {mapping.label}: {type(mapping).__name__.lower()} into {mapping.target}")
        mine = [item for item in items if item.stage == stage.stage]
        output.table(
            ("  phase", "action", "lock", "what it is"), [(f"  {i.phase}", i.id, i.lock or None, i.doc) for i in mine]
        )


def _statements(plan: LoadedPlan, items: list[OutlineItem]) -> None:
    """One SQL script: what is not SQL is a comment."""
    output.say(f"-- {plan.name} version {plan.model.version}, checksum {plan.checksum}")
    for (stage, phase), group in groupby(items, key=lambda item: (item.stage, item.phase)):
        output.say(f"\n-- ==== stage {stage}, phase {phase} ====")
        for item in group:
            output.say(f"\n-- {item.id}" + (f": {_one_line(item.doc)}" if item.doc else ""))
            if not item.sql:
                continue
            apart = "" if item.transactional else "; outside of a transaction"
            output.say(f"-- lock: {item.lock or 'none'}{apart}")
            output.say(f"{item.sql.rstrip().rstrip(';')};", lines=True)


def _checked(result: PlanCheck) -> None:
    output.say(f"{result.plan} version {result.version}, checksum {result.checksum}")
    for mapping in result.mappings:
        output.say(f"\n{mapping.stage}: {mapping.kind} into {mapping.target} ({_target(mapping)})")
        for source in mapping.sources:
            key = f", key {source.key} {source.key_type or ''}".rstrip()
            rows = source.rows_estimated
            known = f"about {counted(rows, 'row')}" if rows else "no rows, or not counted yet (ANALYZE does)"
            output.say(f"  {source.table}: {known}{key}")
            for words, named in _columns(source):
                output.say(f"      {words}: {named}")
        for warning in mapping.warnings:
            output.say(f"  note: {warning['subject']}: {warning['detail']} [{warning['code']}]")
        for problem in mapping.problems:
            output.say(f"  PROBLEM: {problem}")
    for each in result.checks:
        state = "good" if each.answer.ok else "PROBLEM" if each.answer.binding else "warning"
        output.say(f"\n{each.stage}: {state}: {each.words}")
    for note in result.notes:
        output.say(f"\nnote: {note}")
    for problem in result.problems:
        output.say(f"\nPROBLEM: {problem}")
    told = {w["subject"]: w["code"] for m in result.mappings for w in m.warnings}
    alone, absent = (sorted(s for s, code in told.items() if code == which) for which in ("not_a_table", "no_table"))
    left = f" It leaves {counted(len(alone), 'table')} alone: {', '.join(alone)}." if alone else ""
    left += f" Named, and not there: {', '.join(absent)}." if absent else ""
    output.say(f"\n{'Nothing stops this plan.' if result.ok else 'This plan cannot be carried out here.'}{left}")


def _columns(source: Any) -> list[tuple[str, str]]:
    to: dict[str, list[str]] = {}
    for name, place in source.extra.items():
        to.setdefault(place, []).append(name)
    missing = [name + meant(name, source.extra, alike=0.8) for name in source.missing]
    told = [("not here, read as NULL", ", ".join(missing))] if missing else []
    told += [(place, ", ".join(names)) for place, names in to.items()]
    told += [("converted", f"{name}: {how}") for name, how in source.converted.items()]
    told += [("note", note) for note in source.notes]
    return [*told, *(("PROBLEM", problem) for problem in source.problems)]


def _target(mapping: MappingCheck) -> str:
    words = {"new": "will be created", "ours": "made by this plan", "there": "is there", "missing": "is missing"}
    return words[mapping.target_state]


def _one_line(text: str) -> str:
    return " ".join(text.split())
