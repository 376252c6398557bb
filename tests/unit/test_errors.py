"""Errors carry their exit code, and drivers' errors are judged by SQLSTATE."""

from __future__ import annotations

import asyncpg
import psycopg
import pytest

from orchestrator.kernel import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.RetryableError, 1),
        (errors.UsageError, 2),
        (errors.GateUnmetError, 3),
        (errors.MismatchError, 4),
        (errors.RefusedError, 5),
        (errors.LockTimeoutError, 7),
    ],
)
def test_exit_codes_are_a_promise(kind: type[errors.ChangeoverError], code: int) -> None:
    assert kind("x").exit_code == code


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (psycopg.errors.DiskFull("x"), "Make room on the server's disk"),
        (psycopg.errors.TooManyConnections("x"), "max_connections"),
        (psycopg.errors.ConfigurationLimitExceeded("x"), "Raise the limit"),
        (psycopg.errors.OutOfMemory("x"), "Run the same command again"),
    ],
)
def test_what_is_used_up_is_named_before_one_tries_again(raised: psycopg.Error, words: str) -> None:
    error = errors.translate(raised)
    assert words in error.todo
    assert error.todo.endswith("it goes on from the last committed step.")


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (psycopg.errors.LockNotAvailable("x"), errors.LockTimeoutError),
        (psycopg.errors.DeadlockDetected("x"), errors.RetryableError),
        (psycopg.errors.SerializationFailure("x"), errors.RetryableError),
        (psycopg.errors.QueryCanceled("x"), errors.RetryableError),
        (psycopg.errors.AdminShutdown("x"), errors.RetryableError),
        (psycopg.errors.DiskFull("x"), errors.RetryableError),
        (psycopg.errors.InsufficientPrivilege("x"), errors.RefusedError),
        (psycopg.errors.UndefinedTable("x"), errors.RefusedError),
        (psycopg.errors.InvalidPassword("x"), errors.UsageError),
        (psycopg.errors.InvalidCatalogName("x"), errors.UsageError),
        (psycopg.OperationalError("no connection"), errors.RetryableError),
        (psycopg.ProgrammingError("bad DSN"), errors.UsageError),
        (asyncpg.exceptions.LockNotAvailableError("x"), errors.LockTimeoutError),
        (asyncpg.exceptions.ConnectionDoesNotExistError("x"), errors.RetryableError),
        (ConnectionRefusedError("x"), errors.RetryableError),
    ],
)
def test_a_drivers_error_becomes_ours(raised: Exception, kind: type[errors.ChangeoverError]) -> None:
    translated = errors.translate(raised)
    assert type(translated) is kind
    assert translated.kept
    assert translated.sqlstate == errors.sqlstate_of(raised)


def test_ours_stays_as_it_is() -> None:
    error = errors.GateUnmetError("What.", kept="Kept.", todo="Do.")
    assert errors.translate(error) is error
    assert str(error) == "What. Kept. Do."
