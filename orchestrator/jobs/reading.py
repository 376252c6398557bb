"""Reading the ledger for `/metrics`: one statement over a connection that is kept, and the gates of each stage.

The statement has its own short timeout: a scrape must neither hang nor become a load. What a gate asks is decided by
the engine, which needs the plan; where the plan at hand is not the one that runs, its gates are left out.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine import commands
from orchestrator.kernel import sqlfiles
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import ChangeoverError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from orchestrator.observability.state import Row

_TIMEOUT: Final = "SET statement_timeout = '5s'; SET lock_timeout = '1s'; SET default_transaction_read_only = on"


class Reader:
    """Reads again and again."""

    def __init__(self, dsn: str) -> None:
        """Connect at the first reading."""
        self._dsn = dsn
        self._conn: psycopg.Connection[Any] | None = None

    def __call__(self) -> list[Row]:
        """Read everything; a lost connection is replaced at the next call."""
        try:
            if self._conn is None:
                self._conn = connect(self._dsn, role="metrics")
                self._conn.execute(_TIMEOUT)
            rows: list[Row] = self._conn.execute(sqlfiles.load(__package__, "state.sql")).fetchall()
            plans = {labels[0] for name, labels, _ in rows if name == "run_state" and labels[2] == "active"}
            return [*rows, *(row for plan in plans for row in self._gates(plan))]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _gates(self, plan: str) -> Iterator[Row]:
        with suppress(ChangeoverError):
            for gate in commands.gate_list(self._dsn, plan):
                yield "gate_met", (plan, gate["stage"], gate["gate"]), float(gate["met"])
