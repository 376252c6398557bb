"""The one place that turns an error into a message and an exit code.

Every error of ours says what happened, what was kept and what to do; here the three are laid out for a person, or
as a JSON object where `--json` was asked for. A mistake of the user never shows a traceback. What is none of ours and
none of the database's is a bug: then the traceback is the message, on standard error, with code 1.

====  ==========================================================================
0     done
1     may succeed when run again
2     the command, the settings or the plan is wrong
3     a gate is not met
4     a comparison found differences
5     drift, missing rights, a state that does not allow the step
7     a lock was not given in time; nothing was changed
130   interrupted (Ctrl-C); what was committed is kept
====  ==========================================================================
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

import asyncpg
import psycopg
import typer

from orchestrator.cli import output
from orchestrator.cli.second_opinion import reconsider
from orchestrator.kernel.errors import ChangeoverError, UsageError, translate
from orchestrator.observability.logs import scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

# typer brings click along under a name of its own; its base class of usage errors is the same in every version.
_PARSING: Final = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
_DRIVER: Final = (psycopg.Error, asyncpg.PostgresError, asyncpg.InterfaceError)


class InterruptError(ChangeoverError):
    """Ctrl-C, or a SIGTERM."""

    exit_code: ClassVar[int] = 130

    def __init__(self) -> None:
        """There is only one thing to say."""
        super().__init__(
            "Interrupted.",
            kept="Every committed batch and action is kept; the one in hand was rolled back.",
            todo="Run the same command again: it goes on from there. `changeover status` shows how far it is.",
        )


class OutputError(ChangeoverError):
    """What was to be printed found no room."""

    exit_code: ClassVar[int] = 1

    def __init__(self, error: OSError) -> None:
        """Say what the system said."""
        super().__init__(
            f"The output could not be written: {error.strerror or error}.",
            kept="What was committed is kept.",
            todo="Make room, or write it elsewhere; `changeover status` shows what there is.",
        )


class FailedChecksError(ChangeoverError):
    """What was asked for was looked at, and is not good; the findings have been printed."""

    exit_code: ClassVar[int] = 5


class PlanComplaintsError(UsageError):
    """The lint has found errors; they have been printed."""


def report(exc: BaseException, argv: Sequence[str]) -> int:
    """Say what happened, and return the exit code."""
    error, log = _ours(exc), _is_log(argv)
    trace = "" if error is not None else scrub("".join(traceback.format_exception(exc)).rstrip())
    if error is None:
        if not log:
            output.tell(trace, lines=True)
        error = ChangeoverError(
            f"This is a fault in Changeover: {type(exc).__name__}: {exc}",
            kept="What was committed is kept.",
            todo="Please report it with the lines above.",
        )
    with suppress(OSError):  # nobody reads any more, or there is no room for it: the code says it alone
        if log:
            _log(error, trace)
        else:
            _print(error, as_json="--json" in argv)
    return error.exit_code


def as_fields(error: ChangeoverError) -> dict[str, Any]:
    """The error as `--json` prints it."""
    return {
        "what": scrub(error.what),
        "kept": error.kept,
        "todo": error.todo,
        "exit_code": error.exit_code,
        "error": type(error).__name__,
        "sqlstate": error.sqlstate,
    }


def _is_log(argv: Sequence[str]) -> bool:
    """Whether standard error is a log of JSON lines: that of a job that no person looks at."""
    form = os.environ.get("CHANGEOVER_LOG__FORMAT", "auto")
    is_job = next(iter(argv), "") == "run" and not sys.stderr.isatty()
    return is_job and form != "console" and not {"--help", "-h"} & set(argv)


def _log(error: ChangeoverError, trace: str) -> None:
    """The last line of a job's log."""
    line = {"event": "job.error", "level": "error", "timestamp": datetime.now(UTC).isoformat(), **as_fields(error)}
    sys.stderr.write(output.as_json({**line, **({"traceback": trace} if trace else {})}, indent=None) + "\n")


def _ours(exc: BaseException) -> ChangeoverError | None:
    if isinstance(exc, ChangeoverError):
        return reconsider(exc)
    if isinstance(exc, KeyboardInterrupt):
        return InterruptError()
    if isinstance(exc, typer.Abort):
        return UsageError("Not confirmed.", kept="Nothing was changed.")
    if isinstance(exc, _PARSING):
        return _usage(exc)
    if isinstance(exc, (*_DRIVER, ConnectionError, TimeoutError)) and isinstance(exc, Exception):
        error = translate(exc)
        error.__cause__ = exc
        return reconsider(error)
    return OutputError(exc) if isinstance(exc, OSError) and exc.errno in _NO_ROOM else None


def _usage(exc: Any) -> ChangeoverError:
    """What the parser said, with the command whose help says more."""
    context = getattr(exc, "ctx", None)
    command = context.command_path if context is not None else "changeover"
    said = exc.format_message() or "No command was given."
    return UsageError(said, kept="Nothing was changed.", todo=f"See `{command} --help`.")


def _print(error: ChangeoverError, *, as_json: bool) -> None:
    if as_json:
        sys.stderr.write(output.as_json(as_fields(error), indent=None) + "\n")
        return
    output.tell(f"Error: {scrub(error.what)}", "bold red")
    if error.kept:
        output.tell(f"  Kept:  {error.kept}")
    if error.todo:
        output.tell(f"  To do: {error.todo}")
