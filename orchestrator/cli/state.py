"""`status` and `history`: where everything stands, and how it came to that."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from orchestrator.cli import output
from orchestrator.cli.context import open_context, plan_name
from orchestrator.cli.failure import InterruptError
from orchestrator.cli.options import AnyPlan, Dsn, Json
from orchestrator.cli.status_view import view
from orchestrator.engine import commands
from orchestrator.kernel.errors import ChangeoverError
from orchestrator.kernel.words import moment
from orchestrator.observability.logs import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from rich.console import RenderableType

    from orchestrator.engine.results import Status


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status")(status)
    app.command("history")(history)


def status(
    plan: AnyPlan = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again and again, until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option("--interval", min=0.2, help="Seconds between two looks.")] = 2.0,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show every plan that was run here: phases, tables, rejects, flags, gates.

    It is read from the ledger, so it is the same from any machine and after any crash. With --watch --json each look
    is one line.

    Example: changeover status --watch
    """
    context = open_context(dsn)
    name = plan_name(context.dsn, plan)

    def look() -> Status:
        return commands.status(context.dsn, name, folders=_folders(name, plan))

    if not watch:
        _show(look(), as_json=as_json, watching=False, plan=name)
        return
    with suppress(KeyboardInterrupt), _until_ctrl_c() as ended:
        _watch(look, interval, ended, as_json=as_json, plan=name)
    # The way to end a look that never ends: no error, and nothing to say.
    raise typer.Exit(InterruptError.exit_code)


def history(
    plan: AnyPlan = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The last so many.")] = 50,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show who did what, when and why, the last at the bottom.

    Example: changeover history --limit 20
    """
    at = open_context(dsn).dsn
    events = commands.history(at, plan=plan_name(at, plan), limit=limit)
    if as_json:
        output.print_json(events)
        return
    columns = ("actor", "plan", "stage", "phase", "kind")
    rows = [(moment(event["at"]), *(event.get(column) for column in columns), _words(event)) for event in events]
    output.table(("at", *columns, "detail"), rows)


def _folders(name: str | None, given: str | None) -> dict[str, str]:
    """Where a plan is that may be given by its folder."""
    return {} if name is None or given is None else {name: given}


@contextmanager
def _until_ctrl_c() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets. It interrupts as well; but where it comes into a callback, that may be lost."""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, end)
    try:
        yield ended
    finally:
        signal.signal(signal.SIGINT, before)


def _watch(
    look: Callable[[], Status], interval: float, ended: threading.Event, *, as_json: bool, plan: str | None = None
) -> None:
    """Look again and again: on a terminal a screen that stays, elsewhere one answer after the other.

    The first look may fail like any command. After it a database that is away is said, and looked for again.
    """
    console, shown = output.out(), look()
    if as_json or not console.is_terminal:
        new: Status | None = shown
        while not ended.is_set():
            if new is not None:
                _show(new, as_json=as_json, watching=True, plan=plan)
            time.sleep(interval)
            new, _ = _again(look, tell=True)
        return
    with Live(console=console, screen=True, auto_refresh=False) as screen:
        at, trouble = datetime.now(UTC), None
        while not ended.is_set():
            screen.update(Group(*_head(at, trouble), *view(shown, plan)), refresh=True)
            time.sleep(interval)
            new, trouble = _again(look, tell=False)
            if new is not None:
                shown, at = new, datetime.now(UTC)


def _again(look: Callable[[], Status], *, tell: bool) -> tuple[Status | None, ChangeoverError | None]:
    try:
        return look(), None
    except ChangeoverError as exc:
        if tell:
            output.tell(scrub(exc.what), "red")
        return None, exc


def _head(at: datetime, trouble: ChangeoverError | None) -> list[RenderableType]:
    lines = [output.line(f"{at:%Y-%m-%d %H:%M:%S} UTC; Ctrl-C ends this", "dim")]
    if trouble is not None:
        lines.append(output.line(f"The database cannot be asked: {scrub(trouble.what)}", "red"))
    return [*lines, output.line("")]


def _show(found: Status, *, as_json: bool, watching: bool, plan: str | None = None) -> None:
    if as_json and watching:
        output.write(output.as_json(found, indent=None) + "\n")
    elif as_json:
        output.print_json(found)
    else:
        console = output.out()
        for each in view(found, plan):
            console.print(each, soft_wrap=isinstance(each, Text))


def _words(event: dict[str, Any]) -> str:
    """The detail without what stands in the other columns, and without what is too long for a line."""
    known = {"plan", "stage", "phase", "run_id", "epoch", "checksum", "id"}
    detail = event.get("detail") or {}
    return ", ".join(
        f"{name}={value}"
        for name, value in detail.items()
        if name not in known and value not in (None, "") and not isinstance(value, dict | list)
    )
