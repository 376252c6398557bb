"""`changeover`: the commands, put together, and their one way out.

A module is imported when its command is called: a phase that runs as a job waits for no web server, and `--version` for
no database driver. Only the help of the whole, a mistyped command and the completion of a shell need them all.

`run` is what the console script calls. Parsing errors, errors of ours and Ctrl-C all end in `failure.report`, which
decides what is said and with which code we leave.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

import orchestrator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EPILOG = "Exit codes: 0 done, 1 retryable, 2 usage, 3 gate unmet, 4 mismatch, 5 drift or refusal, 7 lock timeout."


# Module: its commands. Each has `register(app)`.
MODULES: Final = {
    "setup": ("init", "uninstall", "doctor"),
    "moves": ("start", "verify", "rollback"),
    "gate": ("approve",),
    "jobs": ("run", "pause", "resume", "cancel", "metrics"),
    "drain": ("drain",),
    "retire": ("retire",),
    "prune": ("prune",),
    "refresh": ("refresh",),
    "report": ("report",),
    "rehearse": ("rehearse",),
    "state": ("status", "history"),
    "serve": ("serve",),
    "notify": ("notify",),
    "demo": ("demo",),
}
# Command with commands below it: its modules. The first has them as `app`, the others have `register(app)`.
GROUPS: Final = {
    "plan": ("plans",),
    "gate": ("gate",),
    "rehearsal": ("rehearse",),
    "rejects": ("rejects",),
    "flag": ("flag", "flag_moves", "flag_shadow", "flag_serve"),
    "throttle": ("throttle",),
    "deploy": ("deploy",),
}


class Root(typer.core.TyperGroup):
    """The root command. typer would turn Ctrl-C into a silent exit before we hear of it."""

    def invoke(self, ctx: Any) -> Any:
        """Invoke, and let an interrupt through as an error with words."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            from orchestrator.cli.failure import InterruptError  # noqa: PLC0415 - the drivers come along with it

            raise InterruptError from None


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"changeover {orchestrator.__version__}\n")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def build(first: str = "") -> typer.Typer:
    """The command line: that of one command where `first`, the first word, is its name, else all of it."""
    app = typer.Typer(
        cls=Root,
        name="changeover",
        help="Moves a live PostgreSQL database from an old schema to a new one, with nothing lost, and back.",
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_root)
    if first == "--version":
        return app
    modules = [name for name, commands in MODULES.items() if first in commands]
    groups = [name for name in GROUPS if name == first]
    every = not modules and not groups
    for name in MODULES if every else modules:
        _module(name).register(app)
    for name in GROUPS if every else groups:
        app.add_typer(_group(name), name=name)
    return app


@cache
def _group(name: str) -> typer.Typer:
    """What is below a command, put together once."""
    home, *others = (_module(each) for each in GROUPS[name])
    for other in others:
        other.register(home.app)
    app: typer.Typer = home.app
    return app


def _module(name: str) -> Any:
    return importlib.import_module(f"orchestrator.cli.{name}")


def run(argv: Sequence[str] | None = None, ready: Callable[[], None] = lambda: None) -> int:
    """Carry out a command line and return its exit code. `ready` is called when the command's modules are imported."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        _check_text(arguments)
        command = _command(arguments)
        ready()
        code = command.main(args=arguments, prog_name="changeover", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - this is the one place, see `failure`
        from orchestrator.cli.failure import report  # noqa: PLC0415 - the drivers come along with it

        return report(exc, arguments)
    return code if isinstance(code, int) else 0


def _check_text(arguments: Sequence[str]) -> None:
    """Refuse bytes that are no text: neither the database nor a document could hold them."""
    for argument in arguments:
        if any("\ud800" <= character <= "\udfff" for character in argument):
            from orchestrator.kernel.errors import UsageError  # noqa: PLC0415 - the drivers come along with it

            raise UsageError(
                "An argument has bytes that are no text in this locale's encoding.",
                kept="Nothing was changed.",
                todo="Write it in that encoding, or set LC_ALL to the one it is in; UTF-8 always will do.",
            )


def _command(arguments: Sequence[str]) -> Any:
    command = typer.main.get_command(build(next(iter(arguments), "")))
    if not command.commands:  # type: ignore[attr-defined]  # the class is click's, which typer brings under a name of its own
        return command
    from orchestrator.cli.secret_files import with_dsn_file  # noqa: PLC0415 - no command, no DSN

    return with_dsn_file(command)
