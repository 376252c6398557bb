"""The flags' part of schema `changeover`, handed to whoever installs it (the ledger's `install`).

The scripts can be repeated. They define two functions that others replace or use: `flag_gate`, the door
before a stage that reads the new tables (open here; the ledger's own asks for a clean verification), and
`append_only`, the trigger function of tables that only grow.
"""

from __future__ import annotations

from typing import Final

from orchestrator.kernel import sqlfiles

_SCRIPTS: Final = ("tables.sql", "gate.sql", "append_only.sql", "triggers.sql", "functions.sql", "shadow.sql")


def scripts() -> list[str]:
    """What to execute, in order, once schema `changeover` exists."""
    return [sqlfiles.load(__package__, file) for file in _SCRIPTS]
