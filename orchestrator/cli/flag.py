"""`flag …`: what decides where the applications read."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flags import proposals, store
from flags.override import override
from flags.stages import Stage
from orchestrator.cli import output
from orchestrator.cli.context import open_context
from orchestrator.cli.flag_forward import confirming
from orchestrator.cli.options import Dsn, Json, Yes
from orchestrator.engine import flag_moves
from orchestrator.engine.session import open_ledger
from orchestrator.kernel.errors import ChangeoverError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flags.store import Flag
    from orchestrator.ledger.store import Ledger

app = typer.Typer(help="Flags: where the applications read.", no_args_is_help=True)


def flag_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The flags there are, for the shell's completion; none if the database cannot be asked."""
    try:
        with connected(ctx.params.get("dsn")) as (ledger, _):
            return [flag.flag for flag in store.every(ledger.conn) if flag.flag.startswith(incomplete)]
    except ChangeoverError:
        return []


FlagArgument = Annotated[str, typer.Argument(metavar="FLAG", help="The flag's name.", autocompletion=flag_names)]
AnyFlag = Annotated[
    str | None,
    typer.Argument(metavar="[FLAG]", help="All flags without it.", autocompletion=flag_names, show_default=False),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.")]
ExpectVersion = Annotated[
    int | None,
    typer.Option("--expect-version", help="Only if nobody has changed it since this version.", show_default=False),
]
_COLUMNS = (
    "flag",
    "stage",
    "rollout",
    "enabled",
    "version",
    "plan",
    "plan_stage",
    "updated_at",
    "updated_by",
    "reason",
    "rules",
    "hold",
    "second_person",
    "override",
)


@app.command("list")
def every(dsn: Dsn = None, as_json: Json = False) -> None:
    """List all flags.

    Example: changeover flag list
    """
    with connected(dsn) as (ledger, _):
        flags = store.every(ledger.conn)
    if as_json:
        output.print_json(flags)
    else:
        _table(flags)


@app.command()
def get(flag: FlagArgument, dsn: Dsn = None, as_json: Json = False) -> None:
    """Show one flag.

    Example: changeover flag get USE_UNIFIED_AUDITS_TABLE --json
    """
    with connected(dsn) as (ledger, _):
        found, proposal = store.get(ledger.conn, flag), proposals.pending(ledger.conn, flag)
    if as_json:
        output.print_json({**found.as_json(), "proposal": proposal})
        return
    _table([found])
    if proposal is not None:
        output.tell(f"{proposal.proposed_by} proposes {proposal.stage}, {proposal.rollout} %: `flag approve {flag}`.")


@app.command("set")
def change(  # noqa: PLR0917 - a command has as many options as it has
    flag: FlagArgument,
    stage: Annotated[
        Stage | None, typer.Option("--stage", help="Where it shall stand.", show_default=False, case_sensitive=False)
    ] = None,
    rollout: Annotated[
        int | None,
        typer.Option(
            "--rollout", min=0, max=100, help="Percent of the keys for which the stage counts.", show_default=False
        ),
    ] = None,
    enabled: Annotated[
        bool | None,
        typer.Option("--enabled/--disabled", help="The short way: live, or back to shadow.", show_default=False),
    ] = None,
    second_person: Annotated[
        bool | None,
        typer.Option(
            "--second-person/--one-person",
            help="Whether somebody else has to agree before more readers come to the new tables.",
            show_default=False,
        ),
    ] = None,
    expect_version: ExpectVersion = None,
    yes: Yes = False,
    reason: Reason = "",
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Move a flag. Forward goes a step at a time, and to `live` only when its stage is verified; back goes always.

    For example:

    changeover flag set USE_UNIFIED_AUDITS_TABLE --stage live --rollout 10

    changeover flag set USE_UNIFIED_AUDITS_TABLE --disabled --reason "p99 doubled"
    """
    if stage is None and rollout is None and enabled is None and second_person is None:
        raise UsageError(
            "Nothing was said about how the flag should stand.",
            kept="Nothing was changed.",
            todo="Give --stage, --rollout, --enabled/--disabled or --second-person/--one-person.",
        )
    with connected(dsn) as (ledger, actor):
        wanted = store.Change(stage=stage, rollout=rollout, enabled=enabled, second_person=second_person)
        found = store.get(ledger.conn, flag)
        by, confirm = store.By(actor, reason), confirming(yes=yes)
        found = flag_moves.change(ledger, found, wanted, by, confirm, expected_version=expect_version)
    if as_json:
        output.print_json(found)
    else:
        _table([found])


@app.command()
def history(
    flag: AnyFlag = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The last so many.")] = 50,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show who moved a flag, when and why, the last at the bottom.

    Example: changeover flag history USE_UNIFIED_AUDITS_TABLE
    """
    with connected(dsn) as (ledger, _):
        entries = store.history(ledger.conn, flag, limit=limit)
        if flag is not None and not entries:
            store.get(ledger.conn, flag)  # a flag that is gone has its history; one that never was has not
    if as_json:
        output.print_json(entries)
        return
    columns = ("at", "flag", "version", "kind", "was_stage", "stage", "rollout", "actor", "proposed_by", "reason")
    rows = [(e.at, *(getattr(e, column) for column in columns[1:])) for e in entries]
    output.table(columns, rows, right=("version", "rollout"))


@app.command()
def allow(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="The role of an application.")],
    reports: Annotated[
        bool, typer.Option("--reports", help="It also reports shadow reads, by which the guard takes a flag back.")
    ] = False,
    dsn: Dsn = None,
) -> None:
    """Let a role ask the flags. REVOKE takes it back.

    Example: changeover flag allow shop_app --reports
    """
    with connected(dsn) as (ledger, _):
        (store.allow_reporting if reports else store.allow_reading)(ledger.conn, role)
    output.say(f"{role} may ask the flags{' and report shadow reads' if reports else ''}.")


@contextmanager
def connected(dsn: str | None) -> Iterator[tuple[Ledger, str]]:
    """The ledger, and in whose name it is written."""
    context = open_context(dsn)
    with open_ledger(context.dsn, context.operator) as ledger:
        yield ledger, ledger.actor


def _table(flags: list[Flag]) -> None:
    rows = [[_cell(f, column) for column in _COLUMNS] for f in flags]
    output.table(_COLUMNS, rows, right=("rollout", "version"))


def _cell(flag: Flag, column: str) -> Any:
    if column == "override":
        forced = override(flag.flag, os.environ)
        return None if forced is None else f"{forced.value} (environment)"
    if column == "rules":
        return len(flag.rules) or None
    return getattr(flag, column)
