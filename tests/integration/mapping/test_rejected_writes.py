"""Old rows that are spoiled and mended: the new side shows none of the spoiled ones, and the ledger says why."""

from __future__ import annotations

import pytest

from tests.support.mapping import World

KEY = "SELECT id::text FROM public.a_tickets WHERE note = 'a6'"
SPOIL = "UPDATE public.a_tickets SET clerk = 'nobody at all' WHERE note = 'a6'"
MEND = "UPDATE public.a_tickets SET clerk = 'bob@x.org' WHERE note = 'a6'"
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


def _there(world: World, key: str) -> bool:
    return bool(world.value(f"SELECT count(*) FROM public.tickets WHERE id = '{key}'"))


def _reasons(world: World, key: str) -> list[str]:
    return [
        row[0]
        for row in world.rows(
            f"SELECT reason FROM changeover.reject WHERE key = '{key}' AND source = 'public.a_tickets'"
        )
    ]


def test_a_spoiled_row_leaves_at_once_and_a_mended_one_comes_at_once(tickets: World) -> None:
    key = tickets.value(KEY)
    tickets.do(SPOIL)
    assert not _there(tickets, key)
    assert _reasons(tickets, key) == ["no_clerk"]
    tickets.do(MEND)
    assert _there(tickets, key)
    assert _reasons(tickets, key) == []
    assert (
        tickets.value("SELECT count(*) FROM changeover.queue WHERE direction = 'forward' AND cause <> 'copying'") == 0
    )
    tickets.check()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "writes",
    [
        [SPOIL, MEND],
        [SPOIL, "DELETE FROM public.a_tickets WHERE note = 'a6'"],
        [SPOIL, "UPDATE public.a_tickets SET day = NULL WHERE note = 'a6'", MEND],
        [
            "UPDATE public.a_tickets SET clerk = CASE WHEN note = 'a6' THEN 'x' ELSE 'bob@x.org' END WHERE note IN ('a6', 'a11', 'a7')"
        ],
        ["INSERT INTO public.a_tickets (clerk, note) VALUES ('none', 'late'), ('new@x.org', 'later')", MEND],
    ],
    ids=["mended", "deleted", "twice spoiled", "some of several", "born spoiled"],
)
def test_in_one_transaction(tickets: World, writes: list[str], level: str) -> None:
    with tickets.session(level) as session:
        for write in writes:
            session.execute(write.encode())
        session.commit()
    tickets.check()


def test_one_transaction_after_the_other(tickets: World) -> None:
    key = tickets.value(KEY)
    tickets.do(SPOIL, "UPDATE public.a_tickets SET day = NULL WHERE note = 'a6'")
    tickets.check()
    tickets.do("UPDATE public.a_tickets SET clerk = 'bob@x.org' WHERE note = 'a6'")
    tickets.check()
    assert _reasons(tickets, key) == ["no_day"]
    tickets.do("DELETE FROM public.a_tickets WHERE note = 'a6'")
    assert _reasons(tickets, key) == []
    tickets.check()
