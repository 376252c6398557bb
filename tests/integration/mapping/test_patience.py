"""A mirror waits less than the application would: half of what its session allows, and never long."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
import pytest

from tests.support.mapping import World


@pytest.mark.parametrize(
    ("lock", "statement", "least", "most"),
    [
        ("0", "0", 450, 450),
        ("500ms", "0", 250, 250),
        ("1min", "0", 450, 450),
        ("0", "800ms", 1, 400),
        ("90ms", "2h", 45, 45),
        ("0", "1ms", 1, 1),
    ],
)
def test_half_of_what_the_session_allows(tickets: World, lock: str, statement: str, least: int, most: int) -> None:
    query = (
        "SELECT changeover.patience() "
        "FROM set_config('lock_timeout', %s, true) AS lock, set_config('statement_timeout', %s, true) AS statement"
    )
    ((told,),) = tickets.conn.execute(query, (lock, statement)).fetchall()
    assert least <= int(told.removesuffix("ms")) <= most


def written(session: psycopg.Connection[Any], write: str) -> None:
    """Half of 800 ms is left for the work itself: a machine that stands still just then may need another attempt."""
    for _ in range(5):
        with suppress(psycopg.errors.QueryCanceled):
            session.execute(write.encode())
            return
    raise AssertionError("the mirror waits for as long as the statement may last")


@pytest.mark.parametrize(
    ("held", "write"),
    [
        (
            "SELECT FROM public.tickets WHERE note = 'a6' FOR UPDATE",
            "UPDATE public.a_tickets SET amount = 7 WHERE note = 'a6'",
        ),
        (
            "SELECT FROM public.a_tickets WHERE note = 'a6' FOR UPDATE",
            "UPDATE public.tickets SET amount = 7 WHERE note = 'a6'",
        ),
        ("SELECT FROM public.tickets WHERE note = 'a6' FOR UPDATE", "DELETE FROM public.a_tickets WHERE note = 'a6'"),
    ],
    ids=["old side", "new side", "old deletion"],
)
def test_a_short_statement_timeout_is_not_used_up(tickets: World, held: str, write: str) -> None:
    with tickets.session("READ COMMITTED") as holder, tickets.session() as session:
        holder.execute(held.encode())
        session.execute("SET statement_timeout = '800ms'")
        before = session.execute("SHOW lock_timeout").fetchone()
        written(session, write)  # ends, and leaves its key
        assert session.execute("SHOW lock_timeout").fetchone() == before
        assert tickets.value("SELECT count(*) FROM changeover.queue WHERE cause = '55P03'")
    tickets.check()
