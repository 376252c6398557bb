"""Numbers that operators read in names (`changeover_a000001_ins`, `m1_apply`) have no gaps of what was only tried."""

from __future__ import annotations

import pytest

from tests.support.cases import EXAMPLE
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
