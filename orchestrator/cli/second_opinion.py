"""Why a connection failed: libpq tells it in words only, so the other driver is asked for the SQLSTATE.

A wrong password and a server that is starting up are told apart by their SQLSTATE (28P01 is the user's mistake, 57P03
passes), and psycopg has none for an attempt to connect. asyncpg has. It is asked only after a failure, with what libpq
used, and when it knows no better the first answer stands.
"""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Final

import asyncpg
import psycopg
from psycopg.conninfo import make_conninfo

from orchestrator.kernel.connections import asyncpg_uri
from orchestrator.kernel.errors import ChangeoverError, RetryableError, UsageError, translate

_SECONDS: Final = 5.0


def reconsider(error: ChangeoverError) -> ChangeoverError:
    """The same failure with its SQLSTATE, where it was one to connect and the server gave a reason."""
    cause = error.__cause__
    if not isinstance(error, RetryableError) or error.sqlstate is not None:
        return error
    if not isinstance(cause, psycopg.OperationalError):
        return error
    if isinstance(cause.__cause__ or cause.__context__, socket.gaierror):
        return _unresolved(error, cause.__cause__ or cause.__context__)
    if cause.pgconn is None:
        return error
    used = {option.keyword.decode(): option.val.decode() for option in cause.pgconn.info if option.val}
    return _asked(error, used)


def _asked(error: ChangeoverError, used: dict[str, str]) -> ChangeoverError:
    """What the other driver says of the same attempt, where it knows better."""
    try:
        asyncio.run(_knock(asyncpg_uri(make_conninfo(**used))))
    except asyncpg.PostgresError as second:
        better = translate(second)
        better.kept = "Nothing was changed."
        return better
    except (ValueError, OverflowError) as second:
        return _never(error, str(second))
    except FileNotFoundError:
        host = used.get("host", "")
        is_there = not host.startswith("/") or Path(host).is_dir()
        return error if is_there else _never(error, f"there is no directory {host}")
    except (OSError, asyncpg.InterfaceError) as second:
        return _unresolved(error, second)
    return error


def _unresolved(error: ChangeoverError, second: BaseException | None) -> ChangeoverError:
    """A host's name that nobody knows; a name server that does not answer may do so later."""
    if isinstance(second, socket.gaierror) and second.errno != socket.EAI_AGAIN:
        return _never(error, second.strerror or str(second))
    return error


def _never(error: ChangeoverError, why: str) -> UsageError:
    """The DSN names something that no server can be at, however often one tries."""
    words = f"No connection to PostgreSQL can be had with this DSN: {why.rstrip('.')}."
    return UsageError(words, kept="Nothing was changed.", todo=f"Correct the DSN. The driver said: {error.what}")


async def _knock(uri: str) -> None:
    conn = await asyncpg.connect(uri, timeout=_SECONDS, statement_cache_size=0)
    await conn.close()
