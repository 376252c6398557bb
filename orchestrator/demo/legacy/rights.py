"""The rights of the application's role: rows of the legacy tables and of what replaces them, no more."""

from __future__ import annotations

from orchestrator.kernel.connections import connect
from orchestrator.kernel.sqlfiles import load


def grant_application(dsn: str, role: str) -> None:
    """Give the role its rights, as the owner behind `dsn`; may be repeated, for schemas that came later."""
    with connect(dsn, role="demo") as conn, conn.transaction():
        # A DO block takes no parameters; a setting of the transaction carries the name.
        conn.execute("SELECT set_config('changeover_demo.application', %s, true)", (role,))
        conn.execute(load(__package__, "rights.sql"))
