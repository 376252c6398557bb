"""`changeover`: the commands, put together, and their one way out.

Each module brings its commands; `main` is what the console script calls. Parsing errors, errors of ours and Ctrl-C
all end in `failure.report`, which decides what is said and with which code we leave.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

import orchestrator
from orchestrator.cli import (
    demo,
    flag,
    flag_moves,
    flag_serve,
    flag_shadow,
    jobs,
    moves,
    plans,
    prune,
    refresh,
    rejects,
    retire,
    settle,
    setup,
    state,
    throttle,
)
from orchestrator.cli.failure import InterruptError, report
from orchestrator.cli.secret_files import with_dsn_file

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG = "Exit codes: 0 done, 1 retryable, 2 usage, 3 gate unmet, 4 mismatch, 5 drift or refusal, 7 lock timeout."


class Root(typer.core.TyperGroup):
    """The root command. typer would turn Ctrl-C into a silent exit before we hear of it."""

    def invoke(self, ctx: Any) -> Any:
        """Invoke, and let an interrupt through as an error with words."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise InterruptError from None


app = typer.Typer(
    cls=Root,
    name="changeover",
    help="Moves a live PostgreSQL database from an old schema to a new one, with nothing lost, and back.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"changeover {orchestrator.__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


for _module in (setup, moves, jobs, settle, retire, prune, refresh, state):
    _module.register(app)
app.add_typer(plans.app, name="plan")
app.add_typer(rejects.app, name="rejects")
flag_moves.register(flag.app)
flag_shadow.register(flag.app)
flag_serve.register(flag.app)
app.add_typer(flag.app, name="flag")
app.add_typer(throttle.app, name="throttle")
demo.register(app)


def run(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = with_dsn_file(typer.main.get_command(app))
    try:
        code = command.main(args=arguments, prog_name="changeover", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - this is the one place, see `failure`
        return report(exc, arguments)
    return code if isinstance(code, int) else 0
