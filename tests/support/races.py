"""Applications that write the same rows at the same time, on real connections, as fast as they can.

Each writer sends its transactions again and again until the time is up. Counted is what each was told: committed, or the
SQLSTATE that ended the transaction. Nothing is tried again, so that a failure is seen.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMITTED = "committed"


@dataclass(frozen=True)
class Writer:
    """One connection: the statements of its transaction, and what the counters call it."""

    name: str
    statements: tuple[str, ...]
    adds: int = 1
    """What a transaction adds to the value that the race is about."""
    pause_s: float = 0.0
    """How long it does nothing between two transactions, on the average: as requests come, not in step with others."""


def race(dsn: str, writers: Sequence[Writer], seconds: float) -> dict[str, Counter[str]]:
    """Let them write; how the transactions of each name ended."""
    told: dict[str, Counter[str]] = {each.name: Counter() for each in writers}
    ready, noted = threading.Barrier(len(writers)), threading.Lock()

    def write(writer: Writer) -> None:
        ends: Counter[str] = Counter()
        with psycopg.connect(dsn, autocommit=True) as conn:
            ready.wait()
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                ends[_once(conn, writer.statements)] += 1
                if writer.pause_s:
                    time.sleep(random.expovariate(1 / writer.pause_s))
        with noted:
            told[writer.name] += ends

    running = [threading.Thread(target=write, args=(each,)) for each in writers]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return told


def _once(conn: psycopg.Connection, statements: tuple[str, ...]) -> str:
    try:
        if len(statements) == 1:
            conn.execute(statements[0].encode())  # no BEGIN: a statement by itself
        else:
            with conn.transaction():
                for each in statements:
                    conn.execute(each.encode())
    except psycopg.Error as exc:
        return exc.sqlstate or type(exc).__name__
    return COMMITTED
