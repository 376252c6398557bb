"""Secrets in files: what stands in a command line is read by everybody on the machine, and kept by shells.

`--dsn-file` is an option of every command that has `--dsn`. It is added here, so that no command has to hand it on: it
is read first, and what is in it is the value of `--dsn`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from orchestrator.kernel.errors import UsageError

_KEPT_AS: Final = "changeover.dsn"
_MOST_BYTES: Final = 65_536


def lines_of(file: Path) -> list[str]:
    """The lines of a file that say something, without the blanks around them; UsageError if there are none."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_BYTES + 1)
        found = [line.strip() for line in text.decode().splitlines() if line.strip()]
    except OSError as exc:
        raise _unreadable(file, exc.strerror or str(exc)) from exc
    except UnicodeDecodeError as exc:
        raise _unreadable(file, "it is no text") from exc
    if len(text) > _MOST_BYTES:
        raise _unreadable(file, f"it is larger than {_MOST_BYTES} bytes")
    if not found:
        raise _unreadable(file, "it is empty")
    return found


def dsn_of(ctx: typer.Context, given: str | None) -> str | None:
    """The DSN of the command line: its own, or that of the file."""
    kept: str | None = ctx.meta.get(_KEPT_AS)
    if kept is not None and given is not None:
        raise UsageError("Both --dsn and --dsn-file were given.", kept="Nothing was changed.", todo="Give one.")
    return given if kept is None else kept


def with_dsn_file(command: Any) -> Any:
    """Add `--dsn-file` to a command and to all below it, wherever there is `--dsn`."""
    for child in getattr(command, "commands", {}).values():
        with_dsn_file(child)
    if any(parameter.name == "dsn" for parameter in command.params):
        command.params.append(_option())
    return command


def _option() -> Any:
    carrier = typer.Typer()
    carrier.command()(_carry)
    return next(each for each in typer.main.get_command(carrier).params if each.name == "dsn_file")


def _keep(ctx: typer.Context, file: Path | None) -> None:
    if file is None:
        return
    lines = lines_of(file)
    if len(lines) > 1:
        raise _unreadable(file, "it has more than one line")
    ctx.meta[_KEPT_AS] = lines[0]


def _carry(
    dsn_file: Annotated[
        Path | None,
        typer.Option(
            "--dsn-file",
            metavar="FILE",
            help="A file that holds the DSN: a secret in a command line is read by others.",
            callback=_keep,
            expose_value=False,
            is_eager=True,
            show_default=False,
        ),
    ] = None,
) -> None:
    """Only its option is taken."""


def _unreadable(file: Path, why: str) -> UsageError:
    # Never what is in it.
    return UsageError(f"{file} cannot be used: {why}.", kept="Nothing was changed.", todo="Name another file.")
