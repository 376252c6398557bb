"""Fixed SQL lives in `.sql` files of the package that uses it; this reads them.

They are read through `importlib.resources`, so they are found in an installed wheel too, and kept in
memory: a file of an installed package does not change under a running process.
"""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def load(package: str, file: str) -> str:
    """Return `sql/<file>` of a package: `load(__package__, "claim_lease.sql")`."""
    return resources.files(package).joinpath("sql", file).read_text(encoding="utf-8")
