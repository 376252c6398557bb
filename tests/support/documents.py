"""What the document of a pack defines, written down from it, and what of that a database does not have.

A file of `tests/acceptance/documents/` has a relation on a line, and what belongs to it indented below, in the words of
`tests/acceptance/sql/catalog.sql`; `rows 5` is a number of rows. Names of constraints are left out.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from tests.architecture.source import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.database import Database

FOLDER: Final = ROOT / "tests/acceptance/documents"
_CAST: Final = re.compile(r"::(character varying|text|numeric|integer|boolean)(\[\])?")


def plain(line: str) -> str:
    """Without casts, and where there is a condition without brackets: PostgreSQL sets them as the statement was written."""
    line = _CAST.sub("", line)
    head, where, condition = line.partition(" WHERE ")
    if line.startswith("CHECK"):
        head, condition = "", line
    return head + where + condition.replace("(", "").replace(")", "")


def document(name: str) -> set[str]:
    """The lines of a document."""
    found, relation = set(), ""
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        if line.startswith("    "):
            found.add(f"{relation}: {line.strip()}")
        else:
            relation = line
            found.add(relation)
    return found


def catalog(database: Database) -> set[str]:
    """The lines of a database."""
    query = (ROOT / "tests/acceptance/sql/catalog.sql").read_text(encoding="utf-8")
    return {f"{relation}: {plain(line)}" if line else relation for relation, line in database.rows(query)}


def counted(database: Database, lines: set[str]) -> set[str]:
    """The lines about rows, as the database has them."""
    tables = [line.partition(": rows ")[0] for line in lines if ": rows " in line]
    return {f"{table}: rows {database.value(f'SELECT count(*) FROM {table.split(maxsplit=1)[1]}')}" for table in tables}


def unexplained(name: str, database: Database, reasons: Mapping[str, str]) -> list[str]:
    """Lines that are missing without a reason, and reasons that explain nothing or that the pack's README does not say.

    `reasons` has patterns of lines, each with words of the README.
    """
    said = files("orchestrator.plans").joinpath(f"{name}/README.md").read_text(encoding="utf-8")
    wanted = document(name)
    missing = wanted - catalog(database) - counted(database, wanted)
    left = sorted(line for line in missing if not any(re.search(pattern, line) for pattern in reasons))
    idle = [pattern for pattern in reasons if not any(re.search(pattern, line) for line in missing)]
    unsaid = [words for words in reasons.values() if words not in said]
    return [*left, *(f"explains nothing: {each}" for each in idle), *(f"not in the README: {each}" for each in unsaid)]
