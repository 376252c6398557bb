"""What was mistyped, or only looks, changes nothing."""

from __future__ import annotations

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

LEFT = "SELECT (SELECT count(*) FROM changeover.run), (SELECT count(*) FROM changeover.lease)"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "bakfill", "--plan", "example", "--stage", "customers"), 2),
        (("run", "backfill", "--plan", "exmple", "--stage", "customers"), 2),
        (("run", "expand", "--plan", "example", "--stage", "customer"), 2),
        (("run", "dual-write", "--plan", "example", "--stage", "customers"), 5),
        (("start", "example", "--until", "verfy"), 2),
        (("start", "example", "--stage", "customer"), 2),
        (("verify", "--plan", "example"), 5),
        (("verify", "--plan", "example", "--stage", "customer"), 2),
        (("verify", "--plan", "example", "--repair"), 5),
        (("rollback", "--plan", "example", "--to", "verfy"), 2),
        (("pause", "exmple"), 5),
        (("resume", "exmple"), 5),
        (("cancel", "exmple", "--reason", "month-end"), 5),
        (("throttle", "set", "exmple", "rest=3"), 5),
        (("throttle", "show", "exmple"), 5),
    ],
    ids=str,
)
def test_a_mistyped_name_leaves_nothing_in_the_ledger(shops: Database, arguments: tuple[str, ...], code: int) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    done = cli(*arguments, "--json")
    assert (done.code, done.error["kept"]) == (code, "Nothing was changed.")
    assert shops.rows(LEFT) == [(0, 0)]
    assert code != 2 or shops.rows("SELECT FROM changeover.control") == []
    cli.ok("start", "example", "--kind", "rehearsal", "--until", "expand")


def test_a_comparison_takes_nothing_in_unless_it_may_repair(verified: Database, cli: Cli) -> None:
    verified.run("ALTER TABLE customers_west ADD COLUMN nick text; UPDATE customers_west SET nick = 'x' WHERE id = 1")
    before = verified.schema_dump(), verified.rows("SELECT * FROM customers ORDER BY id")
    done = cli("verify", "--plan", "example", "--json")
    assert done.code == 5
    assert "customers_west" in done.error["what"]
    assert (verified.schema_dump(), verified.rows("SELECT * FROM customers ORDER BY id")) == before
    cli.ok("verify", "--plan", "example", "--repair")
    assert verified.rows("SELECT FROM customers WHERE extra ->> 'nick' = 'x'")


def test_a_comparison_repairs_nothing_unasked_and_says_what_it_drains(verified: Database, cli: Cli) -> None:
    verified.run("ALTER TABLE customers DISABLE TRIGGER USER; UPDATE customers SET name = 'no' WHERE number = 2")
    verified.run("ALTER TABLE customers ENABLE TRIGGER USER")
    before = verified.rows("SELECT * FROM customers ORDER BY id")
    with verified.connect() as conn:
        conn.execute("SET default_transaction_isolation = 'repeatable read'")
        conn.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        conn.execute("UPDATE customers_old SET name = name WHERE id = 3")
    done = cli("verify", "--plan", "example")
    assert done.code == 4
    assert "public.customers_old: 1 key to drain from the queue" in done.err
    assert verified.rows("SELECT * FROM customers ORDER BY id") == before
