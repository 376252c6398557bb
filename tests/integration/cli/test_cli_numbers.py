"""Numbers that operators read in names (`changeover_a000001_ins`, `m1_apply`) have no gaps of what was only tried."""

from __future__ import annotations

import pytest

from tests.support.cases import EXAMPLE, TICKETS
from tests.support.cli import Cli
from tests.support.database import Databases

pytestmark = pytest.mark.newest


def test_trials_leave_no_gaps(databases: Databases) -> None:
    database = databases.clone("chaos example", EXAMPLE.build)
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("plan", "check", "example")
    cli.ok("plan", "show", "example", "--sql")
    cli.ok("start", "example", "--until", "verify")
    assert database.value("SELECT array_agg(id ORDER BY id) FROM changeover.mapping") == [1]
    assert database.value("SELECT array_agg(id ORDER BY id) FROM changeover.source") == [1, 2]


def test_a_trial_takes_no_number_of_an_old_table(databases: Databases) -> None:
    database = databases.clone("numbers tickets", TICKETS.build)
    numbers = "SELECT array_agg((schemaname, sequencename, last_value)::text ORDER BY 1) FROM pg_sequences WHERE schemaname <> 'changeover'"
    before = database.value(numbers)
    assert before
    cli = Cli(database.dsn)
    cli.ok("plan", "check", TICKETS.plan)
    cli.ok("init")
    cli.ok("start", TICKETS.plan, "--until", "verify", "--kind", "rehearsal")
    cli.ok("rollback", "--yes", "--plan", TICKETS.plan)
    assert database.value(numbers) == before
