"""Errors that tell an operator what happened, what was kept, and what to do next.

An error of ours is a type with fields, not a text. The type decides the exit code of the process
(`exit_code`), so scripts can branch on it; the three fields are what the command line prints. Errors
of the drivers are turned into ours in one place, `translate`, and by SQLSTATE only: the text of a
server message depends on its language (`lc_messages`) and its version, the SQLSTATE does not.
"""

from __future__ import annotations

from typing import ClassVar, Final

import psycopg

LOCK_NOT_AVAILABLE: Final = "55P03"
DEADLOCK_DETECTED: Final = "40P01"
SERIALIZATION_FAILURE: Final = "40001"
QUERY_CANCELED: Final = "57014"
INSUFFICIENT_PRIVILEGE: Final = "42501"
READ_ONLY: Final = "25006"

_NOTHING_COMMITTED: Final = "The transaction was rolled back; everything committed before it is kept."
_RERUN: Final = "Run the same command again: it goes on from the last committed step."


class ChangeoverError(Exception):
    """Base of every error that a user may see.

    `what` happened, what was `kept` (or not changed), and what is `todo` now.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, kept: str = "", todo: str = "", sqlstate: str | None = None) -> None:
        """Keep the three sentences apart: the command line lays them out, JSON output names them."""
        super().__init__(what)
        self.what = what
        self.kept = kept
        self.todo = todo
        self.sqlstate = sqlstate

    def __str__(self) -> str:
        """All that is known, in reading order."""
        return " ".join(part for part in (self.what, self.kept, self.todo) if part)


class RetryableError(ChangeoverError):
    """Nothing is wrong with the plan or the data: the same command may succeed when run again."""

    exit_code = 1


class UsageError(ChangeoverError):
    """The command, the settings or the plan is wrong; running it again changes nothing."""

    exit_code = 2


class GateUnmetError(ChangeoverError):
    """A condition before the next step does not hold yet."""

    exit_code = 3


class MismatchError(ChangeoverError):
    """A comparison found rows that differ."""

    exit_code = 4


class RefusedError(ChangeoverError):
    """The program, or the server, refuses: drift, missing rights, a state that does not allow the step."""

    exit_code = 5


class LockTimeoutError(ChangeoverError):
    """A lock was not given within the agreed number of short attempts; nothing was changed."""

    exit_code = 7


# By SQLSTATE, or by its class (the first two characters); what is not listed is a refusal.
_KINDS: Final[dict[str, tuple[type[ChangeoverError], str]]] = {
    LOCK_NOT_AVAILABLE: (LockTimeoutError, _RERUN),
    DEADLOCK_DETECTED: (RetryableError, _RERUN),
    SERIALIZATION_FAILURE: (RetryableError, _RERUN),
    "08": (RetryableError, _RERUN),  # connection lost
    "53": (RetryableError, _RERUN),  # disk, memory or connections used up
    "53100": (RetryableError, f"Make room on the server's disk. {_RERUN}"),
    "53300": (RetryableError, f"Close connections of others, or raise max_connections. {_RERUN}"),
    "53400": (RetryableError, f"Raise the limit that it names, for this role. {_RERUN}"),
    "57": (RetryableError, _RERUN),  # cancelled, shut down, starting up
    "28": (UsageError, "Check user and password in the DSN."),
    "3D": (UsageError, "Check the database name in the DSN."),
    INSUFFICIENT_PRIVILEGE: (RefusedError, "`changeover doctor` lists the rights that are missing."),
    "0A": (RefusedError, "This server cannot do that; see what the plan asks of it, or use a newer server."),
    "22": (RefusedError, "A value does not fit: mend the row or the expression, then run the same command again."),
    "23": (
        RefusedError,
        "A row breaks a rule of its table: mend the row or the rule, then run the same command again.",
    ),
    READ_ONLY: (
        RefusedError,
        "It is a replica, or default_transaction_read_only is on: `changeover doctor` says which, and what to do.",
    ),
    "25": (
        RefusedError,
        "The session is in a transaction that failed or does not fit: run the same command again.",
    ),
    "2B": (RefusedError, "Drop what depends on it, or make it depend on something else."),
    "42": (RefusedError, "Correct the statement or the plan; `changeover plan check` tries every statement out."),
    "54": (RefusedError, "A limit of the server is reached: make the statement smaller, or raise the limit."),
    "55": (RefusedError, "Something is not in the state that this needs; when it is, run the same command again."),
}
_UNDEFINED_COLUMN: Final = "42703"
_OTHERWISE: Final = "The server's log has more on it; when that is mended, run the same command again."


def sqlstate_of(exc: BaseException) -> str | None:
    """Return the SQLSTATE of an error of psycopg or asyncpg (both call it `sqlstate`), if it has one."""
    state = getattr(exc, "sqlstate", None)
    return state if isinstance(state, str) else None


def translate(exc: Exception) -> ChangeoverError:
    """Turn a driver's error into ours; an error that is already ours comes back as it is.

    The caller raises the result `from exc`, so that the driver's own words stay in the chain.
    """
    if isinstance(exc, ChangeoverError):
        return exc
    state = sqlstate_of(exc)
    if state is None:
        return _without_sqlstate(exc)
    kind, todo = _KINDS.get(state) or _KINDS.get(state[:2]) or (RefusedError, _OTHERWISE)
    kept = "Nothing was changed." if kind is UsageError else _NOTHING_COMMITTED
    said = f"{_first_line(exc)}{_meant(exc) if state == _UNDEFINED_COLUMN else ''}"
    return kind(f"PostgreSQL answered {state}: {said}", kept=kept, todo=todo, sqlstate=state)


def _meant(exc: Exception) -> str:
    """The hint of a server that knows a column of a like name; psycopg and asyncpg have it in different places."""
    hint = exc.diag.message_hint if isinstance(exc, psycopg.Error) else getattr(exc, "hint", None)
    return f" ({hint})" if hint else ""


def _without_sqlstate(exc: Exception) -> ChangeoverError:
    """Judge an error that never reached a server, or lost it: only the class of the error is left."""
    what = f"{type(exc).__name__}: {_first_line(exc)}"
    # OSError: asyncpg lets refused and broken sockets through as they are.
    if isinstance(exc, psycopg.OperationalError | psycopg.InterfaceError | OSError):
        return RetryableError(
            f"No connection to PostgreSQL. {what}",
            kept="What was committed is kept.",
            todo="Check that the server is up and that the DSN is right, then run the same command again.",
        )
    if isinstance(exc, psycopg.ProgrammingError):
        return UsageError(what, kept="Nothing was changed.", todo="Check the DSN.")
    return ChangeoverError(what, kept="What was committed is kept.")


def _first_line(exc: Exception) -> str:
    lines = str(exc).strip().splitlines()
    return lines[0] if lines else type(exc).__name__
