"""The engine's fixed SQL: the files of `sql/`, for all folders of the engine."""

from __future__ import annotations

from orchestrator.kernel import sqlfiles


def load(file: str) -> str:
    """The text of one of them."""
    return sqlfiles.load(__package__, file)
