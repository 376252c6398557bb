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
