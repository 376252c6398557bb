"""A table goes to the archive and its view takes its place, at the very moment at which the new side writes.

The functions name the table. What has waited for its lock finds the view under that name, which shows the new side's
own rows: there is nothing to write there, and the write would be lost.
"""

from __future__ import annotations

import psycopg
import pytest

from tests.support.mapping import World
from tests.support.sessions import threads

NAME, MOVED = '"public"."b_tickets"', '"archive"."b_tickets"'


def _move(conn: psycopg.Connection, *, back: bool) -> None:
    """What contract does in one transaction, or its way back."""
    old, new = (MOVED, NAME) if back else (NAME, MOVED)
    moves = [f"ALTER TABLE {old} SET SCHEMA {new.split('.')[0]}"]
    moves.insert(
        0 if back else 1,
        f"ALTER VIEW {'public' if back else 'compat'}.b_tickets SET SCHEMA {'compat' if back else 'public'}",
    )
    for move in moves:
        conn.execute(move.encode())
    texts = conn.execute(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'changeover'::regnamespace AND prosrc LIKE %s",
        (f"%{old}%",),
    ).fetchall()
    for (text,) in texts:
        conn.execute(text.replace(old, new).encode())


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE public.tickets SET note = 'changed' WHERE shop = 'b' AND note LIKE 'bbb%'",
        "UPDATE public.tickets SET status = 'in_progress', shop = 'a' WHERE shop = 'b'",
        "DELETE FROM public.tickets WHERE shop = 'b'",
        "INSERT INTO public.tickets (shop, clerk_id, day, status) SELECT 'b', id, '2024-01-01', 'in_progress' FROM public.clerks",
        "UPDATE public.marks m SET mark = m.mark + 1 FROM public.tickets t WHERE t.id = m.ticket_id AND t.shop = 'b'",
        "DELETE FROM public.marks m USING public.tickets t WHERE t.id = m.ticket_id AND t.shop = 'b'",
    ],
)
def test_a_write_that_waits_for_the_table_finds_it_where_it_is(tickets: World, change: str, *, back: bool) -> None:
    world = tickets
    world.do("CREATE SCHEMA archive")
    move, new = world.session("READ COMMITTED", lock_timeout="250ms"), world.session("READ COMMITTED")
    if back:
        _move(move, back=False)
        move.commit()
        move.execute("BEGIN")
    # Its plans are made, and name the table.
    new.execute(b"UPDATE public.tickets SET amount = 4 WHERE shop = 'b'")
    new.execute(b"UPDATE public.marks m SET mark = 7 FROM public.tickets t WHERE t.id = m.ticket_id AND t.shop = 'b'")
    new.commit()
    move.execute(f"LOCK TABLE {MOVED if back else NAME}".encode())
    with threads(world.conn) as running:
        write = running.start(new, change)
        try:
            _move(move, back=back)
            move.commit()
        except psycopg.errors.LockNotAvailable:
            # The writer has a lock on the table's sequence. Like the engine, step back and come again.
            move.rollback()
        write.result()
        new.commit()
    causes = {row[0] for row in world.rows("SELECT cause FROM changeover.queue")}
    assert not causes & {"42703", "42P01"}, "a mirror has looked for the table where it was, and not again"
    if move.execute("SELECT to_regclass('archive.b_tickets') IS NULL").fetchone() != (back,):
        _move(move, back=back)
    if not back:
        _move(move, back=True)
    move.commit()
    world.check()
