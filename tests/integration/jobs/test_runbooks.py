"""What the runbooks tell a person to type is carried out: every query on a ledger, every command on an example."""

from __future__ import annotations

import pytest

from tests.support.cli import Cli
from tests.support.database import Database, Databases
from tests.support.parsing import parse
from tests.support.runbooks import ALERTS, BOOKS, EXAMPLE, Runbook, words
from tests.support.running import LEGACY

pytestmark = pytest.mark.newest

LASTING = {"--serve", "--every"}
"""These go on until somebody ends them."""


def _verified(database: Database) -> None:
    database.run(LEGACY.read_text())
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", "example", "--until", "verify")
    for stage in ("shadow", "live"):
        cli.ok("flag", "promote", EXAMPLE["FLAG"], "--to", stage, "--reason", "all is well", "--yes")


@pytest.fixture
def live(databases: Databases) -> Database:
    """The example plan up to verify, and the readers on the new table."""
    return databases.clone("runbooks", _verified)


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_a_runbook_can_be_followed_to_the_letter(live: Database, book: Runbook) -> None:
    cli = Cli(live.dsn)
    if book.name == "ChangeoverFlagHeld":
        cli.ok("flag", "kill", EXAMPLE["FLAG"], "--reason", "p99 doubled")
    with live.connect() as conn:
        for query in book.queries():
            assert conn.execute(query.encode()).description
    first, back = (words(ALERTS[book.name]["annotations"][each]) for each in ("command", "way_back"))
    for argv in dict.fromkeys(tuple(each) for each in [first, *book.commands(), back]):
        if LASTING & set(argv):
            parse(argv)
        else:
            cli.ok(*argv)
