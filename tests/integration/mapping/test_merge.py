"""A merge, one session: what belongs to a key, to a value that only one may have, and to whom."""

from __future__ import annotations

from tests.support.mapping import World


def test_a_badge_that_the_new_side_gives_is_taken_back_by_the_old(people: World) -> None:
    world = people
    world.do("INSERT INTO public.people (email, name) VALUES ('badge@x.org', 'B')")
    world.do("UPDATE public.employees SET badge = 'B-9' WHERE email = 'badge@x.org'")
    world.check()
    assert world.rows("SELECT badge FROM public.people WHERE email = 'badge@x.org'") == [("B-9",)]
    world.do("UPDATE public.people SET badge = NULL WHERE email = 'badge@x.org'")
    world.check()
    assert world.rows("SELECT badge FROM public.employees WHERE email = 'badge@x.org'") == [(None,)]


def test_one_statement_of_the_new_side_keeps_what_it_says_of_every_row(people: World) -> None:
    world = people
    world.do(
        "INSERT INTO public.people (email, name, badge, is_active, last_login) VALUES "
        "('a7@x.org', 'A', 'B-7', true, '2024-01-02 00:00+00'), ('a7@x.org', 'A2', 'B-7', false, '2024-01-03 00:00+00'), "
        "('b7@x.org', 'B', 'B-7', NULL, NULL)"
    )
    world.do("UPDATE public.employees SET is_active = false WHERE email IN ('a7@x.org', 'b7@x.org')")
    world.check()
    assert world.rows("SELECT is_active FROM public.employees WHERE email IN ('a7@x.org', 'b7@x.org')") == [
        (False,),
        (False,),
    ]
    assert world.rows("SELECT is_active FROM public.people WHERE badge = 'B-7'") == [(False,)] * 3


def test_what_the_remaining_source_says_stays_when_the_new_side_ends_the_other(people: World) -> None:
    world = people
    world.do(
        "INSERT INTO public.people (email, name, last_login, login_count) VALUES ('end@x.org', 'E', '2024-01-02 00:00+00', 3)"
    )
    world.do(
        "INSERT INTO public.users (id, email, full_name, last_sign_in_at, sign_in_count) "
        "VALUES ('aaaaaaaa-7777-4777-8777-777777777777', 'end@x.org', 'U', '2024-01-04 00:00+00', 5)"
    )
    world.do("UPDATE public.employees SET auth_id = NULL WHERE email = 'end@x.org'")
    world.check()
    assert world.rows("SELECT login_count FROM public.people WHERE email = 'end@x.org'") == world.rows(
        "SELECT login_count FROM compat.people WHERE email = 'end@x.org'"
    )
