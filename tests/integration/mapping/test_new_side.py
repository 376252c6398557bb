"""What only the new side can say stays, what the old side says arrives, and the other way round."""

from __future__ import annotations

import pytest

from tests.support.mapping import World

pytestmark = pytest.mark.every

ID = "dddddddd-2222-4222-8222-222222222222"
KEY = "SELECT id FROM public.a_tickets WHERE note = 'a6'"


def _key(world: World) -> str:
    return str(world.value(KEY))


def _row(world: World, key: str, columns: str, table: str = "tickets") -> tuple[object, ...]:
    (row,) = world.rows(f"SELECT {columns} FROM public.{table} WHERE id = '{key}'")
    return row


def test_a_status_that_the_old_schema_cannot_tell_stays_until_the_old_side_says_something_new(tickets: World) -> None:
    world, key = tickets, _key(tickets)
    world.do(f"UPDATE public.tickets SET status = 'in_progress' WHERE id = '{key}'")
    world.check()
    world.do(f"UPDATE public.a_tickets SET note = 'touched' WHERE id = '{key}'")
    world.check()
    assert _row(world, key, "status, note") == ("in_progress", "touched")
    world.do(f"UPDATE public.a_tickets SET status = 'Closed' WHERE id = '{key}'")
    world.check()
    assert _row(world, key, "status, note") == ("closed", "touched")


def test_a_comparison_names_what_differs_and_not_what_is_ahead(tickets: World) -> None:
    world, key = tickets, _key(tickets)
    world.do(f"UPDATE public.tickets SET status = 'in_progress' WHERE id = '{key}'")
    said_something_else = "metadata = jsonb_set(metadata, '{legacy,~,status}', '\"lost\"')"
    for change, named in (
        ("amount = 77, note = 'other'", ["amount", "note"]),
        (said_something_else, ["amount", "note", "status"]),
    ):
        world.do(
            "SET changeover.origin = 'test'",  # no mirror
            f"UPDATE public.tickets SET {change} WHERE id = '{key}'",
            "RESET changeover.origin",
        )
        ((table, found, kind, columns, _, _),) = world.differences()
        assert (table, found, kind, sorted(columns)) == ("a_tickets", key, "different", named)


def test_members_of_a_document_that_the_old_table_has_no_column_for_stay(tickets: World) -> None:
    world, key = tickets, _key(tickets)
    world.do(f"""UPDATE public.tickets SET extra = extra || '{{"q9": 4, "q2": "no number"}}' WHERE id = '{key}'""")
    world.check()
    world.do(f"UPDATE public.a_tickets SET q1 = 8 WHERE id = '{key}'")
    world.check()
    extra = world.value(f"SELECT extra FROM public.tickets WHERE id = '{key}'")
    assert (extra["q1"], extra["q9"], extra["q2"]) == (8, 4, "no number")
    world.do(f"UPDATE public.a_tickets SET q2 = 2, q1 = NULL WHERE id = '{key}'")
    world.check()
    extra = world.value(f"SELECT extra FROM public.tickets WHERE id = '{key}'")
    assert (extra.get("q1"), extra["q9"], extra["q2"]) == (None, 4, 2)


def test_metadata_that_the_new_application_overwrites_keeps_what_is_ours(tickets: World) -> None:
    world = tickets
    key = world.value(
        "SELECT id::text FROM public.tickets WHERE metadata -> 'legacy' ? 'status' AND shop = 'a' LIMIT 1"
    )
    world.do(f"""UPDATE public.tickets SET metadata = '{{"mine": 1}}' WHERE id = '{key}'""")
    world.check()
    assert world.value(f"SELECT metadata ->> 'mine' FROM public.tickets WHERE id = '{key}'") == "1"
    world.do(f"""UPDATE public.tickets SET metadata = '{{"legacy": {{"status": "forged"}}}}' WHERE id = '{key}'""")
    world.check()


def test_a_row_put_away_disappears_on_the_old_side_and_comes_back_whole(tickets: World) -> None:
    world, key = tickets, _key(tickets)
    before = _row(world, key, "*", "a_tickets")
    world.do(f"UPDATE public.marks SET mark = 7 WHERE ticket_id = '{key}' AND name = 'Q 3 (%)'")
    before = _row(world, key, "*", "a_tickets")
    marks = world.rows(f"SELECT * FROM public.marks WHERE ticket_id = '{key}'")
    world.do(f"UPDATE public.tickets SET deleted_at = now() WHERE id = '{key}'")
    world.check()
    assert world.rows(f"SELECT FROM public.a_tickets WHERE id = '{key}'") == []
    assert world.rows(f"SELECT * FROM public.marks WHERE ticket_id = '{key}'") == marks
    world.do(f"UPDATE public.tickets SET deleted_at = NULL WHERE id = '{key}'")
    world.check()
    assert _row(world, key, "*", "a_tickets") == before


def test_the_old_side_brings_back_a_row_that_the_new_side_has_put_away(tickets: World) -> None:
    world, key = tickets, _key(tickets)
    world.do(f"UPDATE public.tickets SET deleted_at = now(), status = 'in_progress' WHERE id = '{key}'")
    world.do(
        f"INSERT INTO public.a_tickets (id, clerk, status, day) VALUES ('{key}', 'bob@x.org', 'closed', '2024-01-01')"
    )
    world.check()
    assert _row(world, key, "status, deleted_at") == ("closed", None)


def test_a_key_that_moves_to_another_shop_moves_the_old_row(tickets: World) -> None:
    world, key = tickets, _key(tickets)
    world.do(f"UPDATE public.tickets SET shop = 'd' WHERE id = '{key}'")
    world.check()
    assert world.rows(f"SELECT FROM public.a_tickets WHERE id = '{key}'") == []
    assert _row(world, key, "note", "d_tickets") == ("a6",)


def test_a_row_that_breaks_a_rule_may_move_and_goes_on_breaking_it(tickets: World) -> None:
    world, key = tickets, _key(tickets)
    world.do(f"UPDATE public.a_tickets SET amount = '-3' WHERE id = '{key}'")
    world.do(f"UPDATE public.tickets SET shop = 'd' WHERE id = '{key}'")
    world.check()
    assert _row(world, key, "shop, amount, legacy_exempt") == ("d", -3, ["positive"])
    world.do(f"UPDATE public.tickets SET amount = 3, shop = 'a' WHERE id = '{key}'")
    world.check()
    assert _row(world, key, "shop, amount, legacy_exempt") == ("a", 3, [])


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "SERIALIZABLE"])
@pytest.mark.parametrize("then", ["UPDATE public.c_tickets SET amount = '4'", "DELETE FROM public.c_tickets"])
def test_another_id_in_place_of_one_made_of_a_text_is_the_old_rows_key(
    tickets: World, isolation: str, then: str
) -> None:
    world = tickets
    world.do("UPDATE public.c_tickets SET note = 'rekeyed' WHERE id = 'C-1'")
    new = world.session(isolation)
    new.execute(f"UPDATE public.tickets SET id = '{ID}', amount = 9 WHERE note = 'rekeyed'".encode())
    new.commit()
    world.check()
    assert world.rows("SELECT id, amount FROM public.c_tickets WHERE note = 'rekeyed'") == [(ID, "9.00")]
    world.do(f"{then} WHERE note = 'rekeyed'")
    world.check()
    assert world.value("SELECT count(*) FROM public.tickets WHERE note = 'rekeyed'") == then.startswith("UPDATE")


def test_an_id_changes_while_the_row_is_put_away(tickets: World) -> None:
    world = tickets
    world.do("UPDATE public.c_tickets SET note = 'rekeyed' WHERE id = 'C-1'")
    world.do("UPDATE public.tickets SET deleted_at = now() WHERE note = 'rekeyed'")
    world.do(f"UPDATE public.tickets SET id = '{ID}' WHERE note = 'rekeyed'")
    world.do("UPDATE public.tickets SET deleted_at = NULL WHERE note = 'rekeyed'")
    world.check()
    assert world.rows("SELECT id FROM public.c_tickets WHERE note = 'rekeyed'") == [(ID,)]


def test_a_new_row_with_a_generated_key_finds_its_way_in_both_directions(tickets: World) -> None:
    world = tickets
    clerk = world.value("SELECT id FROM public.clerks LIMIT 1")
    world.do(f"INSERT INTO public.tickets (shop, clerk_id, day, note) VALUES ('b', '{clerk}', '2024-01-01', 'new b')")
    world.check()
    number = world.value("SELECT id FROM public.b_tickets WHERE note = 'new b'")
    world.do(f"UPDATE public.b_tickets SET amount = '12.50' WHERE id = {number}")
    world.check()
    assert str(world.value("SELECT amount FROM public.tickets WHERE note = 'new b'")) == "12.50"
    world.do(f"DELETE FROM public.b_tickets WHERE id = {number}")
    world.check()
    assert world.value("SELECT count(*) FROM public.tickets WHERE note = 'new b'") == 0


def test_a_generated_key_that_somebody_took_meanwhile_is_given_again(tickets: World) -> None:
    world = tickets
    clerk = world.value("SELECT id FROM public.clerks LIMIT 1")
    number = world.value("SELECT last_value + 1 FROM public.b_tickets_id_seq")
    world.do(
        f"INSERT INTO public.b_tickets (id, clerk, day, note) VALUES ({number}, 'bob@x.org', '2024-01-01', 'by hand')"
    )
    session = world.session("SERIALIZABLE")
    session.execute(
        f"INSERT INTO public.tickets (shop, clerk_id, day, note) VALUES ('b', '{clerk}', '2024-01-01', 'new b')".encode()
    )
    session.commit()
    world.check()
    assert world.value("SELECT count(*) FROM public.b_tickets WHERE note IN ('by hand', 'new b')") == 2
    assert world.value("SELECT count(*) FROM public.tickets WHERE note IN ('by hand', 'new b')") == 2


def test_renaming_a_clerk_on_the_new_side_renames_them_on_the_old_rows(tickets: World) -> None:
    world = tickets
    odd = world.value("SELECT count(*) FROM public.a_tickets WHERE clerk = ' Ann@X.org'")
    assert odd > 0
    world.do("UPDATE public.clerks SET name = 'Ann' WHERE mail = 'ann@x.org'")
    assert world.value("SELECT count(*) FROM changeover.queue") == 0
    world.do("UPDATE public.clerks SET mail = 'anna@x.org' WHERE mail = 'ann@x.org'")
    world.check()
    # Rejected rows are none of the new side's; all others have followed.
    assert world.value("SELECT count(*) FROM public.a_tickets WHERE clerk ILIKE '%ann@x.org%' AND day IS NOT NULL") == 0
    assert world.value("SELECT count(*) FROM public.a_tickets WHERE clerk = 'anna@x.org'") > odd
    assert world.value("SELECT count(*) FROM public.clerks WHERE mail IN ('ann@x.org')") == 0


def test_renaming_in_serializable_and_a_write_of_the_old_side_in_between(tickets: World) -> None:
    world, key = tickets, _key(tickets)
    session = world.session("SERIALIZABLE")
    session.execute(b"UPDATE public.clerks SET mail = 'anna@x.org' WHERE mail = 'ann@x.org'")
    session.commit()
    world.do(f"UPDATE public.a_tickets SET note = 'touched' WHERE id = '{key}'")
    world.check()
    assert _row(world, key, "note") == ("touched",)


def test_renaming_a_department_of_a_merge(people: World) -> None:
    world = people
    world.do("UPDATE public.departments SET name = 'Vertrieb' WHERE lower(name) = 'sales'")
    world.check()
    first = world.rows(
        "SELECT DISTINCT p.department FROM public.people p JOIN public.employees e ON e.email = lower(btrim(p.email)) "
        "JOIN public.departments d ON d.id = e.department_id WHERE d.name = 'Vertrieb' AND p.department NOT ILIKE '%sales%'"
    )
    assert first == [("Vertrieb",)]


def test_the_reverse_of_a_split(tickets: World) -> None:
    world, key = tickets, _key(tickets)
    world.do(
        f"INSERT INTO public.marks VALUES ('{key}', 'q2', 3)",
        f"UPDATE public.marks SET mark = 9 WHERE ticket_id = '{key}' AND name = 'Q 3 (%)'",
    )
    world.check()
    assert _row(world, key, 'q2, "Q 3 (%)"', "a_tickets") == (3, 9)
    world.do(f"DELETE FROM public.marks WHERE ticket_id = '{key}' AND name = 'q2'")
    world.check()
    assert _row(world, key, "q2", "a_tickets") == (0,)
    # The old column is an integer: what it cannot hold is not kept beside it.
    world.do(
        f"INSERT INTO public.marks VALUES ('{key}', 'q1', 2.4)", f"INSERT INTO public.marks VALUES ('{key}', 'q7', 1)"
    )
    world.check()
    assert _row(world, key, "q1", "a_tickets") == (2,)
    assert world.value(f"SELECT mark FROM public.marks WHERE ticket_id = '{key}' AND name = 'q1'") == 2


def test_merging_writes_of_the_new_side(people: World) -> None:
    world = people
    world.do(
        "INSERT INTO public.employees (email, name) VALUES ('new@x.org', 'New')",
        "UPDATE public.employees SET email = 'moved@x.org', name = 'Moved' WHERE email = 'p1@x.org'",
        "UPDATE public.employees SET settings = '{\"b\": 1}', nickname = 'x' WHERE email = 'p2@x.org'",
        "DELETE FROM public.employees WHERE email = 'p5@x.org'",
    )
    world.check()
    assert world.value("SELECT name FROM public.people WHERE email = 'moved@x.org'") == "Moved"
    # Those who lost to the row that moved away are first of the old key now, and so is the next one after a deletion.
    assert world.value("SELECT count(*) FROM public.employees WHERE email IN ('p1@x.org', 'p5@x.org')") == 2


def test_a_loser_becomes_the_winner_when_the_mail_of_the_first_changes(people: World) -> None:
    world = people
    winner = world.value("SELECT name FROM public.employees WHERE email = 'p4@x.org'")
    world.do(f"UPDATE public.people SET email = 'gone@x.org' WHERE name = '{winner}'")
    world.check()
    assert world.value("SELECT name FROM public.employees WHERE email = 'gone@x.org'") == winner
    assert world.value("SELECT name FROM public.employees WHERE email = 'p4@x.org'") != winner


def test_a_badge_moves_from_one_person_to_another(people: World) -> None:
    world = people
    world.do(
        "UPDATE public.people SET badge = NULL WHERE badge = '3' AND email = 'p11@x.org'",
        "UPDATE public.people SET badge = CASE badge WHEN '1' THEN '2' ELSE '1' END WHERE badge IN ('1', '2')",
        "DELETE FROM public.people WHERE badge = '4'",
        "UPDATE public.people SET badge = '5' WHERE badge = '6'",
    )
    world.check()


def test_an_id_in_two_tables_belongs_to_the_first_and_is_released(tickets: World) -> None:
    world = tickets
    taken = world.rows("SELECT key FROM changeover.reject WHERE reason = 'id_taken' AND source = 'public.c_tickets'")
    assert taken
    key = taken[0][0]
    world.do(f"DELETE FROM public.a_tickets WHERE id = '{key}'")
    world.check()
    assert _row(world, key, "shop") == ("c",)
    # And back: the table that comes first takes the id again.
    world.do(f"INSERT INTO public.a_tickets (id, clerk, day) VALUES ('{key}', 'bob@x.org', '2024-01-01')")
    world.check()
    assert _row(world, key, "shop") == ("a",)
    # The new side deletes it.
    world.do(f"DELETE FROM public.tickets WHERE id = '{key}'")
    world.check()
    assert _row(world, key, "shop") == ("c",)
    world.do("UPDATE public.a_tickets SET id = gen_random_uuid() WHERE note = 'a6'", "TRUNCATE public.a_tickets")
    world.check()
    assert (
        world.value("SELECT count(*) FROM changeover.reject WHERE reason = 'id_taken' AND source = 'public.c_tickets'")
        == 0
    )


def test_an_id_that_a_row_with_another_key_had_is_released(tickets: World) -> None:
    """The second table's keys are numbers: what is freed there is an id, and what waits for an id here is a number."""
    world = tickets
    key = str(world.value("SELECT id FROM public.a_tickets WHERE note = 'a1'"))
    # The new side moves it to the second table. The row of the third that has this id as well goes on waiting for it.
    world.do("UPDATE public.tickets SET shop = 'b' WHERE note = 'a1'")
    world.check()
    assert _row(world, key, "shop, note") == ("b", "a1")
    # The first table takes the id, and lets it go: the row comes back.
    insert = f"INSERT INTO public.a_tickets (id, clerk, day, note) VALUES ('{key}', 'bob@x.org', '2024-01-01', 'first')"
    world.do(insert)
    world.check()
    assert _row(world, key, "shop, note") == ("a", "first")
    world.do("DELETE FROM public.a_tickets WHERE note = 'first'")
    world.check()
    assert _row(world, key, "shop, note") == ("b", "a1")
    # The second one lets it go, too.
    world.do("DELETE FROM public.b_tickets WHERE note = 'a1'")
    world.check()
    assert _row(world, key, "shop") == ("c",)


def test_the_view_says_what_the_old_side_says_next_to_a_value_that_it_cannot_tell(tickets: World) -> None:
    world, key = tickets, tickets.value("SELECT id FROM public.a_tickets WHERE note = 'a6'")
    world.do(
        f"UPDATE public.tickets SET status = 'in_progress', extra = '{{\"q1\": 5, \"q9\": [1]}}' WHERE id = '{key}'",
        f"UPDATE public.a_tickets SET status = 'open', q2 = 4 WHERE id = '{key}'",
    )
    world.check()
    assert world.rows(f"SELECT status FROM compat.a_tickets WHERE id = '{key}'") == [("open",)]
    world.do(f"UPDATE public.tickets SET status = 'closed' WHERE id = '{key}'")
    world.check()
    assert world.rows(f"SELECT status, q1, q2 FROM public.a_tickets WHERE id = '{key}'") == [("closed", 5, 4)]
