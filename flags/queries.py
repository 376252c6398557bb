"""The fixed SQL of the application's part: `sql/<file>` beside this module, wherever it is installed."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def load(file: str) -> str:
    """The text of a file."""
    return resources.files(__package__).joinpath("sql", file).read_text(encoding="utf-8")
