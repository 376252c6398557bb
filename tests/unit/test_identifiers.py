"""Generated names: bounded, stable, distinct."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kernel.identifiers import bounded, distinct, qualified, quote

# What may stand in an identifier: anything but NUL and lone surrogates.
NAMES = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), min_size=1, max_size=120)


def test_a_short_name_stays_readable() -> None:
    assert bounded("audits", "email", "idx") == "audits_email_idx"


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_a_name_always_fits_and_is_always_the_same(parts: list[str]) -> None:
    name = bounded(*parts)
    assert len(name.encode()) <= 63
    assert name == bounded(*parts)


def test_names_that_agree_in_their_first_63_bytes_stay_different() -> None:
    long = "x" * 70
    assert bounded(long, "a") != bounded(long, "b")
    assert bounded("ä" * 31 + "x", "a") != bounded("ä" * 31 + "x", "b")


def test_the_cut_does_not_split_a_character() -> None:
    name = bounded("ä" * 60)
    assert name.rstrip("0123456789abcdef") == "ä" * 27 + "_"


def test_where_the_parts_end_matters_once_a_name_is_hashed() -> None:
    assert bounded("a_b", "c" * 80) != bounded("a", "b_" + "c" * 80)


def test_a_collision_is_named() -> None:
    assert distinct(iter(["a", "b"])) == ["a", "b"]
    with pytest.raises(ValueError, match="'a'"):
        distinct(["a", "b", "a"])


def test_quoting() -> None:
    assert qualified("Odd schema", 'a"b') == '"Odd schema"."a""b"'
    for wrong in ("", "a\x00b"):
        with pytest.raises(ValueError, match="not an identifier"):
            quote(wrong)
