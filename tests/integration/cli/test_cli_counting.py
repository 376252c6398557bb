"""Rows are counted while others write: what waits for its turn is neither lost nor missing."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.engine.verify import verifying
from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = pytest.mark.newest
BORN = (
    "INSERT INTO public.customers_old (id, mail, name) VALUES (900, 'w@x.org', 'waits')",
    "INSERT INTO public.customers (shop, number, email, name) VALUES ('main', 901, 'v@x.org', 'waits')",
)


@pytest.mark.parametrize("write", BORN)
def test_a_key_that_waits_at_the_moment_of_counting_is_no_difference(
    verified: Database, cli: Cli, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    compare: Any = verifying.compare  # type: ignore[attr-defined]

    async def compared(*args: Any, **options: Any) -> Any:
        found = await compare(*args, **options)
        with verified.connect("owner", autocommit=False) as conn:
            conn.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            conn.execute(write.encode())
        return found

    monkeypatch.setattr(verifying, "compare", compared)
    (result,) = cli.ok("verify", "--plan", "example", "--json").json
    assert all(c["legacy"] == c["migrated"] + c["rejected"] for c in result["counts"])
    assert verified.value("SELECT count(*) FROM public.customers_old WHERE name = 'waits'") == 1


def test_what_waits_explains_no_more_than_itself(verified: Database, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    compare: Any = verifying.compare  # type: ignore[attr-defined]

    async def compared(*args: Any, **options: Any) -> Any:
        found = await compare(*args, **options)
        verified.run(
            "ALTER TABLE public.customers DISABLE TRIGGER USER; DELETE FROM public.customers;"
            "ALTER TABLE public.customers ENABLE TRIGGER USER"
        )
        return found

    monkeypatch.setattr(verifying, "compare", compared)
    done = cli("verify", "--plan", "example", "--json")
    assert done.code == 4
    assert done.json[0]["by_kind"]["uncounted"] == 2


def test_a_row_put_beside_the_mirrors_is_named_and_taken_out(verified: Database, cli: Cli) -> None:
    before = verified.rows("SELECT * FROM public.customers ORDER BY id")
    verified.run(
        "ALTER TABLE public.customers DISABLE TRIGGER USER;"
        "INSERT INTO public.customers (shop, number, email) VALUES ('main', 77, 'orphan@x.org');"
        "ALTER TABLE public.customers ENABLE TRIGGER USER"
    )
    orphan = verified.value("SELECT id::text FROM public.customers WHERE number = 77")
    done = cli("verify", "--plan", "example")
    assert (done.code, orphan in done.out) == (4, True), done.out
    (result,) = cli.ok("verify", "--plan", "example", "--repair", "--json").json
    assert (result["clean"], result["repaired"]) == (True, 1)
    assert verified.rows("SELECT * FROM public.customers ORDER BY id") == before
    (kept,) = verified.rows(
        "SELECT plan, detail #>> '{row,email}' FROM changeover.event WHERE kind = 'row.orphan_deleted'"
    )
    assert kept == ("example", "orphan@x.org")


def test_a_second_row_of_an_old_row_is_taken_out(verified: Database, cli: Cli) -> None:
    before = verified.rows("SELECT * FROM public.customers ORDER BY id")
    verified.run(
        "ALTER TABLE public.customers DISABLE TRIGGER USER;"
        "INSERT INTO public.customers SELECT c.* FROM public.customers t, "
        "jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'email', 'twin@x.org', 'number', 78)) c "
        "WHERE t.id = (SELECT min(id::text)::uuid FROM public.customers);"
        "ALTER TABLE public.customers ENABLE TRIGGER USER"
    )
    assert cli("verify", "--plan", "example").code == 4
    cli.ok("verify", "--plan", "example", "--repair")
    assert verified.rows("SELECT * FROM public.customers ORDER BY id") == before
