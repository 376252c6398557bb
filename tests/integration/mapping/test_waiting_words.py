"""A move, a deletion or a TRUNCATE of the new side waits, or meets an old writer that is open: no other word is lost by it."""

from __future__ import annotations

import pytest

from tests.support.mapping import World


@pytest.mark.parametrize("shop", ["b", "c", "d"])
def test_an_old_row_is_written_while_its_move_to_another_shop_waits(tickets: World, shop: str) -> None:
    """The later write brings it back; the other table, whose keys are numbers or none, is asked for no key of the first."""
    new = tickets.session("SERIALIZABLE")
    new.execute(f"UPDATE public.tickets SET shop = '{shop}' WHERE note = 'a6'".encode())
    new.commit()
    tickets.do("UPDATE public.a_tickets SET q1 = 9, amount = '8' WHERE note = 'a6'")
    tickets.check()
    standing = " UNION ALL ".join(f"SELECT note, '{each}' FROM public.{each}_tickets" for each in "abcd")
    assert len(tickets.rows(f"SELECT * FROM ({standing}) x WHERE note = 'a6'")) == 1


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO public.c_tickets (id, clerk, day, note) VALUES ('C-late', 'ann@x.org', '2024-01-01', 'late')",
        "UPDATE public.a_tickets SET note = 'late' WHERE note = 'a6'",
    ],
)
def test_what_an_old_writer_commits_after_a_truncate_stays(tickets: World, write: str, isolation: str) -> None:
    old, new = tickets.session(isolation), tickets.session("READ COMMITTED", lock_timeout="2s")
    old.execute(write.encode())
    if isolation != "SERIALIZABLE":
        old.commit()  # its mirror holds a lock of the new table: who empties that waits for it
    new.execute(b"TRUNCATE public.tickets CASCADE")
    new.commit()
    old.commit()
    tickets.check()
    rows = tickets.rows(
        "SELECT FROM public.c_tickets WHERE note = 'late' UNION ALL SELECT FROM public.a_tickets WHERE note = 'late'"
    )
    assert len(rows) == (isolation == "SERIALIZABLE")
    assert tickets.value("SELECT count(*) FROM public.tickets WHERE shop = 'a' AND note IS DISTINCT FROM 'late'") == 0


@pytest.mark.parametrize("change", ["UPDATE public.tickets SET shop = 'a' {}", "DELETE FROM public.tickets {}"])
def test_a_row_that_shares_its_key_with_the_one_that_is_meant_stays(tickets: World, change: str) -> None:
    """Without a unique key a row that comes later may stand first in the table: space is used again."""
    tickets.do(
        "DELETE FROM public.d_tickets",
        "INSERT INTO public.d_tickets (id, clerk, day, note) SELECT gen_random_uuid(), 'eve@x.org', '2024-01-01', 'room' FROM generate_series(1, 9)",
        "INSERT INTO public.d_tickets (id, clerk, day, note) VALUES ('d1111111-1111-4111-8111-111111111111', 'eve@x.org', '2024-01-01', 'meant')",
        "DELETE FROM public.d_tickets WHERE note = 'room'",
        "VACUUM public.d_tickets",
    )
    tickets.drain()
    new = tickets.session("SERIALIZABLE")
    new.execute(change.format("WHERE note = 'meant'").encode())
    new.commit()
    tickets.do(
        "INSERT INTO public.d_tickets (id, clerk, day, note) VALUES ('d1111111-1111-4111-8111-111111111111', 'eve@x.org', '2024-01-02', 'other')"
    )
    assert tickets.rows("SELECT note FROM public.d_tickets ORDER BY ctid") == [("other",), ("meant",)]
    tickets.check()
    assert tickets.rows("SELECT note FROM public.d_tickets") == [("other",)]
