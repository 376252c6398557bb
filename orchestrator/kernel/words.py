"""Numbers with their nouns, as people say them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 key`, `2 keys`, `1,200 keys`: for nouns that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
