"""`rehearse` and `rehearsal import`: a plan tried on a copy from end to end, and what was seen there used here."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from psycopg.conninfo import conninfo_to_dict

from orchestrator.cli import output
from orchestrator.cli.context import open_context, working
from orchestrator.cli.failure import FailedChecksError
from orchestrator.cli.options import Dsn, Json, PlanArgument, Verbose, Workers
from orchestrator.engine.report import predicting, rehearsing
from orchestrator.jobs.job import terms_of
from orchestrator.kernel.errors import RefusedError, UsageError
from orchestrator.kernel.words import counted, duration

if TYPE_CHECKING:
    from orchestrator.engine.report.rehearsing import Notes

app = typer.Typer(help="Rehearsals that were made on a copy.", no_args_is_help=True)

_MB = 1_000_000
_WHERE = ("host", "hostaddr", "port", "dbname")


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("rehearse")(rehearse)


def rehearse(
    plan: PlanArgument,
    on: Annotated[str, typer.Option("--on", metavar="DSN", help="The copy; everything is taken back there.")],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Where the notes go.", show_default="rehearsal-PLAN.json"),
    ] = None,
    workers: Workers = None,
    dsn: Dsn = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Carry a plan out on a copy of the database, contract and way back included, and write what was seen to a file.

    Time and log of changes of each phase, size of the database, rejects by reason, each strong lock with how long it
    was held and waited for. Ends with 5 when something went wrong; the file says what.

    Example: changeover rehearse cqms --on postgresql://owner@copy/database --to cqms.json
    """
    _refuse_the_original(dsn, on)
    with working(on, quiet=as_json, verbose=verbose) as context:
        notes = rehearsing.rehearse(
            context.dsn,
            plan,
            workers=context.workers(workers),
            bus=context.bus,
            stop=context.stop,
            operator=context.operator,
            terms=terms_of(context.settings),
        )
    file = to or Path(f"rehearsal-{notes.plan}.json")
    file.write_text(output.as_json(asdict(notes)) + "\n", encoding="utf-8")
    if as_json:
        output.print_json(notes)
    else:
        _show(notes, file)
    if notes.problems:
        raise FailedChecksError(
            f"The rehearsal of plan {notes.plan} did not go well: {'; '.join(notes.problems)}",
            kept=f"What was seen is in {file}.",
            todo="Mend what it says, then rehearse again.",
        )


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `changeover rehearse` has written.")],
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Register a rehearsal with this database: `status` predicts by it, and a control `rehearsed` looks at it.

    Example: changeover rehearsal import cqms.json
    """
    context = open_context(dsn)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{file} cannot be read: {exc}.", kept="Nothing was registered.") from exc
    made = predicting.register(context.dsn, text, operator=context.operator)
    if as_json:
        about = {"plan": made.plan, "checksum": made.checksum, "rehearsed_at": made.rehearsed_at}
        output.print_json({"id": made.id, **about})
    else:
        output.say(f"The rehearsal of plan {made.plan} on {made.rehearsed_at:%Y-%m-%d %H:%M} UTC is registered.")


def _refuse_the_original(dsn: str | None, on: str) -> None:
    """The database of the environment is not the copy."""
    given = open_context(dsn).settings.dsn
    if given is None:
        return
    mine, copy = conninfo_to_dict(given.get_secret_value()), conninfo_to_dict(on)
    if all(mine.get(key) == copy.get(key) for key in _WHERE):
        raise RefusedError(
            "--on names the database that CHANGEOVER_DSN names: a rehearsal takes everything back.",
            kept="Nothing was changed.",
            todo="Make a copy of the database (a restored backup), and give its DSN.",
        )


def _show(notes: Notes, file: Path) -> None:
    rows = [(p["stage"], p["phase"], p["seconds"], p["wal_bytes"] / _MB) for p in notes.phases]
    output.table(("stage", "phase", "seconds", "log of changes, MB"), rows, right=("seconds", "log of changes, MB"))
    back = "not reached" if notes.rollback_seconds is None else duration(notes.rollback_seconds)
    more = (notes.database_bytes_most - notes.database_bytes_before) / _MB
    output.say(f"Way back: {back}. The database grew by {more:,.1f} MB at most.")
    for reason, rejected in notes.rejects.items():
        output.say(f"  {counted(rejected, 'reject')}: {reason}")
    seen = ("relation", "mode", "held_s", "waited_s", "others_waited_s")
    locks = [tuple(each[name] for name in seen) for each in notes.locks]
    numbers = ("held, s", "waited, s", "others waited, s")
    if locks:
        output.table(("table", "lock", *numbers), locks, right=numbers)
    output.say(f"Written to {file}; `changeover rehearsal import {file}` registers it with the real database.")
