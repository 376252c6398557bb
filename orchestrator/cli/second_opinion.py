"""Why a connection failed: libpq tells it in words only, so the other driver is asked for the SQLSTATE.

A wrong password and a server that is starting up are told apart by their SQLSTATE (28P01 is the user's mistake, 57P03
passes), and psycopg has none for an attempt to connect. asyncpg has. It is asked only after a failure, with what libpq
used, and when it knows no better the first answer stands.
"""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg
import psycopg
from psycopg.conninfo import make_conninfo

from orchestrator.kernel.connections import asyncpg_uri
from orchestrator.kernel.errors import ChangeoverError, RetryableError, translate

_SECONDS: Final = 5.0


def reconsider(error: ChangeoverError) -> ChangeoverError:
    """The same failure with its SQLSTATE, where it was one to connect and the server gave a reason."""
    cause = error.__cause__
    if not isinstance(error, RetryableError) or error.sqlstate is not None:
        return error
    if not isinstance(cause, psycopg.OperationalError) or cause.pgconn is None:
        return error
    used = {option.keyword.decode(): option.val.decode() for option in cause.pgconn.info if option.val}
    try:
        asyncio.run(_knock(asyncpg_uri(make_conninfo(**used))))
    except asyncpg.PostgresError as second:
        better = translate(second)
        better.kept = "Nothing was changed."
        return better
    except (OSError, asyncpg.InterfaceError, ValueError):
        return error
    return error


async def _knock(uri: str) -> None:
    conn = await asyncpg.connect(uri, timeout=_SECONDS, statement_cache_size=0)
    await conn.close()
