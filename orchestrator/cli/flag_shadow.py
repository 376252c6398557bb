"""`flag mismatches` and `flag guard`: what shadow reads have found, and when it takes the flag back by itself."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from flags import guard as flag_guard
from flags import mismatches as found
from flags import store
from orchestrator.cli import output
from orchestrator.cli.flag import AnyFlag, FlagArgument, connected
from orchestrator.cli.options import Dsn, Json
from orchestrator.ledger.store import About

_SUMS = ("flag", "read", "compared", "mismatches", "errors", "late", "old_p99_ms", "new_p99_ms")
_SHOWN = ("at", "flag", "read", "key", "kind", "fields", "old_value", "new_value")


def mismatches(
    flag: AnyFlag = None,
    read: Annotated[str | None, typer.Option("--read", help="Of this read only.", show_default=False)] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The last so many.")] = 20,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show what shadow reads have compared, and where old and new answer differently.

    Example: changeover flag mismatches USE_UNIFIED_AUDITS_TABLE --read report
    """
    with connected(dsn) as (ledger, _):
        sums = found.readings(ledger.conn, flag, read=read)
        rows = found.mismatches(ledger.conn, flag, read=read, limit=limit)
        if flag is not None and not sums and not rows:
            store.get(ledger.conn, flag)
    if as_json:
        output.print_json({"reads": sums, "mismatches": rows})
        return
    output.table(_SUMS, [[getattr(each, name) for name in _SUMS] for each in sums], right=_SUMS[2:])
    if rows:
        output.say()
        output.table(_SHOWN, [[_shown(each.as_json()[name]) for name in _SHOWN] for each in rows])


def guard(  # noqa: PLR0917 - a command has as many options as it has
    flag: FlagArgument,
    window_s: Annotated[
        int | None, typer.Option("--window", min=1, max=86_400, help="Seconds.", show_default=False)
    ] = None,
    least: Annotated[
        int | None, typer.Option("--least", min=1, help="Compared reads before it decides.", show_default=False)
    ] = None,
    mismatch_share: Annotated[
        float | None, typer.Option("--mismatches", min=0, max=1, help="Share that may differ.", show_default=False)
    ] = None,
    error_share: Annotated[
        float | None, typer.Option("--errors", min=0, max=1, help="Share that may fail or be late.", show_default=False)
    ] = None,
    slower: Annotated[
        float | None, typer.Option("--slower", min=0.01, help="p99 of the new side, times the old.", show_default=False)
    ] = None,
    floor_ms: Annotated[
        float | None, typer.Option("--floor", min=0, help="And only above so many ms.", show_default=False)
    ] = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Guard it or not.", show_default=False)] = None,
    dsn: Dsn = None,
) -> None:
    """Show or set when the guard takes a flag back one stage.

    Example: changeover flag guard USE_UNIFIED_AUDITS_TABLE --mismatches 0.001 --slower 2
    """
    given: dict[str, Any] = {
        "window_s": window_s,
        "least": least,
        "mismatches": mismatch_share,
        "errors": error_share,
        "slower": slower,
        "floor_ms": floor_ms,
        "enabled": enabled,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    with connected(dsn) as (ledger, _), ledger.transaction():
        of_flag = store.get(ledger.conn, flag)
        limits = replace(flag_guard.limits_of(ledger.conn, flag), **wanted)
        if wanted:
            flag_guard.set_limits(ledger.conn, flag, limits)
            ledger.event("flag.limits", About(of_flag.plan, of_flag.plan_stage), flag=flag, **wanted)
    output.print_json(asdict(limits))


def register(app: typer.Typer) -> None:
    """Add these commands to `flag`."""
    app.command()(mismatches)
    app.command()(guard)


def _shown(value: Any) -> Any:
    return output.as_json(value, indent=None)[:120] if isinstance(value, dict | list) else value
