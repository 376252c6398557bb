"""What was compiled before, kept beside what it was compiled from: the same input is compiled once.

A command compiles the same mapping many times: each phase asks for it, and contract asks twice for each table that it
moves. What comes out depends on the plan and on the catalog only, so a piece (the functions of a source, those of the
whole mapping) is compiled anew only where its own input differs. When one table moves, that is its own piece and the
whole's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Memory:
    """The last compiled pieces of one command; not for several connections."""

    def __init__(self, told: Callable[[int], None] | None = None) -> None:
        """Nothing is compiled yet; `told` hears after each piece how many are."""
        self._kept: dict[Hashable, tuple[object, Any]] = {}
        self._told = told

    def recall(self, key: Hashable, given: object, build: Callable[[], T]) -> T:
        """What `build` makes, or what it made last time for this key if that was given an equal input."""
        kept = self._kept.get(key)
        if kept is not None and kept[0] == given:
            return cast("T", kept[1])
        made = build()
        self._kept[key] = given, made
        if self._told is not None:
            self._told(len(self._kept))
        return made
