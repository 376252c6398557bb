"""A merge, one session: what belongs to a key, to a value that only one may have, and to whom."""

from __future__ import annotations

import pytest

from tests.support.mapping import World

pytestmark = pytest.mark.every


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


HOLDERS = "SELECT email, badge FROM public.employees WHERE email IN ('first@x.org', 'next@x.org') ORDER BY email"


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("less", ["is_active = false", "last_login_at = '2020-01-01'"])
def test_a_badge_goes_on_when_the_new_side_puts_its_holder_behind_another(
    people: World, isolation: str, less: str
) -> None:
    world = people
    world.do(
        "INSERT INTO public.people (email, name, badge, is_active, last_login) VALUES "
        "('first@x.org', 'F', 'B-8', true, '2024-01-02 00:00+00'), ('next@x.org', 'N', 'B-8', true, '2024-01-01 00:00+00')"
    )
    assert world.rows(HOLDERS) == [("first@x.org", "B-8"), ("next@x.org", None)]
    session = world.session(isolation)
    session.execute(f"UPDATE public.employees SET {less} WHERE email = 'first@x.org'".encode())
    session.commit()
    world.check()
    assert world.rows(HOLDERS) == [("first@x.org", None), ("next@x.org", "B-8")]
    world.do("UPDATE public.employees SET is_active = true, last_login_at = '2025-01-01' WHERE email = 'first@x.org'")
    world.check()
    assert world.rows(HOLDERS) == [("first@x.org", "B-8"), ("next@x.org", None)]
    assert world.rows("SELECT badge FROM public.people WHERE email IN ('first@x.org', 'next@x.org')") == [("B-8",)] * 2


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


TWO = "two@x.org"


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "SERIALIZABLE"])
@pytest.mark.parametrize(
    ("change", "logins"), [("is_active = false, login_count = 8", 7), ("login_count = 8", 3), ("login_count = 8", 7)]
)
def test_what_the_new_side_says_holds_whichever_row_of_the_key_speaks_then(
    people: World, isolation: str, change: str, logins: int
) -> None:
    world = people
    world.do(
        f"INSERT INTO public.people (email, name, is_active, login_count) VALUES ('{TWO}', 'T1', true, 3)",
        f"INSERT INTO public.people (email, name, is_active, login_count) VALUES (' {TWO}', 'T2', true, {logins})",
        f"INSERT INTO public.users (email, full_name) VALUES ('{TWO}', 'T3'), ('{TWO.upper()}', 'T4')",
    )
    session = world.session(isolation)
    session.execute(f"UPDATE public.employees SET settings = '{{\"b\": 1}}' WHERE email = '{TWO}'".encode())
    session.execute(f"UPDATE public.employees SET {change} WHERE email = '{TWO}'".encode())
    session.commit()
    said = f"SELECT login_count, is_active, settings FROM public.employees WHERE email = '{TWO}'"
    assert world.rows(said) == [(8, "is_active" not in change, {"b": 1})]
    world.check()
    assert world.rows(said) == [(8, "is_active" not in change, {"b": 1})]


def test_what_no_row_of_the_key_says_but_another_source_is_said_by_the_row_that_speaks_then(people: World) -> None:
    world = people
    world.do(
        f"INSERT INTO public.people (email, name, is_active) VALUES ('{TWO}', 'T1', true)",
        f"INSERT INTO public.people (email, name, last_login) VALUES ('{TWO}', 'T2', '2024-01-01')",
        f"INSERT INTO public.users (email, full_name, last_sign_in_at) VALUES ('{TWO}', 'T3', '2024-01-04')",
        f"UPDATE public.employees SET is_active = false, last_login_at = NULL WHERE email = '{TWO}'",
    )
    said = f"SELECT is_active, last_login_at FROM public.employees WHERE email = '{TWO}'"
    assert world.rows(said) == [(False, None)]
    world.check()
    assert world.rows(said) == [(False, None)]


def test_an_old_row_that_came_after_truncate_of_the_new_table_stays(people: World) -> None:
    world = people
    world.do(f"INSERT INTO public.users (email, full_name) VALUES ('{TWO}', 'T1'), ('{TWO}', 'T2')")
    world.check()
    world.do("TRUNCATE public.employees")
    serializable = world.session("SERIALIZABLE")
    serializable.execute(f"UPDATE public.users SET sign_in_count = 9 WHERE email = '{TWO}'".encode())
    serializable.execute(f"INSERT INTO public.people (email, name) VALUES ('{TWO}', 'T3')".encode())
    serializable.commit()
    world.check()
    assert world.rows("SELECT full_name, sign_in_count FROM public.users WHERE full_name LIKE 'T%' ORDER BY 1") == [
        ("T1", 9),
        ("T2", 9),
    ]
    assert world.rows(f"SELECT login_count FROM public.employees WHERE email = '{TWO}'") == [(9,)]


def test_a_value_that_one_may_have_does_not_go_to_another_because_a_row_was_written(people: World) -> None:
    world = people
    world.do(
        "INSERT INTO public.people (email, name, badge) VALUES ('tie1@x.org', 'T1', 'same'), ('tie2@x.org', 'T2', 'same')"
    )
    world.check()
    holders = "SELECT email FROM public.employees WHERE badge = 'same'"
    assert world.rows(holders) == [("tie1@x.org",)]
    # Nothing but their place tells the two apart, and the one that is written gets another.
    world.do("UPDATE public.employees SET name = 'New' WHERE email = 'tie1@x.org'")
    world.check()
    world.do("UPDATE public.people SET login_count = 3 WHERE email = 'tie1@x.org'")
    world.check()
    assert world.rows(holders) == [("tie1@x.org",)]


def test_a_blank_is_nobodys_badge_and_blanks_around_one_are_not_another(people: World) -> None:
    world = people
    world.do(
        "INSERT INTO public.people (email, name, badge, is_active) VALUES ('e1@x.org', 'E1', '', true), "
        "('e2@x.org', 'E2', '', true), ('e3@x.org', 'E3', '  ', true), ('e4@x.org', 'E4', ' B-4 ', false), "
        "('e5@x.org', 'E5', 'B-4', true)"
    )
    world.check()
    said = "SELECT email, badge, legacy_exempt FROM public.employees WHERE email ~ '^e[1-5]@' ORDER BY email"
    nobody: list[tuple[str, str | None, list[str]]] = [(f"e{n}@x.org", None, []) for n in (1, 2, 3)]
    assert world.rows(said) == [*nobody, ("e4@x.org", None, ["unique_badge"]), ("e5@x.org", "B-4", [])]
    # The one that stands behind takes it as soon as the other gives it up, however it is spelled.
    world.do("UPDATE public.people SET badge = ' ' WHERE email = 'e5@x.org'")
    world.check()
    assert world.rows(said) == [*nobody, ("e4@x.org", "B-4", []), ("e5@x.org", None, [])]
    world.do("UPDATE public.employees SET badge = 'B-5' WHERE email IN ('e4@x.org')")
    world.do("UPDATE public.employees SET badge = ' B-4' WHERE email IN ('e1@x.org')")
    world.check()
    old = "SELECT email, badge FROM public.people WHERE email ~ '^e[1-5]@' ORDER BY email"
    assert world.rows(old) == [
        ("e1@x.org", " B-4"),
        ("e2@x.org", ""),
        ("e3@x.org", "  "),
        ("e4@x.org", "B-5"),
        ("e5@x.org", " "),
    ]
