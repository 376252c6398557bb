"""Who else holds the advisory locks that ours are.

Anybody who may connect can take any advisory lock, and keep it as long as the session lasts. So where a wait for a lock
ends in vain, sessions of other roles that hold one of our keys are named, with what ends them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import pq
from psycopg.rows import tuple_row

from orchestrator.kernel.errors import LOCK_NOT_AVAILABLE, ChangeoverError
from orchestrator.kernel.visible import visible

if TYPE_CHECKING:
    import psycopg

# Of the locks of sources, whose first key is 1128419927; of `init`; of who takes a lease over. A lock of one number
# shows it in two halves.
_HELD: Final = """
SELECT DISTINCT a.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'local')
  FROM pg_catalog.pg_locks AS k
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = k.pid
 WHERE k.locktype = 'advisory' AND k.granted AND a.usename IS DISTINCT FROM session_user
   AND k.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
   AND CASE k.objsubid
           WHEN 2 THEN k.classid::bigint = 1128419927
           ELSE (k.classid::bigint << 32) | k.objid::bigint
                IN (109300063106674, hashtextextended('changeover.lease', 0))
       END
 ORDER BY 1
 LIMIT 5
"""

_ASKABLE: Final = {pq.TransactionStatus.IDLE, pq.TransactionStatus.INTRANS}


def others(conn: psycopg.Connection[Any]) -> list[tuple[int, str]]:
    """Sessions of other roles that hold one of our locks: process number, and who it is in words."""
    rows = conn.cursor(row_factory=tuple_row).execute(_HELD).fetchall()
    return [
        (pid, f"pid {pid} ({', '.join(visible(each) for each in (role, name, address) if each)})")
        for pid, role, name, address in rows
    ]


def ending(pids: list[int]) -> str:
    """What ends them."""
    calls = ", ".join(f"`SELECT pg_terminate_backend({pid})`" for pid in pids)
    return f"As a superuser, {calls}; then take CONNECT from that role, or ask what it is for."


def blamed(conn: psycopg.Connection[Any], error: ChangeoverError) -> ChangeoverError:
    """The error of a wait in vain, with those who hold a lock of ours; any other error as it is."""
    if (
        error.sqlstate != LOCK_NOT_AVAILABLE
        or conn.info.transaction_status not in _ASKABLE
        or not (found := others(conn))
    ):
        return error
    error.what = f"{error.what.rstrip('.')}. An advisory lock of ours is held by {'; '.join(who for _, who in found)}."
    error.todo = f"{ending([pid for pid, _ in found])} {error.todo}"
    return error
