"""Connections: one place that opens them, so that every one of them is recognisable and the same.

psycopg is the control plane (DDL, ledger, command line); asyncpg moves rows and listens. Both get the
application name `changeover/<role>` (an operator finds us in pg_stat_activity, and probes can leave us
out), the time zone UTC (a timestamptz cast to a date must not move with somebody's session), standard
strings (a backslash in '…' is a backslash, as `sqllexer` reads it) and TCP keepalives (a runner cut off
from the server should notice before its lease is long gone). What `ALTER ROLE … SET` says for
applications is set aside. A DSN may be a URI or libpq's `key=value`
form; asyncpg knows only URIs, so it is given one made from the parts.
"""

from __future__ import annotations

import socket
from typing import Final
from urllib.parse import quote, urlencode

import asyncpg
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import set_json_dumps, set_json_loads

from orchestrator.kernel import documents

_DEFAULTS: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}

# What asyncpg understands in the query of a URI. It would send any other key to the server as a
# setting, and the server refuses names it does not know (`connect_timeout`, for one).
_ASYNCPG_KEYS: Final = (
    *("host", "port", "dbname", "user", "password", "passfile", "target_session_attrs", "krbsrvname", "options"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword"),
)

LOCK_TIMEOUT: Final = "10s"
"""No statement waits longer for a lock than this, unless it says so: even a look at a table stands behind somebody
who holds it exclusively, and a command that hangs tells nobody why."""

_SETTINGS: Final = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmloption": "content",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    "check_function_bodies": "on",
    "client_min_messages": "notice",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "jit": "off",
    "idle_session_timeout": "0",
}
"""What a role or a database may have set for its applications, and what is fixed here: how values are spelt and read,
what a transaction sees, how long ours may take. No plan is compiled to machine code: the planner guesses a look at the
catalog, or at a table that was just filled, so dear that compiling took a third of the server's work in a whole run."""

_SINCE_17: Final = {"transaction_timeout": "0"}
_VERSION_17: Final = 17

_LOCK_TIMEOUT: Final = (
    f"set_config('lock_timeout', coalesce(nullif(current_setting('lock_timeout'), '0'), '{LOCK_TIMEOUT}'), false)"
)

_SECRETS: Final = ("password", "sslpassword", "passfile")


def connect(dsn: str, *, autocommit: bool = True, role: str = "control") -> psycopg.Connection:
    """Open a control connection.

    Statements are never prepared on the server behind our back (`prepare_threshold=None`): the control
    plane gains nothing by it and a transaction pooler loses such statements.
    """
    given = conninfo_to_dict(dsn)
    missing = {key: value for key, value in _DEFAULTS.items() if key not in given}
    conninfo = make_conninfo(dsn, **missing, application_name=f"changeover/{role}", client_encoding="UTF8")
    try:
        conn = psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)
    except psycopg.OperationalError as exc:
        # psycopg looks names up by itself and keeps to itself why one is not known.
        raise exc from (_unresolved(str(given.get("host") or "")) if exc.pgconn is None else exc.__cause__)
    try:
        # By statement, not by the startup packet's `options`: that would replace the user's own.
        conn.execute(f"{_settings(conn.info.server_version // 10_000)}, {_LOCK_TIMEOUT}".encode())
        set_json_loads(documents.read, conn)
        set_json_dumps(documents.write, conn)
        conn.autocommit = autocommit
    except BaseException:
        conn.close()
        raise
    return conn


async def connect_rows(dsn: str, role: str = "rows") -> asyncpg.Connection:
    """Open a connection for moving rows or listening. No statement cache, for the poolers' sake."""
    conn: asyncpg.Connection = await asyncpg.connect(
        asyncpg_uri(dsn),
        timeout=10,
        statement_cache_size=0,
        server_settings={"application_name": f"changeover/{role}"},
    )
    try:
        await conn.execute(_settings(conn.get_server_version().major), timeout=10)
    except BaseException:
        conn.terminate()
        raise
    return conn


def _settings(major: int) -> str:
    settings = _SETTINGS | (_SINCE_17 if major >= _VERSION_17 else {})
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())


def _unresolved(hosts: str) -> socket.gaierror | None:
    """Why the first of these hosts has no address, where it has none."""
    try:
        socket.getaddrinfo(hosts.partition(",")[0], None)
    except socket.gaierror as exc:
        return exc
    return None


def asyncpg_uri(dsn: str) -> str:
    """Rewrite any DSN that libpq reads as a URI that asyncpg reads, everything in the query part."""
    given = conninfo_to_dict(dsn)
    known = {key: str(given[key]) for key in _ASYNCPG_KEYS if given.get(key) is not None}
    return "postgresql://?" + urlencode(known, quote_via=quote)


def redacted(dsn: str) -> str:
    """Return the DSN for eyes and logs: without anything secret, and nothing at all if unreadable."""
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        return "<unreadable DSN>"
    return " ".join(f"{key}={value}" for key, value in given.items() if key not in _SECRETS)
