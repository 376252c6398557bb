"""Numbers with their nouns, and times, as people say them."""

from __future__ import annotations

from typing import Final

_MINUTE: Final = 60


def counted(number: int, noun: str) -> str:
    """`1 key`, `2 keys`, `1,200 keys`: for nouns that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Seconds as people say them: `45 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    minutes, rest = divmod(whole, _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // _MINUTE} h {minutes % _MINUTE:02d} min"
