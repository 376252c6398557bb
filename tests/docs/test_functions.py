"""Every function that plans may call is on its page, and every example gives what the page says."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT
from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = pytest.mark.newest

RIGHTS = (ROOT / "orchestrator/ledger/sql/rights.sql").read_text()
ROWS = re.findall(
    r"^\| `(changeover\.(\w+)\(.*\))` \| (?:`(.*?)`|NULL) \|",
    (ROOT / "docs/plan/functions.md").read_text(),
    re.MULTILINE,
)


def test_every_function_is_there_and_every_example_is_right(database: Database) -> None:
    Cli(database.dsn).ok("init")
    with database.connect() as conn:
        conn.execute("SET timezone = 'UTC'")
        for call, _name, gives in ROWS:
            # Either notation of true and false is what a reader expects.
            query = f"SELECT CASE jsonb_typeof(to_jsonb(x)) WHEN 'boolean' THEN to_jsonb(x)::text ELSE x::text END FROM {call} AS x"
            assert conn.execute(query.encode()).fetchone() == (gives or None,), call
    (listed,) = re.findall(r"for_everybody CONSTANT text\[\] := '\{([^}]*)\}'", RIGHTS)
    to_call = {name for name in re.split(r",\s*", listed) if not name.startswith(("slow_", "maybe_", "flag_"))}
    assert to_call - {name for _call, name, _gives in ROWS} == set()
