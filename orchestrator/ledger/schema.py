"""Installs and removes the ledger's schema: `changeover init` and `changeover uninstall`.

Installing is one transaction behind an advisory lock, and it may be repeated: `changeover.meta` keeps the
version and a checksum of everything that was executed, so a second `init` on the same version touches nothing
(it takes no lock on a table that a run is working with), and a program that is older than the schema refuses.

What is made is its owner's alone, whatever default privileges say; `sql/rights.sql` lists what everybody may execute. A
later version leaves the rights that somebody has given on older tables.

Removing is one DROP of the schema, so nothing can be forgotten. It refuses while a run is active or while
anything outside the schema depends on it (the mirror's triggers on the application's tables, views that call
our functions): those are the plans' objects, and their way out is `rollback`, not a CASCADE. `force` takes them
along. Roles and rights of the database are never touched.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import tuple_row

from orchestrator.kernel import locks, sqlfiles
from orchestrator.ledger.errors import SchemaRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

VERSION: Final = 1
_SHOWN: Final = 8


def install(conn: psycopg.Connection[Any]) -> bool:
    """Bring the schema to this version. False if it stood there already.

    Joins the caller's transaction; all of it is there afterwards, or nothing.
    """
    from orchestrator.ledger.script import checksum, script  # noqa: PLC0415 - brings SQLAlchemy along

    with conn.transaction():
        conn.execute(_load("install_lock.sql"))
        found = installed(conn)
        if found == (VERSION, checksum()):
            return False
        if found is None:
            _create_schema(conn)
        known = [row[0] for row in conn.cursor(row_factory=tuple_row).execute(_load("relations.sql"))]
        with _pinned_path(conn):
            for statement in script():
                conn.execute(statement)
            conn.execute(_load("relations_private.sql"), {"known": known})
            conn.execute(_load("meta_write.sql"), {"version": VERSION, "checksum": checksum()})
    return True


def uninstall(
    conn: psycopg.Connection[Any],
    *,
    force: bool = False,
    attempts: int = locks.ATTEMPTS,
    on_retry: Callable[[int, str], None] | None = None,
) -> bool:
    """Drop schema `changeover` and all that is in it. False if there was none.

    Needs a connection without an open transaction: the DROP waits for locks in short attempts only.
    """
    if not _exists(conn):
        return False

    def drop(inside: psycopg.Connection[Any]) -> None:
        # Looked at under the lock that `install` takes, in the transaction that drops.
        if not force:
            _refuse_while_in_use(inside)
        inside.execute("DROP SCHEMA IF EXISTS changeover CASCADE")

    locks.run_bounded(conn, _load("install_lock.sql"), within=drop, attempts=attempts, on_retry=on_retry)
    return True


def installed(conn: psycopg.Connection[Any]) -> tuple[int, str] | None:
    """Version and checksum of the schema in this database, None without one.

    Refuses a newer one, for every command: what this program does not know of it, it would leave undone.
    """
    rows = conn.cursor(row_factory=tuple_row)
    if rows.execute("SELECT to_regclass('changeover.meta')").fetchone() == (None,):
        return None
    found = rows.execute("SELECT version, checksum FROM changeover.meta").fetchone()
    if found is not None and found[0] > VERSION:
        raise SchemaRefusedError(
            f"Schema changeover has version {found[0]}, this program knows {VERSION} at most.",
            kept="Nothing was changed.",
            todo="Use the program that installed it, or a newer one.",
        )
    return found


def current(conn: psycopg.Connection[Any]) -> bool:
    """Has this very version of the program installed the schema?"""
    from orchestrator.ledger.script import checksum  # noqa: PLC0415 - brings SQLAlchemy along

    return installed(conn) == (VERSION, checksum())


def in_use(conn: psycopg.Connection[Any]) -> list[str]:
    """What speaks against removing the schema, one sentence each: active runs, objects that depend on it."""
    if installed(conn) is None:
        return []
    return [str(row[0]) for row in conn.cursor(row_factory=tuple_row).execute(_load("in_use.sql"))]


def _refuse_while_in_use(conn: psycopg.Connection[Any]) -> None:
    reasons = in_use(conn)
    if reasons:
        shown = "; ".join(reasons[:_SHOWN])
        more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
        raise SchemaRefusedError(
            f"Schema changeover is in use: {shown}{more}.",
            kept="Nothing was removed.",
            todo="Roll the plans back, or finish them. `--force` removes all of this along with the schema.",
        )


def _create_schema(conn: psycopg.Connection[Any]) -> None:
    """Create it; one that an administrator has made for us will do, one with other people's tables will not."""
    if not _exists(conn):
        conn.execute("CREATE SCHEMA changeover")
        conn.execute(_load("schema_private.sql"))
        return
    occupied = conn.cursor(row_factory=tuple_row).execute(_load("occupied.sql")).fetchone()
    if occupied is not None:
        raise SchemaRefusedError(
            f"There is a schema changeover that is not ours: it holds {occupied[0]} and no changeover.meta.",
            kept="Nothing was changed.",
            todo="Rename or remove that schema; the ledger needs this name.",
        )


def _exists(conn: psycopg.Connection[Any]) -> bool:
    found = conn.cursor(row_factory=tuple_row).execute("SELECT to_regnamespace('changeover')").fetchone()
    return found is not None and found[0] is not None


@contextmanager
def _pinned_path(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Bind what is created to pg_catalog, and give the caller's transaction its path back."""
    before = conn.cursor(row_factory=tuple_row).execute("SELECT current_setting('search_path')").fetchone()
    conn.execute("SET LOCAL search_path = pg_catalog, pg_temp")
    yield
    conn.execute("SELECT set_config('search_path', %s, true)", before)


def _load(file: str) -> str:
    return sqlfiles.load(__package__, file)
