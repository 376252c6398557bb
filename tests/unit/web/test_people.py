from __future__ import annotations

import pytest

from orchestrator.kernel.errors import UsageError
from orchestrator.web.people import LASTS_S, People, people_of

TOKEN = "a-token-of-ann-0123456789"


def test_who_has_a_token_is_known_until_the_session_ends() -> None:
    now = [0.0]
    people = People(people_of([f"Ann Smith {TOKEN}", "bob: another-token-9876543210"]), clock=lambda: now[0])
    assert people
    assert people.sign_in("nobody's token, long enough") is None
    assert people.sign_in("") is None
    found = people.sign_in(TOKEN)
    assert found is not None
    cookie, session = found
    assert session.name == "Ann Smith"
    assert people.session(cookie) is session
    assert people.session(cookie + "x") is None
    assert people.session(None) is None
    assert session.admits(session.csrf)
    assert not session.admits("")
    assert not session.admits(session.csrf[:-1])
    now[0] = LASTS_S + 1
    assert people.session(cookie) is None


def test_signing_out_ends_a_session_and_no_other() -> None:
    people = People(people_of([f"ann {TOKEN}"]))
    first, second = people.sign_in(TOKEN), people.sign_in(TOKEN)
    assert first is not None
    assert second is not None
    assert first[1].csrf != second[1].csrf
    people.sign_out(first[0])
    assert people.session(first[0]) is None
    assert people.session(second[0]) is not None


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["ann"], "NAME TOKEN"),
        (["ann short"], "less than 16"),
        ([f"ann {TOKEN}", f"bob {TOKEN}"], "an earlier line"),
    ],
)
def test_a_wrong_line_is_told_without_its_secret(lines: list[str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        people_of(lines)
    assert words in caught.value.what
    assert TOKEN not in str(caught.value)
    assert "short" not in str(caught.value)
